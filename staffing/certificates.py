"""Issuing, keeping and revoking certificates (机构编制管理证). Each use-case is state and audit event in the caller's transaction.

A certificate is renewed when what it says changed, and only then: renewing twice gives one version. The version before
is superseded in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import InputRejected, InvariantViolated, Refused
from core.parameters import parameter_values
from core.permissions import Permission
from core.types import LeaderTier
from pool.acting import OFFICE_TIME, Act, Receipt, check_place, lock_paths, note_document, open_node, unit_node
from pool.models import PoolNode
from pool.policies import add_months
from staffing import shelf
from staffing.certificate_content import canonical, content_hash, content_of, new_code
from staffing.certificate_pdf import Press, certificate_file
from staffing.certificate_store import (
    FactKind,
    State,
    certificate_due,
    check_lines,
    checks_of,
    facts_of,
    newest_of,
    state_of,
    version_of,
)
from staffing.determination_store import has_determination
from staffing.labels import CHECK_RESULTS
from staffing.paper_models import (
    Certificate,
    CertificateCheck,
    CertificateEvent,
    CertificateFact,
    CertificateKey,
)
from staffing.signing import key_id

TEXT_LENGTH, LIST_LENGTH, NAME_LENGTH = 5000, 100, 100
MOST_LEADERS = 1000


def renew_certificate(session: Session, act: Act, unit_code: str, press: Press) -> Receipt:
    """Issue the first version or a new one, if what it says changed or the newest is revoked or expired.

    → unit_code, version, code, renewed. Errors: NotFound, Forbidden, Refused for a unit whose ledger is not open.
    """
    node = unit_node(session, unit_code)
    check_place(session, act, Permission.RENEW_CERTIFICATE, node)
    return issue(session, node, press, act.login, act.now)


def renew_due(
    session: Session, press: Press, now: datetime, units: Collection[str] | None = None, actor: str = "night"
) -> list[Receipt]:
    """Renew every certificate that is due (see `certificate_due`), for the night or after a change; the edge commits.

    That of a unit merged or abolished is revoked instead. → a receipt each.
    """
    on = now.astimezone(OFFICE_TIME).date()
    nodes = [unit_node(session, code) for code in certificate_due(session, units, on)]
    lock_paths(session, [node.id for node in nodes])
    return [
        _close(session, node, actor, now, on) if node.closed_on else issue(session, node, press, actor, now)
        for node in nodes
    ]


def _close(session: Session, node: PoolNode, actor: str, now: datetime, on: date) -> Receipt:
    """End the certificate of a unit that no longer stands."""
    row = version_of(session, node.unit_code)
    if state_of(session, row, on) is not State.REVOKED:
        _event(session, row, State.REVOKED, actor, now, on, "单位已撤并，证书注销")
        record(
            session, actor=actor, action="certificate_revoked", subject=f"certificate {row.unit_code}", now=now,
            version=row.version, closed_on=node.closed_on,
        )  # fmt: skip
    return {"unit_code": row.unit_code, "version": row.version, "code": row.code, "renewed": False}


def issue(session: Session, node: PoolNode, press: Press, actor: str, now: datetime) -> Receipt:
    """Lock, look, and write a version where one is needed. Whoever calls has checked the right to."""
    lock_paths(session, [node.id])
    session.refresh(node)
    code, on = open_node(node).unit_code, now.astimezone(OFFICE_TIME).date()
    facts = facts_of(session, [code], on).get(code)
    if facts is None:
        raise Refused("这个单位尚未建账，不能核发机构编制管理证。", answer="NOT_OPENED")
    newest, plain = newest_of(session, code), facts.plain()
    state = state_of(session, newest, on) if newest is not None else None
    if newest is not None and state is State.VALID and json.loads(newest.content)["facts"] == plain:
        return {"unit_code": code, "version": newest.version, "code": newest.code, "renewed": False}
    row = _new_version(session, plain, newest, node.division_code, press, actor, now, on)
    if newest is not None and state is not State.REVOKED:
        _event(session, newest, State.SUPERSEDED, actor, now, on)
    _event(session, row, "ISSUED", actor, now, on)
    record(
        session, actor=actor, action="certificate_issued", subject=f"certificate {code}", now=now, version=row.version,
        content_hash=row.content_hash, file=row.file_sha256, supersedes=newest.version if newest else None,
    )  # fmt: skip
    return {"unit_code": code, "version": row.version, "code": row.code, "renewed": True}


def _new_version(session, facts, newest, division, press: Press, actor, now, on) -> Certificate:
    terms = parameter_values(session, ["certificate_months", "certificate_office"], on, division)
    content = content_of(
        facts, code=new_code(), version=newest.version + 1 if newest else 1, office=terms["certificate_office"],
        issued_on=on, valid_until=add_months(on, terms["certificate_months"]),
        previous_hash=newest.content_hash if newest else None, checks=check_lines(checks_of(session, facts["unit_code"])),
    )  # fmt: skip
    file, signature = certificate_file(content, press)
    _hold_key(session, press.signer.public, now)
    row = Certificate(
        unit_code=facts["unit_code"], version=content["version"], code=content["code"],
        content=canonical(content).decode(), content_hash=content_hash(content), previous_hash=content["previous_hash"],
        issued_on=on, issued_at=now, issued_by=actor, valid_until=date.fromisoformat(content["valid_until"]),
        key_id=press.signer.key_id, signature=signature.hex(),
        # Before the commit: an orphan of a rolled back transaction harms nobody, a version without its file would.
        file_sha256=shelf.put(press.folder, file),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _hold_key(session: Session, public: bytes, now: datetime) -> None:
    """Note the public key at its first use."""
    held = session.get(CertificateKey, key_id(public))
    if held is None:
        session.add(CertificateKey(key_id=key_id(public), public=public.hex(), since=now))
        session.flush()
    elif held.public != public.hex():
        raise InvariantViolated("two public keys share one short name")


def _event(session: Session, row: Certificate, kind: str, actor, now, on: date, reason: str | None = None) -> None:
    event = {
        "unit_code": row.unit_code, "version": row.version, "kind": str(kind), "at": now, "on": on, "actor": actor,
        "reason": reason,
    }  # fmt: skip
    session.execute(insert(CertificateEvent), [event])


def revoke_certificate(session: Session, act: Act, unit_code: str, reason: str) -> Receipt:
    """Revoke the newest version, with a reason; the night issues no other, a person may. By the director.

    → unit_code, version. Errors: NotFound without one, Refused when it is no longer in force, InputRejected.
    """
    node = unit_node(session, unit_code)
    check_place(session, act, Permission.REVOKE_CERTIFICATE, node)
    text = reason.strip()
    if not 2 <= len(text) <= 1000:
        raise InputRejected("须填写撤销理由（2 至 1000 个字）。", field="reason")
    lock_paths(session, [node.id])
    row = version_of(session, unit_code)
    if state_of(session, row, act.today) is State.REVOKED:
        raise Refused("这一版管理证已经撤销。", answer="REVOKED")
    _event(session, row, State.REVOKED, act.login, act.now, act.today, text)
    _trail(session, act, "revoked", unit_code, version=row.version)
    return {"unit_code": unit_code, "version": row.version}


def record_check(session: Session, act: Act, unit_code: str, year: int, result: str, note: str = "") -> Receipt:
    """Record the yearly check (年检) of a year: PASSED or RECTIFY. The same again changes nothing.

    It is printed on versions issued from then on and makes none due. → unit_code, year, result, recorded.
    """
    node = unit_node(session, unit_code)
    check_place(session, act, Permission.KEEP_CERTIFICATE, node)
    if not 2000 <= year <= act.today.year:
        raise InputRejected("年检年度须为 2000 年至今年。", field="year")
    if result not in CHECK_RESULTS:
        raise InputRejected("年检结果须为合格或限期整改。", field="result")
    if len(note.strip()) > 400:
        raise InputRejected("备注不得超过 400 字。", field="note")
    lock_paths(session, [node.id])
    version_of(session, unit_code)
    last = next((check for check in checks_of(session, unit_code) if check.year == year), None)
    given = (result, note.strip() or None)
    changed = last is None or (last.result, last.note) != given
    if changed:
        row = {
            "unit_code": unit_code, "year": year, "result": result, "note": given[1], "checked_on": act.today,
            "checked_by": act.login, "checked_at": act.now,
        }  # fmt: skip
        session.execute(insert(CertificateCheck), [row])
        _trail(session, act, "checked", unit_code, year=year, result=result)
    return {"unit_code": unit_code, "year": year, "result": result, "recorded": changed}


def record_fact(
    session: Session, act: Act, unit_code: str, kind: str, value: Any, document_no: str, valid_from: date | None = None
) -> Receipt:
    """Record duties (text), inner bodies (list of names) or leader posts (tier → number) from a day on, by a document.

    The certificate is due from that day. The same again changes nothing. → unit_code, kind, recorded.
    """
    node = unit_node(session, unit_code)
    check_place(session, act, Permission.KEEP_CERTIFICATE, node)
    parsed = parse_fact(kind, value)
    day = valid_from or act.today
    if not date(1949, 10, 1) <= day <= date(2199, 12, 31):
        raise InputRejected("生效日期不在允许的范围内。", field="valid_from")
    lock_paths(session, [node.id])
    if has_determination(session, unit_code):
        raise Refused(
            "这个单位已登记三定规定，职责、内设机构和领导职数以其为准；请登记新的三定版本。", answer="DETERMINED"
        )
    number = note_document(session, act, document_no)
    spelled = json.dumps(parsed, ensure_ascii=False, sort_keys=True)
    last = session.scalar(
        select(CertificateFact)
        .where(CertificateFact.unit_code == unit_code, CertificateFact.kind == kind)
        .order_by(CertificateFact.id.desc())
        .limit(1)
    )
    changed = last is None or (last.value, last.doc_no, last.valid_from) != (spelled, number, day)
    if changed:
        row = {
            "unit_code": unit_code, "kind": kind, "value": spelled, "doc_no": number, "valid_from": day,
            "recorded_by": act.login, "recorded_at": act.now,
        }  # fmt: skip
        session.execute(insert(CertificateFact), [row])
        _trail(session, act, "fact", unit_code, kind=kind, document_no=number, valid_from=day)
    return {"unit_code": unit_code, "kind": kind, "recorded": changed}


def parse_fact(kind: str, value: Any) -> Any:
    """A recorded fact in its one spelling. Errors: InputRejected with the sentence."""
    if kind == FactKind.DUTIES:
        text = str(value or "").strip()
        if not 1 <= len(text) <= TEXT_LENGTH:
            raise InputRejected("主要职责须为 1 至 5000 个字。", field="duties")
        return text
    if kind == FactKind.INNER_BODIES:
        lines = value.splitlines() if isinstance(value, str) else list(value or ())
        names = list(dict.fromkeys(str(name).strip() for name in lines if str(name).strip()))
        if len(names) > LIST_LENGTH or any(len(name) > NAME_LENGTH for name in names):
            raise InputRejected("内设机构每行一个，至多 100 个，每个不超过 100 字。", field="inner_bodies")
        return names
    if kind == FactKind.LEADER_POSTS and isinstance(value, dict) and set(value) <= set(LeaderTier):
        return {tier.value: _leaders(value.get(tier.value)) for tier in LeaderTier}
    raise InputRejected("没有这一种登记事项。", field="kind")


def _leaders(value: Any) -> int | None:
    """A number of leader posts; blank is unknown, never zero."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) > MOST_LEADERS:
        raise InputRejected("领导职数须为半角数字的整数。", field="leader_posts")
    return int(text)


def _trail(session: Session, act: Act, action: str, unit_code: str, **details: object) -> None:
    record(
        session, actor=act.login, action=f"certificate_{action}", subject=f"certificate {unit_code}", now=act.now,
        **details,
    )  # fmt: skip
