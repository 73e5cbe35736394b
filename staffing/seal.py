"""The seal of a certificate's file: one line after the PDF's end that signs every byte before it. Pure but for the key.

    %BIANZHI 1 <claim> <key id> <signature of the claim> <signature of all bytes before this field>

A PDF reader skips the line (a comment after %%EOF). Whoever changes a byte, swaps an attachment or saves the file anew
breaks or loses it; nobody needs our database to see that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from staffing.certificate_content import Claim, canonical, packed, read_code, unpacked
from staffing.signing import Signer, holds, key_id

MARK = b"bianzhi-certificate"
_LINE = re.compile(rb"\n%BIANZHI 1 ([A-Za-z0-9_-]+) ([0-9a-f]{16}) ([A-Za-z0-9_-]{86}) ([A-Za-z0-9_-]{86})\n\Z")
_FILE = b"bianzhi-file-1\n"


@dataclass(frozen=True)
class Sealed:
    """What a file's seal says. intact: a known key signed both the claim and every byte of the file."""

    claim: Claim | None
    key_id: str
    intact: bool


def seal(pdf: bytes, claim: Claim, signature: bytes, signer: Signer) -> bytes:
    """The file as it is handed out. signature: the claim's, the one in the QR code."""
    line = f"\n%BIANZHI 1 {packed(canonical(asdict(claim)))} {signer.key_id} {packed(signature)} ".encode()
    body = pdf + line
    return body + packed(signer.sign(_FILE + body)).encode() + b"\n"


def unseal(content: bytes, publics: Iterable[bytes]) -> Sealed | None:
    """Read and check a file's seal; None when it has none."""
    found = _LINE.search(content[-2048:])
    if found is None:
        return None
    claim, signed_by = _claim(found[1]), found[2].decode()
    public = next((public for public in publics if key_id(public) == signed_by), None)
    try:
        claim_signature, file_signature = unpacked(found[3].decode()), unpacked(found[4].decode())
    except ValueError:
        return Sealed(claim, signed_by, False)
    # Both signatures, so that a base64 spelling with other spare bits is no second valid seal.
    spelled = packed(claim_signature).encode() == found[3] and packed(file_signature).encode() == found[4]
    body = content[: len(content) - len(found[4]) - 1]
    intact = (
        spelled
        and claim is not None
        and public is not None
        and holds(public, claim.message(), claim_signature)
        and holds(public, _FILE + body, file_signature)
    )
    return Sealed(claim, signed_by, intact)


def _claim(packed_claim: bytes) -> Claim | None:
    try:
        held = json.loads(unpacked(packed_claim.decode()))
        claim = Claim(**held)
        date.fromisoformat(claim.valid_until)
    except (ValueError, TypeError):
        return None
    return claim if read_code(claim.code) == claim.code and isinstance(claim.version, int) else None
