"""Facts about rows that only the other rows of the night can tell, as numbers for the night-wide batch. Pure.

Nothing is judged here: `content` says which rows are equal, `holder`, `document`, `unit` and `place` what they speak of.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.types import ACTIVE_STATUSES
from expectations.books import PLACE_COLUMNS

# Open ends of a validity.
FIRST_DAY, LAST_DAY = -(2**31), 2**31
# Numbers of groups must fit into 64 bits.
MOST_GROUPS = 2**62
_NUMBERS_OF_ROWS = ("holder", "document", "unit", "content")
# One number of a document counts once per cell and copy.
_DOCUMENT = ("unit_code", "post_type", "fund_form", "copy", "doc_no")
# Rows that are equal in these may contradict each other.
GROUPED = {
    "roster": ("person_id", "unit_code", "post_type", "fund_form"),
    "establishment": _DOCUMENT,
    "units": ("unit_code",),
}
# A person's mask says nothing that the key does not.
_NOT_COMPARED = (*PLACE_COLUMNS, "person_mask", "name_mask")


def hashes(values: Sequence[object]) -> np.ndarray:
    """A number per value (None: blank), the same for equal values of any file."""
    texts = np.array(["" if value is None else f"={value}" for value in values], dtype=object)
    return pd.util.hash_array(texts, categorize=False)


def mixed(digest: np.ndarray, column: np.ndarray) -> None:
    """Mix the n hashes of one more column into n digests of rows, in place; the order of the columns matters."""
    with np.errstate(over="ignore"):
        digest *= np.uint64(0x9E3779B97F4A7C15)
        digest += column
    digest ^= digest >> np.uint64(29)


def content_ids(table: pa.Table, digest: np.ndarray) -> np.ndarray:
    """n numbers, equal exactly where two rows are equal in every known column after normalisation.

    table: snapshot columns, and SECRET columns, of all files of the night. digest: n numbers, equal wherever the rows
    are (and, but for an accident, only there). Persons are compared by key, not by mask.
    """
    ids, _ = pd.factorize(digest)
    return _verified(table.select([name for name in table.column_names if name not in _NOT_COMPARED]), ids)


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return pc.dictionary_encode(column.combine_chunks())


def _codes(coded: pa.DictionaryArray) -> np.ndarray:
    return coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)


def _verified(table: pa.Table, ids: np.ndarray) -> np.ndarray:
    """Equal hashes held against the rows themselves: a row must never vanish because two hashes met."""
    later = pd.Series(ids).duplicated().to_numpy()
    if not later.any():
        return ids
    # The numbers were given in the order of first appearance.
    first, others = np.flatnonzero(~later), np.flatnonzero(later)
    here, there = table.take(pa.array(others)), table.take(pa.array(first[ids[others]]))
    same = np.ones(len(others), dtype=bool)
    for left, right in zip(here.columns, there.columns, strict=True):
        equal = pc.or_kleene(pc.equal(left, right), pc.and_(pc.is_null(left), pc.is_null(right)))
        same &= equal.fill_null(False).to_numpy()
    fresh = int(ids.max()) + 1
    seen: dict[tuple, int] = {}
    for at in others[~same]:
        row = tuple(column[int(at)].as_py() for column in table.columns)
        ids[at] = seen.setdefault(row, fresh + len(seen))
    return ids


def group_ids(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """n numbers, equal exactly where the columns are equal; -1 where one of them is null."""
    ids = np.zeros(table.num_rows, dtype=np.int64)
    known = np.ones(table.num_rows, dtype=bool)
    size = 1
    for name in columns:
        coded = _coded(table[name])
        codes = _codes(coded)
        known &= codes >= 0
        width = len(coded.dictionary) + 1
        if size * width > MOST_GROUPS:
            ids, distinct = pd.factorize(ids)
            size = len(distinct)
        ids = ids * width + codes + 1
        size *= width
    return np.where(known, ids, -1)


def suspects(digest: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Positions of the rows that may equal or contradict another of the n: their digest or group comes twice."""
    found = pd.Series(digest).duplicated(keep=False).to_numpy()
    # Where rows cannot contradict each other there are no groups.
    if group.any():
        found = found | pd.Series(group).duplicated(keep=False).to_numpy()
    return np.flatnonzero(found)


def night_frame(suspect: pd.DataFrame, positions: np.ndarray, count: int) -> pd.DataFrame:
    """The facts of some rows of a night as facts of all `count`: the others stand alone, with numbers of their own."""
    columns = {}
    for name in suspect.columns:
        own = name in _NUMBERS_OF_ROWS
        whole = np.arange(count) + MOST_GROUPS if own else np.zeros(count, dtype=np.int64)
        whole[positions] = suspect[name].to_numpy()
        columns[name] = whole
    return pd.DataFrame(columns)


def rows_frame(book: str, table: pa.Table, content: np.ndarray, as_of: date) -> pd.DataFrame:
    """Facts about rows for the night-wide suite of a book: n rows of numbers, no value of any person."""
    if book == "roster":
        return pd.DataFrame({"holder": _holders(table, as_of), "content": content})
    if book == "establishment":
        return pd.DataFrame({"document": group_ids(table, _DOCUMENT), "quota": table["quota"].to_numpy()})
    if book == "units":
        place = group_ids(table, ["delivered_by", "division_code"])
        # Equal rows of two folders are duplicates of the first, so they stand where it stands.
        first = pd.Series(place).groupby(content).transform("first")
        return pd.DataFrame(
            {
                "unit": group_ids(table, ["unit_code"]),
                "place": first.to_numpy(),
                "start": _days(table["valid_from"], FIRST_DAY),
                "end": _days(table["valid_to"], LAST_DAY),
                "content": content,
            }
        )
    return pd.DataFrame({"content": content})


def same_rows(book: str, table: pa.Table, content: np.ndarray) -> np.ndarray:
    """n numbers, equal where one row is a duplicate of another: equal throughout, or one document's one quota."""
    return group_ids(table, [*_DOCUMENT, "quota"]) if book == "establishment" else content


def _holders(table: pa.Table, as_of: date) -> np.ndarray:
    """Person and cell of each current roster row (active status, not out by as_of); -1 for others and for blank ids."""
    active = pc.is_in(table["status"], value_set=pa.array([status.value for status in ACTIVE_STATUSES], pa.string()))
    staying = pc.fill_null(pc.greater(table["exit_date"], pa.scalar(as_of, pa.date32())), True)
    current = pc.and_(active, staying).to_numpy()
    return np.where(current, group_ids(table, ["person_key", "unit_code", "post_type", "fund_form"]), -1)


def _days(column: pa.ChunkedArray, blank: int) -> np.ndarray:
    return pc.fill_null(column.cast(pa.int32()).cast(pa.int64()), blank).to_numpy()
