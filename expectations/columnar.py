"""Parquet → grids: every value as text, numbers marked (DOMAIN §3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from expectations.encodings import disguise
from expectations.grids import Grid, plain_number, regrouped, rejected, trimmed
from expectations.shown_words import heading_or_letter

# Declared sizes beyond these are refused; the format's decompressors keep to what is declared.
MAX_BYTES = 4 << 30
MAX_CELLS = 400_000_000
_BATCH_ROWS = 131_072
TIMEZONE = "Asia/Shanghai"


def read_parquet(path: Path, file: str, rows: int) -> Iterator[Grid]:
    """The one table of a Parquet file, `rows` at a time; its column names are row 0, the first record is row 1.

    Text stays as it is; whole numbers, fractions and decimals become plain text and are marked in `numeric`; dates and
    timestamps become ISO text (with a time zone: Asia/Shanghai). Raises InputRejected for damaged files and for nested
    or binary columns.
    """
    with path.open("rb") as handle:
        head = handle.read(4096)
    if not head:
        raise rejected(file, "文件是空的；请重新导出")
    if not head.startswith(b"PAR1"):
        raise rejected(file, disguise(head) or "不是 Parquet 文件，像是改了扩展名；文本请用 .csv 再报")
    try:
        with pq.ParquetFile(path) as parquet:
            yield from _grids(parquet, file, rows)
    except (pa.ArrowException, OSError, ValueError):
        raise rejected(file, "Parquet 文件已损坏或不完整；请重新导出") from None


def _grids(parquet: pq.ParquetFile, file: str, rows: int) -> Iterator[Grid]:
    meta, schema = parquet.metadata, parquet.schema_arrow
    size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
    if size > MAX_BYTES or meta.num_rows * meta.num_columns > MAX_CELLS:
        raise rejected(file, "文件过大；请拆分后再报")
    if not schema.names:
        raise rejected(file, "文件里没有列；请重新导出")
    heading = Grid("", [pa.chunked_array([[name]], pa.large_string()) for name in schema.names], first_row=0)
    heading.columns = [trimmed(column) for column in heading.columns]
    parts = regrouped((_checked(batch, schema) for batch in parquet.iter_batches(min(rows, _BATCH_ROWS))), rows)
    first = next(parts, schema.empty_table())
    yield heading.above(_grid(first, file))
    for part in parts:
        yield _grid(part, file)


def _checked(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    batch.validate(full=True)
    return pa.Table.from_batches([batch]).cast(schema)


def _grid(table: pa.Table, file: str) -> Grid:
    grid = Grid("", [], first_row=0)
    for place, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        texts, numeric = _as_text(column, heading_or_letter(name, place), file)
        grid.columns.append(trimmed(texts))
        if numeric is not None:
            grid.numeric[place] = numeric
    return grid


def _as_text(column: pa.ChunkedArray, name: str, file: str) -> tuple[pa.ChunkedArray, np.ndarray | None]:
    """A typed column as large_string ('' for null), and where it held numbers (None: it is no number column).

    name: what a sentence calls it.
    """
    kind = column.type
    if pt.is_dictionary(kind):
        return _as_text(column.cast(kind.value_type), name, file)
    filled = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    numeric: np.ndarray | None = None
    if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind):
        texts = column.cast(pa.large_string())
    elif pt.is_integer(kind):
        texts, numeric = column.cast(pa.large_string()), filled
    elif pt.is_floating(kind) or pt.is_decimal(kind):
        texts, numeric = _numbers(column), filled
    elif pt.is_boolean(kind):
        texts = pc.if_else(column, "TRUE", "FALSE").cast(pa.large_string())
    elif pt.is_date(kind):
        texts = pc.strftime(column, format="%Y-%m-%d").cast(pa.large_string())
    elif pt.is_timestamp(kind):
        local = (
            column.cast(pa.timestamp("s", "UTC"), safe=False) if kind.tz else column.cast(pa.timestamp("s"), safe=False)
        )
        if kind.tz:
            local = pc.local_timestamp(local.cast(pa.timestamp("s", TIMEZONE)))
        texts = pc.strftime(local, format="%Y-%m-%d %H:%M:%S").cast(pa.large_string())
        texts = pc.replace_substring_regex(texts, r" 00:00:00$", "")
    elif pt.is_null(kind):
        texts = pa.chunked_array([pa.nulls(len(column), pa.large_string())])
    else:
        raise rejected(file, "列的类型不是文本、数字或日期；请转换后再报", column=name)
    return pc.fill_null(texts, ""), numeric


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Fractions and decimals as people write them; once per distinct value."""
    encoded = column.combine_chunks().dictionary_encode()
    distinct = [_plain(value) for value in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(distinct, pa.large_string()).take(encoded.indices)])


def _plain(value: object) -> str:
    if isinstance(value, float):
        return plain_number(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
