"""Who is who: normalising, checking, keying and masking identity numbers and names (DOMAIN §3, Identity). Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import date
from enum import StrEnum
from functools import lru_cache

SPACES = dict.fromkeys(
    [
        *range(0x0009, 0x000E), 0x0020, 0x0085, 0x00A0, 0x00AD, 0x1680, 0x180E, *range(0x2000, 0x2010),
        0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF,
    ]
)  # fmt: skip
DOTS = dict.fromkeys(map(ord, "·•・‧∙⋅･"), "·")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
KEY_CHARS = 32


class IdProblem(StrEnum):
    """What D02 says is wrong with a RESIDENT id."""

    BLANK = "BLANK"
    LENGTH = "LENGTH"
    CHARSET = "CHARSET"
    BIRTH_DATE = "BIRTH_DATE"
    CHECK_DIGIT = "CHECK_DIGIT"


def strip_spaces(text: str) -> str:
    """NFKC, then every kind of space, zero-width mark and BOM out."""
    folded = unicodedata.normalize("NFKC", text)
    plain = folded.translate(SPACES)
    # A space taken out may bring a letter and an accent together.
    return plain if len(plain) == len(folded) else unicodedata.normalize("NFKC", plain)


def check_digit(first17: str) -> str:
    """GB 11643: the 18th character for 17 ASCII digits."""
    return CHECK_DIGITS[sum(int(d) * w for d, w in zip(first17, WEIGHTS, strict=True)) % 11]


def normalise_id(raw: str, id_type: str = "RESIDENT") -> str:
    """An identity number in its one spelling; '' when blank.

    RESIDENT: 15 digits, or 000 and 15 digits, become 18 with the computed check digit. Other kinds are kept as they
    are but for NFKC, spaces, a leading apostrophe and upper case. Source: DOMAIN §3.
    """
    text = strip_spaces(raw).lstrip("'’‘`").upper()
    if id_type != "RESIDENT":
        return text
    if re.fullmatch(r"000\d{15}", text, re.ASCII):
        text = text[3:]
    if re.fullmatch(r"\d{15}", text, re.ASCII):
        first17 = text[:6] + "19" + text[6:]
        return first17 + check_digit(first17)
    return text


def id_problem(normalised: str, id_type: str = "RESIDENT") -> IdProblem | None:
    """What is wrong with an already normalised id, or None. The place code is not checked: it may be historic."""
    if not normalised:
        return IdProblem.BLANK
    if id_type != "RESIDENT":
        return None
    if len(normalised) != 18:
        return IdProblem.LENGTH
    if not re.fullmatch(r"\d{17}[\dX]", normalised, re.ASCII):
        return IdProblem.CHARSET
    if birth_date(normalised) is None:
        return IdProblem.BIRTH_DATE
    if check_digit(normalised[:17]) != normalised[17]:
        return IdProblem.CHECK_DIGIT
    return None


def birth_date(normalised: str) -> date | None:
    """The birth date written in an 18-character id, or None when it is no date."""
    try:
        return date(int(normalised[6:10]), int(normalised[10:12]), int(normalised[12:14]))
    except ValueError:
        return None


def sex(normalised: str) -> str | None:
    """'M' or 'F' by the 17th digit of an 18-character id, else None."""
    if len(normalised) != 18 or not normalised[16].isascii() or not normalised[16].isdigit():
        return None
    return "M" if int(normalised[16]) % 2 else "F"


@lru_cache(maxsize=1)
def _traditional_to_simplified() -> dict[int, str]:
    """Character table t2s without phrases: built once from the installed OpenCC, one character at a time."""
    from opencc import OpenCC

    convert = OpenCC("t2s").convert
    blocks = [(0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x323B0)]
    characters = [chr(code) for low, high in blocks for code in range(low, high)]
    # A line break between characters keeps the phrase tables out.
    folded = convert("\n".join(characters)).split("\n")
    return {ord(a): b for a, b in zip(characters, folded, strict=True) if a != b}


def normalise_name(raw: str) -> str:
    """A name for comparison only: NFKC, no spaces, one kind of dot, Traditional folded to Simplified."""
    # Dots first: NFKC would turn one of them (U+2024 family, U+FF65) into something else.
    text = strip_spaces(raw.translate(DOTS)).translate(DOTS)
    return text.translate(_traditional_to_simplified())


def normalise_code(raw: str) -> str:
    """A code that joins (unit, permit, document, slot): NFKC, spaces out, all square brackets made one."""
    return strip_spaces(raw).translate(str.maketrans("〔［[【〕］]】", "〔〔〔〔〕〕〕〕"))


def keyed(key: str, text: str) -> str:
    """Keyed hash (HMAC-SHA-256, first 128 bits, hex) of a normalised id or name."""
    return hmac.digest(key.encode(), text.encode(), hashlib.sha256).hex()[:KEY_CHARS]


def mask_id(normalised: str) -> str:
    """What people see of an id: `370104********1234`; shorter ones show less. '' for blank."""
    if len(normalised) >= 14:
        return normalised[:6] + "*" * (len(normalised) - 10) + normalised[-4:]
    if len(normalised) >= 6:
        return normalised[:2] + "*" * (len(normalised) - 4) + normalised[-2:]
    return "*" * len(normalised)


def mask_name(raw: str) -> str:
    """What people see of a name: the first character."""
    text = strip_spaces(raw)
    return text[:1] + "*" * max(len(text) - 1, 1) if text else ""
