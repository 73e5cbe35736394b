"""Identity numbers and names of whole columns: keyed, masked, judged once per distinct value (DOMAIN §3). Pure.

`core.identity` says what is right for one value; the fast roads here give the same answers (a test holds them to it).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
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
from expectations.values import is_blank_mark

RESIDENT = "RESIDENT"
# What needs no normalising: 18 characters, ASCII, not the "000 and 15 digits" form.
_CLEAN = r"^[1-9][0-9]{16}[0-9X]$"
_SHAPED = r"^[0-9]{17}[0-9X]$"
_SCIENTIFIC = re.compile(r"[0-9]+(\.[0-9]*)?E\+[0-9]+|[0-9]+\.[0-9]*E[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[0-9]+\.[0-9]*", re.ASCII)
# Excel keeps 15 significant digits.
EXCEL_DIGITS = 15
# From so many digits on a cell that should not hold a number may hold somebody's: dates have eight.
LONG_DIGITS = 9


SHA256_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Damage(StrEnum):
    """How a spreadsheet has damaged an identity number; SOUND when it has not."""

    SOUND = "SOUND"
    SCIENTIFIC = "SCIENTIFIC"
    FLOAT = "FLOAT"
    LONG_NUMBER = "LONG_NUMBER"
    TRAILING_ZEROS = "TRAILING_ZEROS"


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
    normal = _normalised(distinct, kinds)
    damage = _damage(distinct, normal, kinds, numeric)
    problem, birth, sexes = _judged(normal, kinds)
    keys, mask = _keys(normal, person_key), _masks(normal)
    columns = [pa.array(keys, pa.string()), mask, problem, birth, sexes]
    # Where every row has an id of its own, in order, there is nothing to spread.
    if len(codes) != len(distinct) or (codes != np.arange(len(codes))).any():
        columns = [column.take(pa.array(codes)) for column in columns]
    return Identities(
        *columns,
        damage=pd.Categorical.from_codes(damage[codes], categories=list(Damage)),
        digest=_digests(keys)[codes],
    )


def _digests(keys: Sequence[str | None]) -> np.ndarray:
    """The first 64 bits of each key; 0 for none."""
    whole = bytes.fromhex("".join(key or "0" * KEY_CHARS for key in keys))
    return np.frombuffer(whole, dtype=">u8").reshape(-1, KEY_CHARS // 16)[:, 0].astype(np.uint64)


def _normalised(raw: pa.Array, resident: np.ndarray) -> pa.Array:
    """Each distinct id in its one spelling; '' for blank and for the marks people write into empty cells."""
    clean = _matches(raw, _CLEAN)
    if clean.all():
        return raw.cast(pa.string())
    normal = np.array(raw.to_pylist(), dtype=object)
    for at in np.flatnonzero(~clean):
        text = normal[at]
        kind = RESIDENT if resident[at] else ""
        normal[at] = "" if is_blank_mark(text) else normalise_id(text, kind)
    return pa.array(normal, pa.string())


def _matches(texts: pa.Array, pattern: str) -> np.ndarray:
    return pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False).astype(bool)


def _digits(normal: pa.Array, shaped: np.ndarray) -> np.ndarray:
    """The shaped ids as 18 rows of character codes minus '0', one column each; X is 40.

    No matrix product is taken of them: its threads would spin beside a loaded machine's other work.
    """
    text = normal.filter(pa.array(shaped)).cast(pa.binary()).cast(pa.binary(18))
    codes = np.frombuffer(text.buffers()[1], dtype=np.uint8, count=18 * len(text), offset=18 * text.offset)
    return np.ascontiguousarray(codes.reshape(-1, 18).T) - np.uint8(ord("0"))


def _weighted(digits: np.ndarray, weights: Sequence[int]) -> np.ndarray:
    """Σ weight × digit per column of `digits`, as int32."""
    total = np.zeros(digits.shape[1], dtype=np.int32)
    for row, weight in zip(digits, weights, strict=True):
        total += row.astype(np.int32) * np.int32(weight)
    return total


def _judged(normal: pa.Array, resident: np.ndarray) -> tuple[pa.Array, pa.Array, pa.Array]:
    """(id_problem, birth_date, sex) per distinct id: of 17 digits and a check character at once, the others singly."""
    shaped = _matches(normal, _SHAPED) & resident
    kinds: list[str | None] = [None, *(problem.value for problem in IdProblem)]
    problem = np.zeros(len(normal), dtype=np.int8)
    birth = np.full(len(normal), np.datetime64("NaT"), dtype="datetime64[D]")
    sexes = np.full(len(normal), 2, dtype=np.int8)
    for at in np.flatnonzero(~shaped):
        problem[at] = kinds.index(id_problem(normal[int(at)].as_py(), RESIDENT if resident[at] else ""))
    if shaped.any():
        digits = _digits(normal, shaped)
        days = _days(digits[6:14])
        expected = np.frombuffer(CHECK_DIGITS.encode(), np.uint8) - np.uint8(ord("0"))
        right = expected[_weighted(digits[:17], WEIGHTS) % 11] == digits[17]
        wrong = np.where(right, 0, kinds.index(IdProblem.CHECK_DIGIT))
        problem[shaped] = np.where(np.isnat(days), kinds.index(IdProblem.BIRTH_DATE), wrong)
        birth[shaped] = days
        sexes[shaped] = digits[16] % 2
    words = pa.array(kinds, pa.string()).take(pa.array(problem))
    return words, pa.array(birth, pa.date32()), pa.array(["F", "M", None], pa.string()).take(pa.array(sexes))


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


def _damage(raw: pa.Array, normal: pa.Array, resident: np.ndarray, numeric: np.ndarray) -> np.ndarray:
    """Per distinct id the position of its Damage in the enumeration. Source: DOMAIN §3, Identity."""
    order = {kind: position for position, kind in enumerate(Damage)}
    found = np.zeros(len(raw), dtype=np.int8)
    suspect = numeric | ~_matches(raw, _CLEAN) | pc.ends_with(normal, "000").to_numpy(zero_copy_only=False)
    for at in np.flatnonzero(suspect):
        found[at] = order[_damage_of(raw[int(at)].as_py(), normal[int(at)].as_py(), resident[at], numeric[at])]
    return found


def _damage_of(raw: str, normal: str, resident: bool, numeric: bool) -> Damage:
    text = strip_spaces(raw).lstrip("'’‘`").upper()
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


def _keys(normal: pa.Array, person_key: str) -> list[str | None]:
    key_of = keyer(person_key)
    return [key_of(text) if text else None for text in normal.to_pylist()]


def keyer(person_key: str) -> Callable[[str], str]:
    """`core.identity.keyed` with its key already worked in: what RFC 2104 does once per key is done once here."""
    key = person_key.encode()
    block = (hashlib.sha256(key).digest() if len(key) > SHA256_BLOCK else key).ljust(SHA256_BLOCK, b"\0")
    inner, outer = hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))

    def key_of(text: str) -> str:
        first, second = inner.copy(), outer.copy()
        first.update(text.encode())
        second.update(first.digest())
        return second.hexdigest()[:KEY_CHARS]

    return key_of


def _masks(normal: pa.Array) -> pa.Array:
    usual = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(normal, 0, 6), "*" * 8, pc.utf8_slice_codeunits(normal, -4), ""
    )
    length = pc.utf8_length(normal).to_numpy()
    if (length == 18).all():
        return usual
    masks = np.array(usual.to_pylist(), dtype=object)
    for at in np.flatnonzero(length != 18):
        masks[at] = mask_id(normal[int(at)].as_py()) or None
    return pa.array(masks, pa.string())


def names(distinct: Sequence[str], person_key: str) -> tuple[pa.Array, pa.Array]:
    """(name_key, name_mask) of different delivered names; null where blank. `NA`, `null`, `-` are names."""
    known: dict[str, str | None] = {"": None}
    key_of = keyer(person_key)
    keys = []
    for text in distinct:
        normal = normalise_name(text)
        if normal not in known:
            known[normal] = key_of(normal)
        keys.append(known[normal])
    masks = [mask_name(text) or None for text in distinct]
    return pa.array(keys, pa.string()), pa.array(masks, pa.string())


def harmless(text: str) -> str:
    """A cell as it may be shown beside a reason: cut short when it holds many digits, words cut to a first character.

    A column may have been shifted, so any cell may hold a name or an identity number.
    """
    plain = strip_spaces(text)
    if sum(character.isdigit() for character in plain) >= LONG_DIGITS:
        return plain[:4] + "*" * min(len(plain) - 4, 14)
    return re.sub(r"[^\W\d_](?:[^\W\d_]|·)+", lambda found: mask_name(found[0]), plain)[:40]
