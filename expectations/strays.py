"""Identity numbers and names in cells where none belong: what of a column may not travel, or not as it stands. Pure.

Decided once per distinct text. A text of fewer than fifteen characters cannot hold a whole number, so most columns are
done with at one look at their lengths.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.identity import DOTS, check_digit, normalise_name, strip_spaces
from core.keys import derived
from expectations.books import Column, Kind
from expectations.identities import keys
from expectations.shown_words import hushed_value
from expectations.verdicts import GateSetting


class Stray(StrEnum):
    """What stands in a cell that should not."""

    NONE = "none"
    NUMBER = "number"
    NAME = "name"
    # Words where a code may be left blank: the cell says nothing, the row stays.
    WORDS = "words"


# Columns that hold Han text by right: names of units, and numbers of documents, which may be spelt in Han numerals.
NAMED_OPENLY = ("unit_name", "aliases")
DOCUMENTS = ("doc_no", "approval_doc", "waiver_no")
# A blank here means that the paying unit pays for itself.
PAID_FOR = "on_behalf_of"
# Kinds of columns in which anything can be read; what is no word, date or month is held back as such.
_LOOKED_AT = (Kind.TEXT, Kind.CODE, Kind.COUNT, Kind.MONEY)
_SHORT, _LONG = 15, 18
_FIRST_BIRTH = 1900
# Nobody in the books is younger; a number that is made of a place and a date of issue is nobody's.
_YOUNGEST = 14
# Numbers of fifteen digits were given to people until 1999; most codes with a date of issue in that place are younger.
_SHORT_BIRTHS = range(1930, 2000)
_BETWEEN = re.compile(r"(?<=[0-9])[-‐‑‒–—−_.·•~/\\,'’]+(?=[0-9X])")
_WIDELY_BETWEEN = re.compile(r"(?<=[0-9])[^0-9A-Z]{1,3}(?=[0-9X])")
_WINDOW = re.compile(r"(?=([0-9]{17}[0-9X]))")
_FIFTEEN = re.compile(r"(?<![0-9])(?:000)?([0-9]{15})(?![0-9X])")
_TOKEN = re.compile(r"[0-9A-Z]{8,}")
_ODD_RESIDENT = re.compile(r"(?=(?:[^0-9]*[0-9]){14})[0-9A-Z]{15,18}")
_ODD_OTHER = re.compile(r"(?=[A-Z]*[0-9])[0-9A-Z]{8,18}")
# A uscc is public, a mistyped one too.
_LIKE_USCC = re.compile(r"(?=(?:[^0-9]*[0-9]){8})[0-9A-Z]{18}")
# GB 32100: no I, O, S, V and Z; the last of the 18 characters checks the others.
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(3**place % 31 for place in range(17))
# Old code pages write rare characters of names in the private use area.
_LETTERS = re.compile(r"(?:[^\W\d_]|[\ue000-\uf8ff]|·)+")
# A code in Han letters alone says that it is a number.
_ORDINAL = re.compile(r"第[〇零一二三四五六七八九十百千两]+.?|[〇零一二三四五六七八九十百千两]+|.*号")
# Words of Latin letters that databases and people write for nothing; somebody may be called so all the same.
_SHORT_LATIN = 4
_MARK_CHARS = 8


def strays(
    distinct: pa.Array,
    codes: np.ndarray,
    column: Column,
    setting: GateSetting,
    odd: Collection[str],
    names: np.ndarray,
) -> np.ndarray | None:
    """Per distinct text of a column which `Stray` it holds, as m objects; None where none of them holds any.

    codes: n places in the distinct texts, one per row. odd: what stands in person_id of the same file and is no sound number
    of a resident (`odd_numbers`). names: the names of the file as name keys' first 8 bytes.
    """
    if column.kind not in _LOOKED_AT:
        return None
    odd = _of_one_row(odd, distinct, codes) if odd else ()
    found = _numbers(distinct, column, last_birth_year(setting.as_of), odd)
    if column.kind is Kind.CODE:
        for at, text in _wordlike(distinct):
            if (column.name not in DOCUMENTS and _is_han(text)) or _names_somebody(text, names, setting.person_key):
                found[at] = Stray.NAME if column.required or column.name == PAID_FOR else Stray.WORDS
    if not found:
        return None
    whole = np.full(len(distinct), Stray.NONE, dtype=object)
    whole[list(found)] = list(found.values())
    return whole


def last_birth_year(as_of: date) -> int:
    """The youngest anybody in a night's books can be. Whatever is kept of a file is kept per such year."""
    return as_of.year - _YOUNGEST


def odd_numbers(numbers: pa.Array, resident: np.ndarray) -> frozenset[str]:
    """Of what stands in person_id and is no sound number of a resident, what is long enough to be known again elsewhere.

    numbers: m normalised texts. resident: m booleans, whether a resident's number was meant.
    """
    texts = zip(numbers.to_pylist(), resident.tolist(), strict=True)
    odd = (text for text, own in texts if (_ODD_RESIDENT if own else _ODD_OTHER).fullmatch(text))
    return frozenset(text for text in odd if not is_uscc(text))


def _of_one_row(odd: Collection[str], distinct: pa.Array, codes: np.ndarray) -> Collection[str]:
    """Without what stands in several rows of a column: a code that has moved into person_id once is nobody's number, or
    every row of the unit would be held back for it."""
    several = np.flatnonzero(np.bincount(codes, minlength=len(distinct)) > 1)
    return frozenset(odd) - {strip_spaces(distinct[at].as_py()).upper() for at in several.tolist()}


def hidden_text(text: str, person_key: str, ranks: frozenset[str] = frozenset(), column: str = "") -> str:
    """Free text as it may travel: known words stay, ranks among them, the rest is hidden, and a keyed mark tells it from
    other such texts. column: what stands in it; in that of the uscc whatever has its shape stays."""
    if column == "uscc" and _LIKE_USCC.fullmatch(strip_spaces(text).upper()):
        return text
    plain = hushed_value(text, ranks)
    if plain == text:
        return text
    return f"{plain}〔{hmac.digest(_secret(person_key), text.encode(), 'sha256').hex()[:_MARK_CHARS]}〕"


@lru_cache(maxsize=4)
def _secret(person_key: str) -> bytes:
    return derived(person_key, "free text")


def holds_number(text: str, last_birth: int) -> bool:
    """Whether an identity number of 18 characters stands in a text, in whatever spelling, alone or beside something."""
    return any(
        _is_date(number[6:14], range(_FIRST_BIRTH, last_birth + 1)) and check_digit(number[:17]) == number[17]
        for plain in {_plain(text), _plain(text, _WIDELY_BETWEEN)}
        for number in _WINDOW.findall(plain)
    )


def holds_short_number(text: str) -> bool:
    """Whether fifteen digits, no more and no fewer, read as a number of the old form stand in a text."""
    return any(_is_date(f"19{number[6:12]}", _SHORT_BIRTHS) for number in _FIFTEEN.findall(_plain(text)))


def is_uscc(text: str) -> bool:
    """Whether a text is a sound 统一社会信用代码 (GB 32100)."""
    plain = strip_spaces(text).upper()
    if len(plain) != _LONG or not set(plain) <= set(_USCC):
        return False
    total = sum(_USCC.index(char) * weight for char, weight in zip(plain, _USCC_WEIGHTS, strict=False))
    return _USCC.index(plain[-1]) == -total % 31


def _numbers(distinct: pa.Array, column: Column, last_birth: int, odd: Collection[str]) -> dict[int, Stray]:
    looked_at = pc.greater_equal(pc.utf8_length(distinct), _SHORT)
    odd = odd if column.kind in (Kind.TEXT, Kind.CODE) else ()
    if odd:
        texts = pa.array(odd, distinct.type)
        looked_at = pc.or_(looked_at, pc.is_in(pc.utf8_upper(distinct), value_set=texts))
    found: dict[int, Stray] = {}
    short, fifteen = [], 0
    for at in np.flatnonzero(looked_at.to_numpy(zero_copy_only=False)).tolist():
        text = distinct[at].as_py()
        if column.name == "uscc" and is_uscc(text):
            continue
        if holds_number(text, last_birth) or (odd and not odd.isdisjoint(_TOKEN.findall(_plain(text)))):
            found[at] = Stray.NUMBER
        elif _FIFTEEN.search(_plain(text)):
            fifteen += 1
            if holds_short_number(text):
                short.append(at)
    # Where fifteen digits are the column's own shape, some read as a number by chance; where people stand there, all do.
    if 2 * len(short) > fifteen:
        found |= dict.fromkeys(short, Stray.NUMBER)
    return found


def _plain(text: str, between: re.Pattern[str] = _BETWEEN) -> str:
    return between.sub("", strip_spaces(text).upper())


def _is_date(digits: str, years: range) -> bool:
    if int(digits[:4]) not in years:
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True


def _wordlike(distinct: pa.Array) -> list[tuple[int, str]]:
    """The texts without digits: where, and without spaces."""
    without = pc.invert(pc.match_substring_regex(distinct, r"[0-9]"))
    places = np.flatnonzero(without.to_numpy(zero_copy_only=False)).tolist()
    texts = ((at, strip_spaces(distinct[at].as_py().translate(DOTS)).translate(DOTS)) for at in places)
    return [(at, text) for at, text in texts if not any(char.isdigit() for char in text)]


def _is_han(text: str) -> bool:
    """Whether no Latin letter and no number is in it, but two letters beside one another."""
    pieces = _LETTERS.findall(text)
    if any(char.isascii() and char.isalpha() for char in text) or _ORDINAL.fullmatch("".join(pieces)):
        return False
    return any(len(piece) > 1 for piece in pieces)


def _names_somebody(text: str, names: np.ndarray, key: str) -> bool:
    pieces = {piece for piece in [text, *_LETTERS.findall(text)] if not _is_short_latin(piece)}
    if not pieces or not len(names):
        return False
    raw, _ = keys(pa.array([normalise_name(piece) for piece in sorted(pieces)], pa.string()), key)
    return bool(np.isin(name_numbers(raw), names).any())


def _is_short_latin(text: str) -> bool:
    return text.isascii() and len(text) <= _SHORT_LATIN


def name_numbers(raw: np.ndarray) -> np.ndarray:
    """m × 16 bytes of keys as m numbers, for looking one up."""
    return np.ascontiguousarray(raw[:, :8]).view(np.uint64).ravel()
