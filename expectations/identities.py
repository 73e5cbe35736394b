"""Identity numbers and names of whole columns: keyed, masked, judged once per distinct value (DOMAIN §3). Pure.

`core.identity` says what is right for one value; the fast roads here give the same answers (a test holds them to it).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.identity import (
    CHECK_DIGITS,
    KEY_CHARS,
    WEIGHTS,
    IdProblem,
    check_digit,
    id_problem,
    mask_id,
    mask_name,
    normalise_id,
    normalise_name,
    strip_spaces,
)
from expectations.values import is_blank_mark, is_sheet_error

RESIDENT = "RESIDENT"
_LENGTH = 18
_SCIENTIFIC = re.compile(r"[0-9]+(\.[0-9]*)?E\+[0-9]+|[0-9]+\.[0-9]*E[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[0-9]+\.[0-9]*", re.ASCII)
# Excel keeps 15 significant digits.
EXCEL_DIGITS = 15
# From so many digits on a cell that should not hold a number may hold somebody's: dates have eight.
LONG_DIGITS = 9


SHA256_BLOCK = 64
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint8).reshape(256, 2)
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Damage(StrEnum):
    """How a spreadsheet has damaged an identity number; SOUND when it has not."""

    SOUND = "SOUND"
    SCIENTIFIC = "SCIENTIFIC"
    FLOAT = "FLOAT"
    LONG_NUMBER = "LONG_NUMBER"
    TRAILING_ZEROS = "TRAILING_ZEROS"
    SHEET_ERROR = "SHEET_ERROR"


@dataclass(frozen=True)
class Identities:
    """A column of identity numbers after the gate, all arrays of its length; key and mask are null where it is blank."""

    key: pa.Array
    mask: pa.Array
    problem: pa.Array
    birth_date: pa.Array
    sex: pa.Array
    damage: pd.Categorical
    # A number per row, equal wherever the keys are.
    digest: np.ndarray
    # Each distinct number once, for sealing alone: 16 bytes of its key, whether it is known, its one spelling.
    distinct: tuple[np.ndarray, np.ndarray, pa.Array]
    # Those of them that are no sound number of a resident, each with whether it should be one; for comparing alone.
    unsound: tuple[pa.Array, np.ndarray]


def identities(
    distinct: pa.Array, codes: np.ndarray, numeric: np.ndarray, resident: np.ndarray, person_key: str
) -> Identities:
    """A delivered column of identity numbers, as `Identities`.

    distinct: m different texts (or a text twice, from a text and a number cell). numeric: m booleans, whether the source
    cell was a number. codes: n positions in them. resident: n booleans, whether the row's id_type is RESIDENT. Each
    text is worked on once per kind.
    """
    kinds = np.ones(len(distinct), dtype=bool)
    if not resident.all():
        codes, pairs = pd.factorize(codes.astype(np.int64) * 2 + resident)
        distinct, numeric, kinds = distinct.take(pa.array(pairs >> 1)), numeric[pairs >> 1], (pairs & 1).astype(bool)
    clean = _shaped(distinct)
    # 000 and 15 digits is another form of the old number.
    clean[clean] = _cells(distinct, clean)[0] != ord("0")
    normal = _normalised(distinct, kinds, clean)
    shaped = _shaped(normal)
    cells = _cells(normal, shaped)
    problem, birth, sexes = _judged(normal, kinds, shaped, cells)
    # What has the shape of a resident's number is found elsewhere by its check digit, of whatever kind it is.
    wrong = problem.is_valid().to_numpy(zero_copy_only=False).astype(bool) | ~(kinds | shaped)
    raw, known = keys(normal, person_key)
    columns = [hexadecimal(raw, known), _masks(normal, shaped, cells), problem, birth, sexes]
    damage = _damage(distinct, normal, kinds, numeric, clean)
    digest = raw[:, :8].copy().view(">u8").ravel().astype(np.uint64)
    # Where every row has an id of its own, in order, there is nothing to spread.
    if len(codes) != len(distinct) or (codes != np.arange(len(codes))).any():
        columns = [column.take(pa.array(codes)) for column in columns]
        damage, digest = damage[codes], digest[codes]
    damage = pd.Categorical.from_codes(damage, categories=list(Damage))
    unsound = (normal.filter(pa.array(wrong)), kinds[wrong])
    return Identities(*columns, damage=damage, digest=digest, distinct=(raw, known, normal), unsound=unsound)


def _shaped(texts: pa.Array) -> np.ndarray:
    """True where a text is 17 digits and a digit or X."""
    found = pc.equal(pc.binary_length(texts), _LENGTH).to_numpy(zero_copy_only=False).astype(bool)
    if found.any():
        cells = _cells(texts, found)
        # What is below '0' wraps round to far above '9'.
        digits = cells - np.uint8(ord("0")) < 10
        digits[17] |= cells[17] == ord("X")
        found[found] = np.logical_and.reduce(digits, axis=0)
    return found


def _cells(texts: pa.Array, chosen: np.ndarray) -> np.ndarray:
    """The chosen texts, each of 18 bytes, as 18 rows of character codes, one column each."""
    text = texts if chosen.all() else texts.filter(pa.array(chosen))
    text = text.cast(pa.binary()).cast(pa.binary(_LENGTH))
    codes = np.frombuffer(text.buffers()[1], dtype=np.uint8, count=_LENGTH * len(text), offset=_LENGTH * text.offset)
    return np.ascontiguousarray(codes.reshape(-1, _LENGTH).T)


def _normalised(raw: pa.Array, resident: np.ndarray, clean: np.ndarray) -> pa.Array:
    """Each distinct id in its one spelling; '' for blank and for the marks people write into empty cells."""
    if clean.all():
        return raw.cast(pa.string())
    odd = []
    for at in np.flatnonzero(~clean).tolist():
        text = raw[at].as_py()
        odd.append("" if is_blank_mark(text) else normalise_id(text, RESIDENT if resident[at] else ""))
    return pc.replace_with_mask(raw.cast(pa.string()), pa.array(~clean), pa.array(odd, pa.string()))


def _weighted(digits: np.ndarray, weights: Sequence[int]) -> np.ndarray:
    """Σ weight × digit per column of `digits`, as int32."""
    total = np.zeros(digits.shape[1], dtype=np.int32)
    for row, weight in zip(digits, weights, strict=True):
        total += row.astype(np.int32) * np.int32(weight)
    return total


def _judged(
    normal: pa.Array, resident: np.ndarray, shaped: np.ndarray, cells: np.ndarray
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """(id_problem, birth_date, sex) per distinct id: of 17 digits and a check character at once, the others singly."""
    kinds: list[str | None] = [None, *(problem.value for problem in IdProblem)]
    problem = np.zeros(len(normal), dtype=np.int8)
    birth = np.full(len(normal), np.datetime64("NaT"), dtype="datetime64[D]")
    sexes = np.full(len(normal), 2, dtype=np.int8)
    blank = pc.equal(normal, "").to_numpy(zero_copy_only=False).astype(bool)
    problem[blank] = kinds.index(IdProblem.BLANK)
    # Of another kind of number nothing but its absence is wrong.
    for at in np.flatnonzero(resident & ~shaped & ~blank).tolist():
        problem[at] = kinds.index(id_problem(normal[at].as_py(), RESIDENT))
    chosen = shaped & resident
    if chosen.any():
        # X stands at 40 from '0'.
        digits = (cells if resident.all() else cells[:, resident[shaped]]) - np.uint8(ord("0"))
        days = _days(digits[6:14])
        expected = np.frombuffer(CHECK_DIGITS.encode(), np.uint8) - np.uint8(ord("0"))
        right = expected[_weighted(digits[:17], WEIGHTS) % 11] == digits[17]
        wrong = np.where(right, 0, kinds.index(IdProblem.CHECK_DIGIT))
        problem[chosen] = np.where(np.isnat(days), kinds.index(IdProblem.BIRTH_DATE), wrong)
        birth[chosen] = days
        sexes[chosen] = digits[16] % 2
    return coded(kinds, problem), pa.array(birth, pa.date32()), coded(["F", "M", None], sexes)


def coded(words: Sequence[str | None], codes: np.ndarray) -> pa.DictionaryArray:
    """Positions in a few different words as text; None among them is null."""
    nulls = np.array([word is None for word in words], dtype=bool)
    places = (np.cumsum(~nulls) - 1).astype(np.int32)[codes]
    mask = nulls[codes] if nulls.any() else None
    return pa.DictionaryArray.from_arrays(
        pa.array(places, mask=mask), pa.array([word for word in words if word is not None], pa.string())
    )


def _days(digits: np.ndarray) -> np.ndarray:
    """YYYYMMDD as eight rows of digits → days, NaT where there is no such day; each date is worked out once."""
    codes, distinct = pd.factorize(_weighted(digits, [10**place for place in range(7, -1, -1)]))
    texts = [f"{number // 10_000:04d}-{number // 100 % 100:02d}-{number % 100:02d}" for number in distinct.tolist()]
    return np.array([_day(text) for text in texts], dtype="datetime64[D]")[codes]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _damage(
    raw: pa.Array, normal: pa.Array, resident: np.ndarray, numeric: np.ndarray, clean: np.ndarray
) -> np.ndarray:
    """Per distinct id the position of its Damage in the enumeration. Source: DOMAIN §3, Identity."""
    order = {kind: position for position, kind in enumerate(Damage)}
    found = np.zeros(len(raw), dtype=np.int8)
    suspect = numeric | ~clean | pc.ends_with(normal, "000").to_numpy(zero_copy_only=False)
    for at in np.flatnonzero(suspect).tolist():
        found[at] = order[_damage_of(raw[at].as_py(), normal[at].as_py(), resident[at], numeric[at])]
    return found


def _damage_of(raw: str, normal: str, resident: bool, numeric: bool) -> Damage:
    text = strip_spaces(raw).lstrip("'’‘`").upper()
    if is_sheet_error(text):
        return Damage.SHEET_ERROR
    if _SCIENTIFIC.fullmatch(text):
        return Damage.SCIENTIFIC
    if _FLOAT.fullmatch(text):
        return Damage.FLOAT
    if numeric and sum(character.isdigit() for character in text) > EXCEL_DIGITS:
        return Damage.LONG_NUMBER
    zeros = resident and len(normal) == 18 and normal.isascii() and normal.isdigit() and normal.endswith("000")
    if zeros and check_digit(normal[:17]) != normal[17]:
        return Damage.TRAILING_ZEROS
    return Damage.SOUND


def keys(texts: pa.Array, person_key: str) -> tuple[np.ndarray, np.ndarray]:
    """(m × 16 bytes, which are known): `core.identity.keyed` of m texts in bytes; zeros for ''.

    What RFC 2104 does once per key is done once here.
    """
    key = person_key.encode()
    block = (hashlib.sha256(key).digest() if len(key) > SHA256_BLOCK else key).ljust(SHA256_BLOCK, b"\0")
    inner, outer = hashlib.sha256(block.translate(_INNER)).copy, hashlib.sha256(block.translate(_OUTER)).copy
    found = []
    for text in texts.cast(pa.binary()).to_pylist():
        first, second = inner(), outer()
        first.update(text)
        second.update(first.digest())
        found.append(second.digest())
    known = pc.not_equal(texts, "").to_numpy(zero_copy_only=False).astype(bool)
    whole = np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, 32)[:, : KEY_CHARS // 2]
    return np.where(known[:, None], whole, 0), known


def hexadecimal(raw: np.ndarray, known: np.ndarray) -> pa.Array:
    """m × 16 bytes as m texts of 32 characters; null where not known."""
    return _fixed_texts(_HEX[raw if known.all() else raw[known]].reshape(-1, KEY_CHARS), known)


def _fixed_texts(cells: np.ndarray, known: np.ndarray) -> pa.Array:
    """Rows of character codes, all of one length, as texts where `known`; null elsewhere."""
    ends = np.concatenate([[0], np.cumsum(known)]).astype(np.int32) * np.int32(cells.shape[1])
    valid = None if known.all() else pa.array(known).buffers()[1]
    return pa.Array.from_buffers(pa.string(), len(known), [valid, pa.py_buffer(ends), pa.py_buffer(cells)])


def _masks(normal: pa.Array, shaped: np.ndarray, cells: np.ndarray) -> pa.Array:
    """`core.identity.mask_id` of distinct ids, null where blank: of 18 characters at once, the others singly."""
    usual = np.ascontiguousarray(cells.T)
    usual[:, 6:14] = ord("*")
    masks = _fixed_texts(usual, shaped)
    if shaped.all():
        return masks
    odd = [mask_id(normal[at].as_py()) or None for at in np.flatnonzero(~shaped).tolist()]
    return pc.replace_with_mask(masks, pa.array(~shaped), pa.array(odd, pa.string()))


def names(distinct: Sequence[str], person_key: str) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """(name_key, name_mask, name_key in bytes) of different delivered names; null (zeros) where blank.

    `NA`, `null`, `-` are names.
    """
    raw, known = keys(pa.array([normalise_name(text) for text in distinct], pa.string()), person_key)
    masks = [mask_name(text) or None for text in distinct]
    return hexadecimal(raw, known), pa.array(masks, pa.string()), raw


def harmless(text: str) -> str:
    """A cell as it may be shown beside a reason: cut short when it holds many digits, words cut to a first character.

    A column may have been shifted, so any cell may hold a name or an identity number.
    """
    plain = re.sub(r"[^\W\d_](?:[^\W\d_]|·)+", lambda found: mask_name(found[0]), strip_spaces(text))
    if sum(character.isdigit() for character in plain) >= LONG_DIGITS:
        return plain[:4] + "*" * min(len(plain) - 4, 14)
    return plain[:40]
