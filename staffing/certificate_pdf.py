"""A certificate as a file: set from its frozen content, with QR code and attachment, and sealed. Same content, same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import segno

from core.settings import Settings
from staffing.certificate_content import Claim, canonical, claim_of, scan_text
from staffing.labels import (
    CHECK_RESULTS,
    FUND_FORMS,
    LEADER_TIERS,
    LEVELS,
    POST_TYPES,
    UNIT_KINDS,
    chinese_day,
)
from staffing.seal import MARK, seal
from staffing.signing import Signer
from staffing.typeset import pdf_of

CHECK_ROWS = 3


@dataclass(frozen=True)
class Press:
    """What making a certificate takes: where files are kept, the portal's address for the QR code, the key."""

    folder: Path
    portal_url: str
    signer: Signer

    @classmethod
    def of(cls, settings: Settings) -> Press:
        return cls(papers_dir(settings), settings.portal_url, Signer.of(settings.secret_key))


def papers_dir(settings: Settings) -> Path:
    """Where files of documents and certificates are kept: in HOME, 0700, below no web root."""
    return settings.home / "papers"


def certificate_file(content: Mapping[str, Any], press: Press) -> tuple[bytes, bytes]:
    """The sealed PDF of a content, and the signature of its claim."""
    claim = claim_of(content)
    signature = press.signer.sign(claim.message())
    files = {"content.json": canonical(content), "qr.svg": _qr(scan_text(press.portal_url, claim, signature))}
    issued = datetime.fromisoformat(content["issued_on"]).replace(tzinfo=UTC)
    pdf = pdf_of("certificate", _data(content, claim, press), issued, files)
    return seal(pdf, claim, signature, press.signer), signature


def _qr(text: str) -> bytes:
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=True, svgns=True)
    return out.getvalue()


def certificate_number(content: Mapping[str, Any]) -> str:
    """What the certificate is called: unit code and version."""
    return f"{content['facts']['unit_code']}-{content['version']:03d}"


def _data(content: Mapping[str, Any], claim: Claim, press: Press) -> dict[str, Any]:
    facts = content["facts"]
    return {
        "title": f"机构编制管理证 {facts['unit_name']}", "mark": f"{MARK.decode()} {content['code']}",
        "office": content["office"], "number": certificate_number(content), "version": content["version"],
        "code": content["code"], "issued": chinese_day(content["issued_on"]), "until": chinese_day(content["valid_until"]),
        "rows": _rows(facts), "duties": facts["duties"] or "（见“三定”规定）",
        "inner": "、".join(facts["inner_bodies"]) or "—", "aside": _aside(facts),
        "quotas": [_quota(line) for line in facts["quotas"]] or [["—"] * 6],
        "totals": [sum(line[name] for line in facts["quotas"]) for name in ("quota", "borrowed", "lent", "in_post")],
        "leaders": [[label, _number(facts["leader_posts"].get(tier))] for tier, label in LEADER_TIERS.items()],
        "documents": [
            [each["doc_no"], chinese_day(each["doc_date"]), each["title"] or "—"] for each in facts["documents"]
        ] or [["—"] * 3],
        "checks": _checks(content["checks"]), "address": f"{press.portal_url}/verify",
        "digest": claim.content_hash[:32], "previous": (content["previous_hash"] or "（首次核发）")[:32],
        "key": press.signer.key_id,
    }  # fmt: skip


def _number(value: int | None) -> str:
    """Unknown is a dash, never zero."""
    return "—" if value is None else str(value)


def _rows(facts: Mapping[str, Any]) -> list[list[str]]:
    forms = [FUND_FORMS[form] for form in FUND_FORMS if any(q["fund_form"] == form for q in facts["quotas"])]
    return [
        ["机构名称", facts["unit_name"], "机构编码", facts["unit_code"]],
        ["统一社会信用代码", facts["uscc"] or "—", "机构类别", UNIT_KINDS[facts["unit_kind"]]],
        ["机构规格", facts["org_rank"] or "—", "层级区划", f"{LEVELS[facts['level']]}　{facts['division_code']}"],
        ["经费形式", "、".join(forms) or "—", "批准文号", facts["approval_doc"] or "—"],
    ]


def _quota(line: Mapping[str, Any]) -> list[str]:
    named = [POST_TYPES[line["post_type"]], FUND_FORMS[line["fund_form"]]]
    return named + [str(line[name]) for name in ("quota", "borrowed", "lent", "in_post")]


def _aside(facts: Mapping[str, Any]) -> str:
    if not any(line["borrowed"] or line["lent"] for line in facts["quotas"]):
        return ""
    return "周转借入、借出只动使用权，不增减核定编制和领导职数，到期归还。"


def _checks(checks: list[Mapping[str, Any]]) -> list[list[str]]:
    """Six cells a row: two years beside each other; empty rows are for checks to come, stamped by hand."""
    cells = [[str(c["year"]), CHECK_RESULTS[c["result"]], chinese_day(c["checked_on"])] for c in checks]
    cells += [["　", "", ""]] * (max(CHECK_ROWS * 2, len(cells) + len(cells) % 2) - len(cells))
    return [cells[at] + cells[at + 1] for at in range(0, len(cells), 2)]
