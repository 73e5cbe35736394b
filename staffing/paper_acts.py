"""Acts on certificates and documents by name, as `staffing.acts` has those of the gate: for commands and files of acts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from pool.acting import Act, Receipt
from pool.acts import Argument, Deed, read_code, read_day, read_text, read_word
from staffing.acts import REASON, UNIT, read_document, read_year
from staffing.certificate_pdf import Press
from staffing.certificates import record_check, renew_certificate, revoke_certificate
from staffing.documents import Registration, register_document
from staffing.labels import CHECK_RESULTS

CERTIFICATE = ("unit_code", "version")
YEAR = Argument("year", "year of the check", read_year)
RESULT = Argument("result", f"{' or '.join(CHECK_RESULTS)}", read_word)
NOTE = Argument("note", "remark", read_text, required=False, option=True)


def _register(session: Session, act: Act, division: str | None = None, **given: Any) -> Receipt:
    units = tuple(given.pop("units", None) or ())
    return register_document(session, act, Registration(units=units, **given), division)


def _deed(name: str, help: str, call, answers: tuple[str, ...], *arguments: Argument) -> Deed:
    return Deed(name, help, arguments, lambda db, act, values, key: call(db, act, **values), answers)


CHECK = _deed("check", "Record the yearly check of a year.", record_check, ("unit_code", "year", "result", "recorded"), UNIT, YEAR, RESULT, NOTE)  # fmt: skip
REVOKE = _deed("revoke", "Revoke the newest version, as the director.", revoke_certificate, CERTIFICATE, UNIT, REASON)
REGISTER = _deed(
    "register", "Register a document of the office, once.", _register, ("doc_no", "registered"),
    Argument("doc_no", "its number", read_document), Argument("doc_date", "its date YYYY-MM-DD", read_day),
    Argument("title", "its title", read_text, option=True),
    Argument("meeting", "meeting it was passed at", read_text, required=False, option=True),
    Argument("units", "codes of units it concerns, apart by commas", read_code, required=False, option=True, many=True),
    Argument("division", "the registering office's division, where it has several", read_code, required=False, option=True),
)  # fmt: skip


def paper_deeds(press: Press) -> dict[str, Deed]:
    """What a file of acts may do with certificates and documents beside the gate's own acts."""

    def certify(session: Session, act: Act, unit_code: str) -> Receipt:
        return renew_certificate(session, act, unit_code, press)

    issue = _deed("certify", "Issue or renew a unit's certificate.", certify, (*CERTIFICATE, "code", "renewed"), UNIT)
    named = {"certify": issue, "certificate-check": CHECK, "certificate-revoke": REVOKE, "document": REGISTER}
    return {name: replace(deed, name=name) for name, deed in named.items()}
