"""Documents and certificates at the doors: what an address names, the press, and the steps both doors offer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, g, make_response

from core.errors import InputRejected, NotFound
from core.types import LeaderTier
from pool.acting import Act, Receipt
from staffing.certificate_pdf import Press, papers_dir
from staffing.certificate_store import FactKind
from staffing.certificates import record_check, record_fact, renew_certificate, revoke_certificate
from staffing.documents import seen_document, seen_file
from web.pool_access import act_of

CERTIFICATE_STEPS = ("renew", "check", "record", "revoke")


def press() -> Press:
    """The press of this installation."""
    return Press.of(current_app.config["SETTINGS"])


def folder() -> Path:
    """Where files are kept."""
    return papers_dir(current_app.config["SETTINGS"])


def paper_act() -> Act:
    """The act of this request. Its use-cases are repeatable by their content: no key is needed."""
    return act_of("paper")


def load_document(named: Mapping[str, Any]) -> None:
    g.document = seen_document(g.db, g.scope, named["doc_no"])


def load_file(named: Mapping[str, Any]) -> None:
    g.file = seen_file(g.db, g.scope, named["file_id"])


def certificate_step(step: str, unit_code: str, values: Mapping[str, Any]) -> Receipt:
    """Renew, check, record or revoke. Errors: NotFound for another step; the use-case's own."""
    act = paper_act()
    if step == "renew":
        return renew_certificate(g.db, act, unit_code, press())
    if step == "check":
        year = values.get("year")
        number = int(year) if str(year or "").isascii() and str(year or "").isdecimal() else 0
        return record_check(
            g.db, act, unit_code, number, str(values.get("result") or ""), str(values.get("note") or "")
        )
    if step == "record":
        kind = str(values.get("kind") or "")
        return record_fact(
            g.db, act, unit_code, kind, fact_value(kind, values), str(values.get("document_no") or ""),
            read_day(values.get("valid_from")),
        )  # fmt: skip
    if step == "revoke":
        return revoke_certificate(g.db, act, unit_code, str(values.get("reason") or ""))
    raise NotFound("没有这一种办理。")


def fact_value(kind: str, values: Mapping[str, Any]) -> Any:
    """What was filled in for a kind of fact."""
    if kind == FactKind.LEADER_POSTS:
        return {tier.value: values.get(tier.value) for tier in LeaderTier}
    return values.get("value")


def read_day(given: Any, field: str = "valid_from") -> date | None:
    """A date YYYY-MM-DD; None for a blank. Errors: InputRejected."""
    if given is None or isinstance(given, date):
        return given
    text = str(given).strip()
    if not text:
        return None
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise InputRejected("日期须写成 YYYY-MM-DD。", field=field) from None


def download(content: bytes, name: str, media_type: str) -> Response:
    """Bytes as a file to keep, never as a page of ours."""
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return response
