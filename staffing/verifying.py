"""Whether a certificate is what it says: by its code, by its file, or by its QR code without any network.

Online: in force, superseded, revoked, expired, tampered with, or unknown. Offline a signature tells genuine from
tampered; whether it is still in force only the portal knows. No answer names a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from io import BytesIO
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from staffing.certificate_content import read_code, read_scan
from staffing.certificate_store import State, certificate_due, newest_of, public_keys, state_of
from staffing.paper_models import Certificate
from staffing.seal import MARK, unseal
from staffing.signing import holds

MOST_BYTES = 4 * 2**20


class Verdict(StrEnum):
    """The answer."""

    VALID = "VALID"
    OUTDATED = "OUTDATED"  # ours and unchanged, but ledger or register have moved on since
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"
    REVOKED = "REVOKED"
    TAMPERED = "TAMPERED"
    UNKNOWN = "UNKNOWN"
    GENUINE = "GENUINE"  # offline: signed by us and unchanged


VERDICTS = {
    Verdict.VALID: "有效",
    Verdict.OUTDATED: "内容有变，待换发",
    Verdict.EXPIRED: "已过有效期",
    Verdict.SUPERSEDED: "已被新版本取代",
    Verdict.REVOKED: "已撤销",
    Verdict.TAMPERED: "被篡改",
    Verdict.UNKNOWN: "不存在",
    Verdict.GENUINE: "真实未改动",
}
EXPLAINED = {
    Verdict.VALID: "这是该单位现行的机构编制管理证。请核对下列内容与所持证书是否一致。",
    Verdict.OUTDATED: "这一版确由本系统签发，但此后编制或登记事项已有变动，尚未换发新版；请以换发后的新版为准。",
    Verdict.EXPIRED: "这一版已过有效期，须由机构编制部门换发。",
    Verdict.SUPERSEDED: "这一版已作废，该单位已有新版本。",
    Verdict.REVOKED: "这一版已由机构编制部门撤销。",
    Verdict.TAMPERED: "文件与签发时不一致：内容被改动过，或另存过。不得采信。",
    Verdict.UNKNOWN: "没有这张证书：验证码有误，或者文件不是本系统签发的机构编制管理证。",
    Verdict.GENUINE: "签名有效，内容自签发以来没有改动。是否仍为现行版本须联网核验。",
}


@dataclass(frozen=True)
class Answer:
    """verdict; about: what is public of the version meant (None where it is unknown or not to be believed)."""

    verdict: Verdict
    about: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        return VERDICTS[self.verdict]

    @property
    def sentence(self) -> str:
        return EXPLAINED[self.verdict]


def verify_code(session: Session, raw: str, on: date) -> Answer:
    """What a code as typed or scanned stands for."""
    code = read_code(raw)
    row = session.scalar(select(Certificate).where(Certificate.code == code)) if code else None
    if row is None:
        return Answer(Verdict.UNKNOWN)
    return Answer(_standing(session, row, on), _about(session, row))


def _standing(session: Session, row: Certificate, on: date) -> Verdict:
    """What a version is worth, asked of the ledger too: none is called in force that says something else."""
    state = state_of(session, row, on)
    if state is State.VALID and row.unit_code in certificate_due(session, [row.unit_code], on):
        return Verdict.OUTDATED
    return Verdict(state)


def verify_file(session: Session, content: bytes, on: date) -> Answer:
    """What an uploaded file is. Any byte changed, an attachment swapped, saved anew: tampered."""
    sealed = unseal(content, public_keys(session))
    if sealed is None:
        return Answer(Verdict.TAMPERED if looks_like_ours(content) else Verdict.UNKNOWN)
    if not sealed.intact or sealed.claim is None:
        return Answer(Verdict.TAMPERED)
    row = session.scalar(select(Certificate).where(Certificate.code == sealed.claim.code))
    if row is None:
        # Signed by our key, yet never issued here: from a lost database, or rolled back.
        return Answer(Verdict.UNKNOWN)
    if (row.content_hash, row.version) != (sealed.claim.content_hash, sealed.claim.version):
        return Answer(Verdict.TAMPERED)
    return Answer(_standing(session, row, on), _about(session, row))


def verify_offline(content: bytes, publics: Iterable[bytes], on: date) -> Answer:
    """As `verify_file`, with public keys alone: GENUINE, EXPIRED, TAMPERED or UNKNOWN."""
    sealed = unseal(content, publics)
    if sealed is None:
        return Answer(Verdict.TAMPERED if looks_like_ours(content) else Verdict.UNKNOWN)
    if not sealed.intact or sealed.claim is None:
        return Answer(Verdict.TAMPERED)
    return _by_claim(sealed.claim, on)


def verify_scan(text: str, publics: Iterable[bytes], on: date) -> Answer:
    """What a scanned QR code proves without a network."""
    found = read_scan(text)
    if found is None:
        return Answer(Verdict.UNKNOWN)
    claim, signature = found
    if not any(holds(public, claim.message(), signature) for public in publics):
        return Answer(Verdict.TAMPERED)
    return _by_claim(claim, on)


def _by_claim(claim, on: date) -> Answer:
    named = ("code", "unit_code", "version", "valid_until", "content_hash")
    verdict = Verdict.EXPIRED if on > date.fromisoformat(claim.valid_until) else Verdict.GENUINE
    return Answer(verdict, {name: getattr(claim, name) for name in named})


def _about(session: Session, row: Certificate) -> dict[str, Any]:
    """What anybody may know of a version: what the sunshine pages publish anyway, and nobody's name."""
    content = json.loads(row.content)
    facts, newest = content["facts"], newest_of(session, row.unit_code)
    return {
        "code": row.code, "unit_code": row.unit_code, "unit_name": facts["unit_name"], "version": row.version,
        "office": content["office"], "issued_on": row.issued_on.isoformat(), "valid_until": row.valid_until.isoformat(),
        "content_hash": row.content_hash, "quotas": facts["quotas"], "leader_posts": facts["leader_posts"],
        "newest_version": newest.version if newest else row.version,
    }  # fmt: skip


def looks_like_ours(content: bytes) -> bool:
    """Whether a file without a seal says of itself that it is a certificate: then somebody broke the seal."""
    if re.search(MARK + rb" [0-9A-Z-]{19}", content) or b"%BIANZHI 1 " in content:
        return True
    if not content.startswith(b"%PDF-") or len(content) > MOST_BYTES:
        return False
    return _named_ours(content)


def _named_ours(content: bytes) -> bool:
    """Keywords and the names of attachments, of a PDF some other program wrote. Nothing of its pages is unpacked."""
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what a stranger's file is like is not our operators' matter
    try:
        reader = PdfReader(BytesIO(content), strict=False)
        words = str((reader.metadata or {}).get("/Keywords", ""))
        return MARK.decode() in words or "certificate.json" in {item.name for item in reader.attachment_list}
    except Exception:
        # A stranger's bytes may break a parser in any way; whatever does is no certificate of ours.
        return False
