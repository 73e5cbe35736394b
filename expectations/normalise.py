"""One delivered table as typed columns: what the snapshot keeps, and the masked frame Great Expectations judges. Pure.

Every distinct text of a column is worked on once. Nothing is judged here: an unreadable value becomes null in the
snapshot and a text beginning with `?` in the frame, and the suites say what that means.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa

from core.identity import strip_spaces
from expectations.births import AGES, name_birth_keys
from expectations.books import BOOKS, Book, Column, Kind, snapshot_schema
from expectations.crossing import GROUPED, hashes, mixed
from expectations.identities import RESIDENT, Identities, coded, harmless, hexadecimal, identities, keys, names
from expectations.readers import TextTable
from expectations.strays import NAMED_OPENLY, Stray, hidden_text, name_numbers, odd_numbers, strays
from expectations.values import Parsed, is_blank_mark, is_sheet_error, parse_code, parse_column
from expectations.verdicts import GateSetting

ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}
# A value that cannot be read, and one that is known but not shown to Great Expectations.
UNREADABLE = "?"
KNOWN = "known"
LOST, KEPT = "lost", "kept"
DAMAGE = "__damage"
ZEROS = "__zeros"
# Of the whole batch: the first column of a row in which somebody's number stands, or a name.
NUMBERS_ELSEWHERE, NAMES_ELSEWHERE = "numbers_elsewhere", "names_elsewhere"
NOWHERE = "nowhere"
# Columns that name a unit which another book registers.
UNIT_CODES = ("unit_code", "paying_unit_code", "on_behalf_of", "seconded_to", "from_unit", "part_of")
_UNMARKED = (Kind.TEXT, Kind.NAME, Kind.SECRET)
_DAMAGED_CODE = re.compile(r"[0-9]\.[0-9]+[Ee]\+[0-9]+")
# What parse_code leaves as it is.
_PLAIN_CODE = re.compile(r"(?:[0-9A-Za-z][0-9A-Za-z-]*)?", re.ASCII)
# Marks people write into empty cells are short; so is what spaces a reader may have left round them.
_LONGEST_MARK = 8
_FLOAT_CODE = re.compile(r"([0-9]+)\.0+")


def arrow_schema(types: dict[str, str]) -> pa.Schema:
    """A schema of books.py as an Arrow one."""
    return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in types.items()])


@dataclass
class Coded:
    """A column as positions into its distinct texts (a text twice, where it stands in number cells and in others)."""

    codes: np.ndarray
    distinct: pa.Array
    numeric: np.ndarray

    @classmethod
    def of(cls, texts: pd.Series, numeric: np.ndarray | None) -> Coded:
        coded = _arrow(texts).dictionary_encode()
        codes = coded.indices.to_numpy(zero_copy_only=False)
        if numeric is None or not numeric.any():
            return cls(codes, coded.dictionary, np.zeros(len(coded.dictionary), dtype=bool))
        codes, pairs = pd.factorize(codes.astype(np.int64) * 2 + numeric)
        return cls(codes, coded.dictionary.take(pa.array(pairs >> 1)), (pairs & 1).astype(bool))

    @classmethod
    def row_by_row(cls, texts: pd.Series, numeric: np.ndarray | None) -> Coded:
        """For a column whose texts hardly repeat: each row a text of its own."""
        array = _arrow(texts)
        count = len(array)
        return cls(np.arange(count), array, np.zeros(count, dtype=bool) if numeric is None else numeric)

    @cached_property
    def texts(self) -> list[str]:
        return self.distinct.to_pylist()

    def spread(self, values: list | pa.Array, kind: pa.DataType = ARROW_TYPES["string"]) -> pa.Array:
        """Values per distinct text → values per row; texts as positions in a dictionary without null or repetition."""
        if not pa.types.is_string(kind):
            return pa.array(values, kind).take(pa.array(self.codes))
        codes, distinct = self._labelled(values)
        places = pa.array(codes, mask=codes < 0) if codes.size and codes.min() < 0 else pa.array(codes)
        return pa.DictionaryArray.from_arrays(places, pa.array(distinct, pa.string()))

    def categories(self, labels: list[str | None]) -> pd.Categorical:
        """Labels per distinct text (None: blank) → a categorical per row."""
        codes, distinct = self._labelled(labels)
        return pd.Categorical.from_codes(codes, categories=pd.Index(distinct, dtype=object))

    def _labelled(self, labels: list | pa.Array) -> tuple[np.ndarray, np.ndarray]:
        codes, distinct = pd.factorize(np.array(labels, dtype=object))
        return codes.astype(np.int32)[self.codes], distinct


def _arrow(texts: pd.Series) -> pa.Array:
    array = pa.array(texts, pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


@dataclass
class Normal:
    """One file normalised.

    table    the snapshot's columns but for AGES, in file order, texts that repeat as dictionaries; unreadable and blank
             are null.
    secrets  SECRET columns as keyed hashes: compared, never kept in the snapshot.
    batch    what Great Expectations sees: one masked categorical per delivered column, with helper columns beside.
    digest   a number per row, equal wherever two rows are equal in every known column, in this file or another.
    group    a number per row, equal wherever two rows are equal in the columns of crossing.GROUPED; 0 in other books.
    coded    the delivered texts, for showing a quarantined value.
    repaired per unit code column: damaged code → the code of `units` it stands for, None where that cannot be told.
    people   the distinct identity numbers with their keys, as `Identities.distinct`; None in books without people.
    births   birth date and sex per row, of the roster; else None.
    named    the codes that stand where another book's units are named.
    strays   per column with a number, a name or words that do not belong there: the `Stray` of every distinct text. In
             the table what is one is null, and it is never shown.
    """

    book: str
    division_code: str
    file: str
    table: pa.Table
    batch: pd.DataFrame
    digest: np.ndarray
    group: np.ndarray
    secrets: dict[str, pa.Array] = field(default_factory=dict)
    coded: dict[str, Coded] = field(default_factory=dict, repr=False)
    repaired: dict[str, dict[str, str | None]] = field(default_factory=dict)
    people: tuple[np.ndarray, np.ndarray, pa.Array] | None = field(default=None, repr=False)
    births: tuple[pa.Array, pa.Array] | None = field(default=None, repr=False)
    named: set[str] = field(default_factory=set, repr=False)
    strays: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        return self.table.num_rows

    def shown(self, column: str, positions: np.ndarray) -> pa.Array:
        """The delivered values of some rows as they may be shown: masked, harmless; null when blank or a person's name."""
        kind = BOOKS[self.book].column(column).kind
        if kind is Kind.ID:
            return self.table["person_mask"].combine_chunks().take(pa.array(positions)).cast(pa.string())
        if kind in (Kind.NAME, Kind.SECRET):
            return pa.nulls(len(positions), pa.string())
        coded = self.coded[column]
        wanted, places = np.unique(coded.codes[positions], return_inverse=True)
        repaired = self.repaired.get(column, {})
        hidden = self.strays.get(column, np.full(len(coded.texts), Stray.NONE))
        texts = [coded.texts[code] if hidden[code] == Stray.NONE else "" for code in wanted]
        plain = [strip_spaces(text) if parse_code(text) in repaired else harmless(text) for text in texts]
        return pa.array([text or None for text in plain], pa.string()).take(pa.array(places))

    def is_stray(self, column: str, positions: np.ndarray) -> np.ndarray:
        """Whether what stands in a column of some rows holds them back: a number, or a name where a code must be."""
        kinds = self.strays.get(column, np.full(len(self.coded[column].texts), Stray.NONE))
        return np.isin(kinds[self.coded[column].codes[positions]], (Stray.NUMBER, Stray.NAME))

    def columns_at_fault(self, column: str, positions: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """The rows that a check of one column of the batch found, by the delivered columns that are meant."""
        if column not in (NUMBERS_ELSEWHERE, NAMES_ELSEWHERE):
            return [(column, positions)]
        where = self.batch[column].cat
        codes = where.codes.to_numpy()[positions]
        return [(name, positions[codes == code]) for code, name in enumerate(where.categories) if (codes == code).any()]

    def whole_codes(self, column: str, positions: np.ndarray) -> pa.Array:
        """A unit code column of some rows, a damaged code replaced by the registered one it stands for."""
        codes = self.table[column].combine_chunks().take(pa.array(positions)).cast(pa.string())
        repaired = self.repaired.get(column)
        if not repaired:
            return codes
        coded = codes.dictionary_encode()
        whole = [repaired.get(code, code) for code in coded.dictionary.to_pylist()]
        return pa.array(whole, pa.string()).take(coded.indices)


def normalise(book: Book, division_code: str, file: str, source: TextTable, setting: GateSetting) -> Normal:
    """A table of delivered texts as `Normal`. A known column that is absent is blank throughout.

    Where several worksheets were read, the snapshot's `file` is `name#sheet`, so that (file, row) names one row.
    """
    frame = source.frame
    work = _Work(book, frame, source.numeric, setting)
    # Arrow codes the columns to come while the ids are keyed in Python.
    with ThreadPoolExecutor(2) as pool:
        for column, texts in zip(book.columns, pool.map(work.coded_texts, book.columns), strict=True):
            work.add(column, texts)
    work.add_births()
    work.add_elsewhere()
    count = len(frame)
    place = {
        "delivered_by": _always(division_code, count),
        "file": _files(file, source.sheet, count),
        "row": pa.array(frame["row"].to_numpy(dtype=np.int64)),
    }
    columns = work.columns | place
    table = pa.table({name: columns[name] for name in snapshot_schema(book.name) if name not in AGES})
    batch = pd.DataFrame(work.batch, index=pd.RangeIndex(count))
    births = (work.born, work.sex) if book.name == "roster" else None
    kept = (work.secrets, work.coded, work.repaired, work.people, births, work.named, work.strays)
    return Normal(book.name, division_code, file, table, batch, work.digest, work.group, *kept)


def _always(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([text], pa.string()))


def _files(file: str, sheet: np.ndarray, count: int) -> pa.Array:
    if not any(sheet[:1]):
        return _always(file, count)
    codes, names = pd.factorize(sheet)
    return coded([file_label(file, name) for name in names], codes)


def file_label(file: str, sheet: str) -> str:
    """How a file, or one of the several worksheets read of it, is called beside a row number."""
    return f"{file}#{sheet}" if sheet else file


class _Work:
    """The columns of one table while they are being made."""

    def __init__(self, book: Book, frame: pd.DataFrame, numeric: dict[str, np.ndarray], setting: GateSetting) -> None:
        self.book, self.frame, self.numeric, self.setting = book, frame, numeric, setting
        self.columns: dict[str, pa.Array] = {}
        self.batch: dict[str, pd.Categorical] = {}
        self.secrets: dict[str, pa.Array] = {}
        self.coded: dict[str, Coded] = {}
        self.repaired: dict[str, dict[str, str | None]] = {}
        self.resident = np.ones(len(frame), dtype=bool)
        self.digest, self.group = (np.zeros(len(frame), dtype=np.uint64) for _ in range(2))
        self.people: tuple[np.ndarray, np.ndarray, pa.Array] | None = None
        self.named: set[str] = set()
        self.odd: frozenset[str] = frozenset()
        self.names = np.zeros(0, dtype=np.uint64)
        self.strays: dict[str, np.ndarray] = {}
        self.elsewhere = {kind: np.zeros(len(frame), dtype=np.int8) for kind in (Stray.NUMBER, Stray.NAME)}
        self.places = {name: place for place, name in enumerate([NOWHERE, *book.names])}

    def coded_texts(self, column: Column) -> Coded:
        """The delivered texts of a column; blank throughout where it was not delivered."""
        if column.name in self.frame:
            code = Coded.row_by_row if column.kind is Kind.ID else Coded.of
            return code(self.frame[column.name], self.numeric.get(column.name))
        return Coded(np.zeros(len(self.frame), dtype=np.int32), pa.array([""]), np.zeros(1, dtype=bool))

    def add(self, column: Column, coded: Coded) -> None:
        """Make everything that comes of one column."""
        self.coded[column.name] = coded
        if column.kind is Kind.ID:
            self._identity(column, coded)
        elif column.kind is Kind.NAME:
            key, mask, self.name = names(coded.texts, self.setting.person_key)
            self.names = name_numbers(self.name)
            self.name = self.name[coded.codes]
            self._mix(column, hashes(key.to_pylist())[coded.codes])
            self.columns |= {"name_key": coded.spread(key), "name_mask": coded.spread(mask)}
            known = zip(coded.texts, key.is_valid().to_pylist(), strict=True)
            self.batch[column.name] = coded.categories(
                [UNREADABLE if is_sheet_error(text) else KNOWN if valid else None for text, valid in known]
            )
        elif column.kind is Kind.SECRET:
            # Compared by key, like persons: what is kept of it for comparing must not tell it.
            texts = pa.array([strip_spaces(text) for text in coded.texts], pa.string())
            key = hexadecimal(*keys(texts, self.setting.person_key))
            self._mix(column, hashes(key.to_pylist())[coded.codes])
            self.secrets[column.name] = coded.spread(key)
        else:
            self._value(column, coded)

    def _identity(self, column: Column, coded: Coded) -> None:
        found: Identities = identities(
            coded.distinct, coded.codes, coded.numeric, self.resident, self.setting.person_key
        )
        self.columns |= {"person_key": found.key, "person_mask": found.mask, "id_problem": found.problem}
        self.born, self.sex, self.people = found.birth_date, found.sex, found.distinct
        self.odd = odd_numbers(*found.unsound)
        self._mix(column, found.digest)
        known = found.key.is_valid().to_numpy(zero_copy_only=False)
        self.batch[column.name] = pd.Categorical.from_codes(np.where(known, 0, -1), categories=[KNOWN])
        self.batch[column.name + DAMAGE] = found.damage

    def _mix(self, column: Column, hashed: np.ndarray) -> None:
        mixed(self.digest, hashed)
        if column.name in GROUPED.get(self.book.name, ()):
            mixed(self.group, hashed)

    def add_births(self) -> None:
        """What is kept of the birth dates, once the other columns are there."""
        if "name_key" in self.columns:
            self.columns["name_birth_key"] = name_birth_keys(self.name, self.born, self.setting.person_key)

    def add_elsewhere(self) -> None:
        """What the batch says of numbers and names where they do not belong, once every column has been looked at."""
        for name, kind in ((NUMBERS_ELSEWHERE, Stray.NUMBER), (NAMES_ELSEWHERE, Stray.NAME)):
            self.batch[name] = pd.Categorical.from_codes(self.elsewhere[kind], categories=list(self.places))

    def _without_strays(self, column: Column, coded: Coded, values: list) -> list:
        """The values of distinct texts as they may travel: no number, no name, of free text its known words."""
        setting = self.setting
        found = strays(coded.distinct, coded.codes, column, setting, self.odd, self.names)
        if found is not None:
            self.strays[column.name] = found
            values = [value if stray == Stray.NONE else None for value, stray in zip(values, found, strict=True)]
            for kind, places in self.elsewhere.items():
                fresh = (found == kind)[coded.codes] & (places == 0)
                places[fresh] = self.places[column.name]
        if column.kind is Kind.TEXT and column.name not in NAMED_OPENLY:
            values = [value and hidden_text(value, setting.person_key, setting.ranks, column.name) for value in values]
        return values

    def _value(self, column: Column, coded: Coded) -> None:
        texts = coded.texts
        if column.kind not in _UNMARKED:
            texts = ["" if len(text) <= _LONGEST_MARK and is_blank_mark(text) else text for text in texts]
        if column.kind is Kind.CODE and all(map(_PLAIN_CODE.fullmatch, texts)):
            texts = pd.Series([text or None for text in texts], dtype=object)
            parsed = Parsed(texts, pd.Series([None] * len(texts), dtype=object))
        else:
            parsed = parse_column(pd.Series(texts, dtype="str"), column, coded.numeric)
        missing = parsed.value.isna().tolist()
        values = [None if blank else value for value, blank in zip(parsed.value.tolist(), missing, strict=True)]
        values = self._without_strays(column, coded, values)
        if column.default is not None:
            blank = parsed.problem.isna().tolist()
            values = [
                column.default if value is None and free else value for value, free in zip(values, blank, strict=True)
            ]
        compared = values if parsed.exact is None else list(zip(values, parsed.exact.tolist(), strict=True))
        self._mix(column, hashes(compared)[coded.codes])
        kind = ARROW_TYPES[snapshot_schema(self.book.name)[column.name]]
        self.columns[column.name] = coded.spread(values, kind)
        if parsed.exact is not None:
            exact = [None if value is None else bool(flag) for value, flag in zip(values, parsed.exact, strict=True)]
            self.columns[f"{column.name}_exact"] = coded.spread(exact, pa.bool_())
        if column.name == "id_type":
            odd = np.array([value not in (None, RESIDENT) for value in values], dtype=bool)
            self.resident = ~odd[coded.codes]
        labels = _labels(column, coded.texts, values, parsed)
        # What does not belong there is told by a check of its own; it is neither blank nor unreadable.
        for at in np.flatnonzero(self.strays.get(column.name, Stray.NONE) != Stray.NONE).tolist():
            labels[at] = KNOWN if column.kind in (Kind.TEXT, Kind.CODE) else "0"
        self.batch[column.name] = coded.categories(labels)
        if column.name in UNIT_CODES and self.book.name != "units":
            self.named |= set(values) - {None}
            if self.setting.unit_codes:
                self._zeros(column, coded, values)

    def _zeros(self, column: Column, coded: Coded, values: list[str | None]) -> None:
        found = {value: undamaged_code(value, self.setting.unit_codes) for value in set(values) - {None}}
        self.repaired[column.name] = {value: whole or None for value, whole in found.items() if whole is not None}
        labels = [None if value is None else KEPT if found[value] is None else LOST for value in values]
        self.batch[column.name + ZEROS] = coded.categories(labels)


def _labels(column: Column, texts: list[str], values: list, parsed: Parsed) -> list[str | None]:
    """What Great Expectations sees of each distinct value: the value of closed kinds, `known` of open ones."""
    labels: list[str | None] = []
    open_kind = column.kind in (Kind.TEXT, Kind.CODE)
    for text, value, bad in zip(texts, values, parsed.problem.notna().tolist(), strict=True):
        if bad:
            labels.append(UNREADABLE + harmless(text))
        elif value is None:
            labels.append(None)
        else:
            labels.append(KNOWN if open_kind else str(value))
    return labels


@lru_cache(maxsize=4)
def _without_zeros(unit_codes: frozenset[str]) -> dict[str, str]:
    """Every known code without some of its leading zeros → that code (the shortest, where several would do)."""
    table: dict[str, str] = {}
    for code in sorted(unit_codes, key=lambda code: (len(code), code)):
        for start in range(1, len(code) - len(code.lstrip("0")) + 1):
            if rest := code[start:]:
                table.setdefault(rest, code)
    return table


def undamaged_code(code: str, unit_codes: frozenset[str]) -> str | None:
    """The registered code a damaged one stands for, '' where that cannot be told; None when it is not damaged.

    Damaged: unknown to `units`, and known with leading zeros (DOMAIN §3), or once the `.0` of a float is off; or in
    scientific notation.
    """
    if code in unit_codes:
        return None
    table = _without_zeros(unit_codes)
    if code in table:
        return table[code]
    if match := _FLOAT_CODE.fullmatch(code):
        whole = match[1]
        return whole if whole in unit_codes else table.get(whole)
    return "" if _DAMAGED_CODE.fullmatch(code) else None
