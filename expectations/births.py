"""What may be known of a birth date after the gate: one keyed hash with the name, and the age of those past it. Pure."""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.identity import KEY_CHARS
from core.retirement import GROUPS, Retirement, age_text

_MALE, _FEMALE, _WORKER = range(len(GROUPS))


def name_birth_keys(name_key: pa.Array, born: pa.Array, person_key: str) -> pa.Array:
    """A keyed hash per row of name and birth date, null where either is unknown. Keyed per pair: equal birth dates of
    different names must not be seen to be equal."""
    secret = hashlib.sha256(f"name and birth\n{person_key}".encode()).digest()
    known = pc.and_(pc.is_valid(name_key), pc.is_valid(born))
    days = pc.if_else(known, born.cast(pa.int32()).cast(pa.string()), pa.scalar(None, pa.string()))
    pairs = pc.binary_join_element_wise(name_key, days, " ")
    size = KEY_CHARS // 2
    keys = [
        None if pair is None else hashlib.blake2b(pair.encode(), key=secret, digest_size=size).hexdigest()
        for pair in pairs.to_pylist()
    ]
    return pa.array(keys, pa.string())


def ages_past(
    born: pa.Array, sex: pa.Array, post_type: pa.Array, rank: pa.Array, as_of: date, retirement: Retirement
) -> tuple[pa.Array, pa.Array]:
    """(age, statutory_age) as texts of those who reached the statutory age before as_of; null for all others.

    The age is in full years: with the month it would give the birth date, and so the number, away.
    """
    days = born.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    known = ~np.isnat(days) & sex.is_valid().to_numpy(zero_copy_only=False)
    age = np.full(len(days), None, dtype=object)
    statutory = np.full(len(days), None, dtype=object)
    at = np.flatnonzero(known)
    months = days[at].astype("datetime64[M]").astype(np.int64) + 1970 * 12
    day = (days[at] - days[at].astype("datetime64[M]")).astype(np.int64) + 1
    group = _groups(at, sex, post_type, rank, retirement)
    due = retirement.ages_in_months(months, group)
    today = as_of.year * 12 + as_of.month - 1
    # Who was born on the 31st reaches an age on the last day of a shorter month.
    reached = np.minimum(day, (pd.Timestamp(as_of) + pd.offsets.MonthEnd(0)).day)
    past = (months + due < today) | ((months + due == today) & (reached < as_of.day))
    years = (today - months - (day > as_of.day)) // 12
    statutory[at[past]] = [age_text(int(number)) for number in due[past]]
    age[at[past]] = [f"{int(number)}岁" for number in years[past]]
    return pa.array(age, pa.string()), pa.array(statutory, pa.string())


def _groups(at: np.ndarray, sex: pa.Array, post_type: pa.Array, rank: pa.Array, retirement: Retirement) -> np.ndarray:
    """Positions in GROUPS of some rows."""
    here = pa.array(at)

    def among(column: pa.Array, words: frozenset[str]) -> np.ndarray:
        found = pc.is_in(column.take(here), pa.array(sorted(words), pa.string()))
        return found.to_numpy(zero_copy_only=False).astype(bool)

    male = among(sex, frozenset("M")) | among(rank, retirement.as_male_ranks)
    worker = among(post_type, retirement.worker_post_types)
    return np.where(male, _MALE, np.where(worker, _WORKER, _FEMALE))
