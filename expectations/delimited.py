"""Delimited text files → grid: encodings, delimiters, quotes, damage (DOMAIN §3, Dirt). Text from the first byte."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pyarrow as pa
import pyarrow.csv as arrow_csv

from expectations.bodies import opens_like_a_note
from expectations.books import Book
from expectations.grids import OUTER_SPACES, TOP_ROWS, Grid, rejected, trimmed
from expectations.headers import Header, find_header

DELIMITERS = (",", "\t", ";")
# Where the sniffer looks; a header lies far above.
_SNIFFED_CHARS = 262_144
_CHUNK_ROWS = 20_000
_SAMPLE_BYTES = 65_536
# More rows of another width than this are read one by one like the rest.
_MAX_ODD_ROWS = 5_000
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# GB 18030-2005 put these characters into the private area; since 2022 they stand where Unicode has them.
_GB18030_2022 = {
    0xE7C7: "\u1e3f", 0xE816: "\U00020087", 0xE817: "\U00020089", 0xE818: "\U000200cc", 0xE81E: "\u9fb4",
    0xE826: "\u9fb5", 0xE82B: "\u9fb6", 0xE82C: "\u9fb7", 0xE831: "\U000215d7", 0xE832: "\u9fb8", 0xE83B: "\U0002298f",
    0xE843: "\u9fb9", 0xE854: "\u9fba", 0xE855: "\U000241fe", 0xE864: "\u9fbb",
}  # fmt: skip
_PRIVATE = re.compile("[\ue7c7-\ue864]")
_MAGIC = (
    (b"PK\x03\x04", "这是 xlsx 工作簿，只是改了扩展名；请改回 .xlsx 再报"),
    (b"\xd0\xcf\x11\xe0", "这是旧版 Excel（.xls）文件；请另存为 .xlsx 或 csv 再报"),
    (b"PAR1", "这是 Parquet 文件；请改回 .parquet 再报"),
    (b"\x1f\x8b", "这是 gzip 压缩文件；请解压后再报"),
    (b"%PDF", "这是 PDF 文件；请报送 csv 或 xlsx"),
)
_HTML = re.compile(rb"\s*(?:<!doctype html|<html|<table|<\?xml|<head|<meta)", re.IGNORECASE)


def disguise(data: bytes) -> str | None:
    """What a file really is when it is no text table, as the sentence to show; None for text."""
    for magic, sentence in _MAGIC:
        if data.startswith(magic):
            return sentence
    if _HTML.match(data.removeprefix(codecs.BOM_UTF8)[:256]):
        return "这是网页（html 或 xml）文件；请在 Excel 中打开，另存为 .xlsx 或 csv 再报"
    return None


def _utf16_without_bom(data: bytes) -> str | None:
    """UTF-16 is obvious where the zero bytes (of ASCII) stand at every other place; 一 (U+4E00) gives some at the rest."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if len(data) % 2 or max(even, odd) < 4 or max(even, odd) < 4 * min(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _looks_like_damaged_utf8(data: bytes) -> bool:
    """Bytes that are UTF-8 but for a few: read as GB18030 they would give people other names."""
    start = next((i for i in range(0, len(data), _SAMPLE_BYTES) if not data[i : i + _SAMPLE_BYTES].isascii()), 0)
    sample = data[start : start + 2 * _SAMPLE_BYTES].decode("utf-8", errors="replace")
    good = sum(char >= "\u0800" and char != "\ufffd" for char in sample)
    return good > 10 * sample.count("\ufffd")


def decode(data: bytes, file: str) -> tuple[str, str]:
    """(text, encoding) of a delimited file, strictly: BOM, UTF-16, UTF-8, else GB18030.

    Raises InputRejected for binary files and for bytes that are no text, naming the row.
    """
    if sentence := disguise(data):
        raise rejected(file, sentence)
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    body = data[next((len(bom) for bom, _ in _BOMS if data.startswith(bom)), 0) :]
    if encoding is None and b"\0" in body[:_SAMPLE_BYTES]:
        encoding = _utf16_without_bom(body)
        if encoding is None:
            raise rejected(file, "不是文本文件（含有零字节）；请报送 csv、xlsx 或 parquet")
    try:
        text = body.decode(encoding or "utf-8")
        encoding = encoding or "utf-8"
    except UnicodeDecodeError as error:
        if encoding or _looks_like_damaged_utf8(body):
            row = _row_of(body[: error.start], encoding or "utf-8")
            reason = f"有不属于 {(encoding or 'utf-8').upper()} 的字节，文件可能在传输中损坏；请重新导出"
            raise rejected(file, reason, row=row) from None
        text, encoding = _decode_gb18030(body, file), "gb18030"
    if "\0" in text:
        raise rejected(
            file,
            "不是文本文件（含有零字节）；请报送 csv、xlsx 或 parquet",
            row=text.count("\n", 0, text.index("\0")) + 1,
        )
    return text, encoding


def _row_of(before: bytes, encoding: str) -> int:
    return before.decode(encoding, errors="replace").count("\n") + 1


def _decode_gb18030(body: bytes, file: str) -> str:
    try:
        text = body.decode("gb18030")
    except UnicodeDecodeError as error:
        reason = "文字编码既不是 UTF-8 也不是 GB18030；请另存为 UTF-8 再报"
        raise rejected(file, reason, row=_row_of(body[: error.start], "gb18030")) from None
    return text.translate(_GB18030_2022) if _PRIVATE.search(text) else text


def sniff(book: Book, text: str) -> tuple[str, Header | None]:
    """(delimiter, header): the delimiter under which the header names most columns; without a header the most cells."""
    best: tuple[tuple[int, ...], str, Header | None] | None = None
    for delimiter in DELIMITERS:
        top = _top_rows(text, delimiter)
        header = find_header(book, top)
        score = (*(header.score if header else (0, 0)), max(map(len, top), default=0))
        if best is None or score > best[0]:
            best = (score, delimiter, header)
    assert best is not None
    return best[1], best[2]


def _top_rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text[:_SNIFFED_CHARS], newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    # The reading proper names a broken row; the rows before it are enough to find the header.
    with suppress(csv.Error):
        rows.extend(islice(reader, TOP_ROWS))
    return [[cell.strip(OUTER_SPACES) for cell in row] for row in rows]


def read_delimited(data: bytes, book: Book, file: str) -> tuple[Grid, str]:
    """(grid, encoding) of a delimited file; raises InputRejected naming file, row and remedy.

    Rows are counted as a spreadsheet counts them: a quoted line break does not start a row, an empty line is one.
    A shorter row is filled with blanks; a longer one with something in the surplus cells is refused.
    """
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise rejected(file, "文件是空的；请重新导出")
    text, encoding = decode(data, file)
    delimiter, header = sniff(book, text)
    if header is None:
        raise rejected(file, no_header(book))
    grid = _fast(text, delimiter, header, file) or _careful(text, delimiter, header, file)
    return grid, encoding


def no_header(book: Book) -> str:
    """The sentence for a file without a recognisable header."""
    labels = "、".join(column.label for column in book.columns if column.required)
    return f"找不到“{book.label}”的表头；至少要有这些列：{labels}"


def _fast(text: str, delimiter: str, header: Header, file: str) -> Grid | None:
    """The whole file by Arrow's parser, where no quote makes it differ from the careful reading; else None.

    Rows of another width come back from it as text and are put in their places by hand.
    """
    if '"' in text:
        return None
    odd: list[tuple[int, str]] = []

    def note_odd(row: arrow_csv.InvalidRow) -> str:
        odd.append((row.number, row.text))
        return "skip" if len(odd) <= _MAX_ODD_ROWS else "error"

    names = [str(place) for place in range(header.width)]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, quote_char=False, ignore_empty_lines=False, invalid_row_handler=note_odd
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, null_values=[]
            ),
        )
    except pa.ArrowInvalid:
        return None
    rows = [(number, _fitted(line.rstrip("\r\n").split(delimiter), header, number, file)) for number, line in odd]
    return Grid("", [trimmed(_spliced(table[name], rows, place)) for place, name in enumerate(names)])


def _spliced(column: pa.ChunkedArray, rows: list[tuple[int, list[str]]], place: int) -> pa.ChunkedArray:
    """A column with the cells of further rows (1-based numbers in the finished column, ascending) put in."""
    chunks: list[pa.Array] = []
    done = 0
    for already, (number, row) in enumerate(rows):
        upto = number - 1 - already
        chunks += column.slice(done, upto - done).chunks
        chunks.append(pa.array([row[place]], pa.large_string()))
        done = upto
    return pa.chunked_array([*chunks, *column.slice(done).chunks], pa.large_string())


def _careful(text: str, delimiter: str, header: Header, file: str) -> Grid:
    """The whole file row by row: quotes, line breaks in cells, short and long rows."""
    chunks: list[list[pa.Array]] = [[] for _ in range(header.width)]
    for first, rows in _records(text, delimiter, file):
        for offset, row in enumerate(rows):
            if len(row) != header.width:
                rows[offset] = _fitted(row, header, first + offset, file)
        for place, cells in enumerate(zip(*rows, strict=True)):
            chunks[place].append(pa.array(cells, pa.large_string()))
    return Grid("", [trimmed(pa.chunked_array(column, pa.large_string())) for column in chunks])


def _fitted(row: list[str], header: Header, number: int, file: str) -> list[str]:
    """A row cut or filled to the header's width.

    Raises InputRejected for a filled cell beyond the header: the row has slipped, and every value after the slip would be
    another column's. Titles and notes may be wider.
    """
    surplus = len(row) > header.width and any(cell.strip(OUTER_SPACES) for cell in row[header.named :])
    if surplus and number > header.end + 1 and not opens_like_a_note(row):
        reason = f"有 {len(row)} 格，多于表头的 {header.width} 格；含分隔符的内容请加双引号"
        raise rejected(file, reason, row=number)
    return [*row[: header.width], *[""] * (header.width - len(row))]


def _records(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[list[str]]]]:
    """(number of the first row, rows), chunk by chunk. An unclosed quote is refused, with the row where it opens."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    done = 0
    while True:
        rows: list[list[str]] = []
        try:
            while len(rows) < _CHUNK_ROWS and (row := next(reader, None)) is not None:
                rows.append(row)
        except csv.Error:
            reason = "双引号不成对，或结束的双引号后还有文字；请检查这一行的引号"
            raise rejected(file, reason, row=done + len(rows) + 1) from None
        if not rows:
            return
        yield done + 1, rows
        done += len(rows)
