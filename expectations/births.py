"""What may be known of a birth date after the gate: one keyed hash with the name, the age of those past it, and how many
people of a cell reach it in which month. Pure.

Between two runs of the gate birth dates are kept sealed, so that a file need not be read again because a day has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.keys import derived
from core.retirement import GROUPS, Retirement, age_text
from core.sealing import Sealer
from core.types import ACTIVE_STATUSES
from expectations.identities import coded, hexadecimal

# What depends on the day; everything else that the gate makes of a roster file does not.
AGES = ("age", "statutory_age")
_CONTEXT = "roster"
_BLOCK = 16
_MALE, _FEMALE, _WORKER = range(len(GROUPS))


def name_birth_keys(name: np.ndarray, born: pa.Array, person_key: str) -> pa.Array:
    """A keyed hash per row of name and birth date, null where either is unknown: AES-256-CMAC (RFC 4493) of the name key
    and the day number (8 bytes, big-endian). Keyed per pair: equal birth dates of different names must not be seen to
    be equal.

    name: n × 16 bytes, the name keys, zeros where blank. One pass of the cipher over whole columns costs a fiftieth of
    hashing row by row.
    """
    days = born.cast(pa.int32())
    known = days.is_valid().to_numpy(zero_copy_only=False) & name.any(axis=1)
    encrypt = Cipher(algorithms.AES(derived(person_key, "name and birth")), modes.ECB()).encryptor().update
    last = np.zeros((len(known), 2), dtype=">u8")
    last[:, 0] = days.fill_null(0).to_numpy().astype(np.int64)
    # A last block that is not full ends in one bit and zeros, under the second subkey.
    last[:, 1] = 1 << 63
    last ^= np.frombuffer(_doubled(_doubled(encrypt(bytes(_BLOCK)))), dtype=">u8")
    last ^= np.frombuffer(encrypt(name.tobytes()), dtype=">u8").reshape(-1, 2)
    made = np.frombuffer(encrypt(last.tobytes()), dtype=np.uint8).reshape(-1, _BLOCK)
    return hexadecimal(made, known)


def _doubled(block: bytes) -> bytes:
    """Twice an element of GF(2^128), as RFC 4493 makes subkeys."""
    number = int.from_bytes(block) << 1
    return ((number & (1 << 128) - 1) ^ (0x87 if number >> 128 else 0)).to_bytes(_BLOCK)


def births_sealer(person_key: str) -> Sealer:
    """What seals and opens the birth dates kept between two runs."""
    return Sealer(person_key, "births")


def sealed_births(born: pa.Array, sex: pa.Array, sealer: Sealer) -> bytes:
    """Two columns of n rows, sealed as a whole."""
    table = pa.table({"born": born, "sex": sex})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return sealer.seal(stream.getvalue().to_pybytes(), _CONTEXT)


def with_ages(rows: pa.Table, births: bytes, sealer: Sealer, as_of: date, retirement: Retirement) -> pa.Table:
    """Roster rows with AGES of a day. births: as `sealed_births` of these rows."""
    people = pa.ipc.open_stream(sealer.open(births, _CONTEXT)).read_all()
    known = [people["born"], people["sex"], rows["post_type"], rows["rank"]]
    ages = ages_past(*(column.combine_chunks() for column in known), as_of, retirement)
    for name, column in zip(AGES, ages, strict=True):
        rows = rows.append_column(name, column)
    return rows


def retiring(rows: pa.Table, births: bytes, sealer: Sealer, as_of: date, retirement: Retirement) -> np.ndarray:
    """Per roster row the month (since year 0) in which the person reaches the statutory age, this one or a later one; -1
    where that is unknown or past, or the person is not in post or leaves on a known day. births: as `sealed_births`."""
    people = pa.ipc.open_stream(sealer.open(births, _CONTEXT)).read_all()
    born, sex = (people[name].combine_chunks() for name in ("born", "sex"))
    month = np.full(len(rows), -1, dtype=np.int64)
    held = pc.is_in(rows["status"], pa.array([status.value for status in ACTIVE_STATUSES], pa.string()))
    entered = pc.fill_null(pc.less_equal(rows["entry_date"], pa.scalar(as_of, pa.date32())), True)
    staying = pc.and_(pc.and_(held, entered), pc.is_null(rows["exit_date"]))
    days = born.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    known = ~np.isnat(days) & sex.is_valid().to_numpy(zero_copy_only=False)
    at = np.flatnonzero(known & staying.to_numpy(zero_copy_only=False).astype(bool))
    months = days[at].astype("datetime64[M]").astype(np.int64) + 1970 * 12
    words = (rows[name].combine_chunks() for name in ("post_type", "rank"))
    due = months + retirement.ages_in_months(months, _groups(at, sex, *words, retirement))
    coming = due >= as_of.year * 12 + as_of.month - 1
    month[at[coming]] = due[coming]
    return month


def ages_past(
    born: pa.Array, sex: pa.Array, post_type: pa.Array, rank: pa.Array, as_of: date, retirement: Retirement
) -> tuple[pa.DictionaryArray, pa.DictionaryArray]:
    """(age, statutory_age) as texts of those who reached the statutory age before as_of; null for all others.

    The age is in full years: with the month it would give the birth date, and so the number, away.
    """
    days = born.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    known = ~np.isnat(days) & sex.is_valid().to_numpy(zero_copy_only=False)
    # Nobody reaches it before the earliest age of the table, so most rows need no more than this.
    youngest = np.datetime64(as_of, "M") - np.timedelta64(retirement.earliest, "M")
    at = np.flatnonzero(known & (days.astype("datetime64[M]") <= youngest))
    months = days[at].astype("datetime64[M]").astype(np.int64) + 1970 * 12
    day = (days[at] - days[at].astype("datetime64[M]")).astype(np.int64) + 1
    group = _groups(at, sex, post_type, rank, retirement)
    due = retirement.ages_in_months(months, group)
    today = as_of.year * 12 + as_of.month - 1
    # Who was born on the 31st reaches an age on the last day of a shorter month.
    reached = np.minimum(day, (pd.Timestamp(as_of) + pd.offsets.MonthEnd(0)).day)
    past = (months + due < today) | ((months + due == today) & (reached < as_of.day))
    years = (today - months - (day > as_of.day)) // 12
    age, statutory = (np.full(len(days), -1, dtype=np.int64) for _ in range(2))
    age[at[past]], statutory[at[past]] = years[past], due[past]
    return _texts(age, lambda years: age_text(12 * years)), _texts(statutory, age_text)


def _texts(numbers: np.ndarray, spell: Callable[[int], str]) -> pa.DictionaryArray:
    """Numbers as texts, each spelled once; null for -1."""
    codes, distinct = pd.factorize(np.where(numbers < 0, -1, numbers))
    return coded([None if number < 0 else spell(number) for number in distinct.tolist()], codes)


def _groups(at: np.ndarray, sex: pa.Array, post_type: pa.Array, rank: pa.Array, retirement: Retirement) -> np.ndarray:
    """Positions in GROUPS of some rows."""
    here = pa.array(at)

    def among(column: pa.Array, words: frozenset[str]) -> np.ndarray:
        found = pc.is_in(column.take(here), pa.array(sorted(words), pa.string()))
        return found.to_numpy(zero_copy_only=False).astype(bool)

    male = among(sex, frozenset("M")) | among(rank, retirement.as_male_ranks)
    worker = among(post_type, retirement.worker_post_types)
    return np.where(male, _MALE, np.where(worker, _WORKER, _FEMALE))
