"""What a certificate says (机构编制管理证): its content in one spelling, the claim that is signed, and what changed. Pure.

facts: what the ledger, the register and the office say of a unit; compared to know whether a new version is due.
frame: version, code, office, dates, the hash of the version before, the yearly checks known at issue.
content = facts and frame; its hash is SHA-256 of the canonical JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from core.types import LeaderTier

FORM = 1
# Crockford's base 32: no I, L, O, U, which are read as digits or each other.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH, CODE_GROUP = 16, 4
_READ_AS = str.maketrans("ILO", "110")
_CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")


@dataclass(frozen=True, order=True)
class QuotaLine:
    """A cell: approved quota, posts borrowed and lent (right of use only), people in post."""

    post_type: str
    fund_form: str
    quota: int
    borrowed: int
    lent: int
    in_post: int


@dataclass(frozen=True, order=True)
class DocumentLine:
    """A document the unit's quota or a recorded fact rests on; date and title as far as known."""

    doc_no: str
    doc_date: str | None = None
    title: str | None = None


@dataclass(frozen=True, order=True)
class CheckLine:
    """A yearly check (年检)."""

    year: int
    result: str
    checked_on: str


@dataclass(frozen=True)
class Facts:
    """What is certified. leader_posts: per tier, None unknown; every list in a fixed order."""

    unit_code: str
    unit_name: str
    uscc: str | None
    unit_kind: str
    level: str
    division_code: str
    org_rank: str | None
    approval_doc: str | None
    duties: str | None
    inner_bodies: tuple[str, ...]
    leader_posts: Mapping[str, int | None]
    quotas: tuple[QuotaLine, ...]
    documents: tuple[DocumentLine, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON values; the same facts always give the same ones."""
        held = asdict(self)
        return json.loads(
            json.dumps(held | {"leader_posts": {tier.value: self.leader_posts.get(tier) for tier in LeaderTier}})
        )


def canonical(value: Any) -> bytes:
    """JSON in one spelling: sorted keys, no spaces, UTF-8 (RFC 8785 for the values used here: text, integers, null)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def content_of(
    facts: Mapping[str, Any], *, code: str, version: int, office: str, issued_on: date, valid_until: date,
    previous_hash: str | None, checks: Iterable[CheckLine],
) -> dict[str, Any]:  # fmt: skip
    """The whole content of a version, as JSON values."""
    return {
        "form": FORM, "facts": dict(facts), "code": code, "version": version, "office": office,
        "issued_on": issued_on.isoformat(), "valid_until": valid_until.isoformat(), "previous_hash": previous_hash,
        "checks": [asdict(check) for check in sorted(checks)],
    }  # fmt: skip


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical content, hex."""
    return hashlib.sha256(canonical(content)).hexdigest()


def new_code() -> str:
    """A verification code nobody can guess: 80 random bits, written XXXX-XXXX-XXXX-XXXX."""
    return spelled_code("".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)))


def spelled_code(plain: str) -> str:
    """A verification code as people read it, in groups."""
    return "-".join(plain[at : at + CODE_GROUP] for at in range(0, CODE_LENGTH, CODE_GROUP))


def read_code(raw: str) -> str | None:
    """A code as typed or scanned: any case, spaces or dashes, I and L for 1, O for 0; the whole address too. None: no code."""
    text = raw.strip()
    if "/" in text:
        text = urlsplit(text).path.rstrip("/").rsplit("/", 1)[-1]
    plain = re.sub(r"[\s\-–—_]", "", text.upper()).translate(_READ_AS)
    return spelled_code(plain) if _CODE.fullmatch(plain) else None


@dataclass(frozen=True)
class Claim:
    """What the signature in the QR code says, in few bytes: this code, unit, version, term and content."""

    code: str
    unit_code: str
    version: int
    valid_until: str
    content_hash: str

    def message(self) -> bytes:
        """The bytes that are signed."""
        return b"bianzhi-certificate-1\n" + canonical(asdict(self))


def claim_of(content: Mapping[str, Any]) -> Claim:
    """The claim of a content."""
    return Claim(
        content["code"],
        content["facts"]["unit_code"],
        content["version"],
        content["valid_until"],
        content_hash(content),
    )


def scan_text(portal: str, claim: Claim, signature: bytes) -> str:
    """What the QR code holds: the address that answers, and after # (which no browser sends) claim and signature."""
    parts = (
        "1", quote(claim.unit_code, safe=""), str(claim.version), claim.valid_until.replace("-", ""),
        packed(bytes.fromhex(claim.content_hash)), packed(signature),
    )  # fmt: skip
    return f"{portal.rstrip('/')}/verify/{claim.code}#{'.'.join(parts)}"


def read_scan(text: str) -> tuple[Claim, bytes] | None:
    """Claim and signature of a scanned code; None when it is none of ours."""
    parts = urlsplit(text.strip())
    code, fields = read_code(parts.path), parts.fragment.split(".", 1)
    if code is None or fields[0] != "1" or len(fields) != 2 or fields[1].count(".") < 4:
        return None
    unit, version, until, digest, signature = fields[1].rsplit(".", 4)
    try:
        day = date(int(until[:4]), int(until[4:6]), int(until[6:])).isoformat()
        return Claim(code, unquote(unit), int(version), day, unpacked(digest).hex()), unpacked(signature)
    except ValueError:
        return None


def packed(raw: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpacked(text: str) -> bytes:
    """Errors: ValueError for what is none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Change:
    """One difference between two versions. what: a name of `Facts`, or of `QuotaLine` with its cell."""

    what: str
    before: Any
    after: Any
    post_type: str | None = None
    fund_form: str | None = None
    tier: str | None = None


PLAIN = (
    "unit_name", "uscc", "unit_kind", "level", "division_code", "org_rank", "approval_doc", "duties", "inner_bodies",
)  # fmt: skip
MEASURES = ("quota", "borrowed", "lent", "in_post")


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Differences between the facts of two versions, in the order of the page."""
    found = [Change(name, before[name], after[name]) for name in PLAIN if before[name] != after[name]]
    for tier in LeaderTier:
        posts = before["leader_posts"].get(tier), after["leader_posts"].get(tier)
        if posts[0] != posts[1]:
            found.append(Change("leader_posts", *posts, tier=tier.value))
    old, new = ({(q["post_type"], q["fund_form"]): q for q in held["quotas"]} for held in (before, after))
    for cell in sorted(old.keys() | new.keys()):
        for name in MEASURES:
            posts = old.get(cell, {}).get(name), new.get(cell, {}).get(name)
            if posts[0] != posts[1]:
                found.append(Change(name, *posts, *cell))
    numbers = [[each["doc_no"] for each in held["documents"]] for held in (before, after)]
    added = [number for number in numbers[1] if number not in numbers[0]]
    gone = [number for number in numbers[0] if number not in numbers[1]]
    if added or gone or (before["documents"] != after["documents"] and not found):
        found.append(Change("documents", gone, added))
    return found
