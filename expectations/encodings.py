"""Which encoding a delimited file has, and its text as a stream of UTF-8: memory for a block, whatever its size."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from expectations.grids import rejected

_BLOCK_BYTES = 1 << 22
_SAMPLE_BYTES = 65_536
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


@dataclass(frozen=True)
class Encoded:
    """A file of text, looked through once: its encoding, how many bytes its mark takes, whether a quote is in it."""

    path: Path
    encoding: str
    skip: int
    quoted: bool

    def stream(self) -> io.RawIOBase:
        """Its text in UTF-8, from the first character on."""
        return _Utf8(self)


def disguise(data: bytes) -> str | None:
    """What a file really is when it is no text table, as the sentence to show; None for text."""
    for magic, sentence in _MAGIC:
        if data.startswith(magic):
            return sentence
    if _HTML.match(data.removeprefix(codecs.BOM_UTF8)[:256]):
        return "这是网页（html 或 xml）文件；请在 Excel 中打开，另存为 .xlsx 或 csv 再报"
    return None


def _utf16_without_bom(data: bytes, size: int) -> str | None:
    """UTF-16 is obvious where the zero bytes (of ASCII) stand at every other place; 一 (U+4E00) gives some at the rest."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if size % 2 or max(even, odd) < 4 or max(even, odd) < 4 * min(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _looks_like_damaged_utf8(path: Path, skip: int) -> bool:
    """Bytes that are UTF-8 but for a few: read as GB18030 they would give people other names."""
    with path.open("rb") as handle:
        handle.seek(skip)
        data = handle.read(_SAMPLE_BYTES)
        while data and data.isascii():
            data = handle.read(_SAMPLE_BYTES)
        sample = (data + handle.read(_SAMPLE_BYTES)).decode("utf-8", errors="replace")
    good = sum(char >= "\u0800" and char != "\ufffd" for char in sample)
    return good > 10 * sample.count("\ufffd")


def encoded(path: Path, file: str) -> Encoded:
    """What a delimited file is written in, strictly: BOM, UTF-16, UTF-8, else GB18030.

    Raises InputRejected for empty and binary files and for bytes that are no text, naming the row.
    """
    if all(not block.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe") for block in _blocks(path, 0)):
        raise rejected(file, "文件是空的；请重新导出")
    with path.open("rb") as handle:
        head = handle.read(_SAMPLE_BYTES + 3)
    if sentence := disguise(head):
        raise rejected(file, sentence)
    bom, encoding = next(((bom, name) for bom, name in _BOMS if head.startswith(bom)), (b"", None))
    skip = len(bom)
    body = head[skip : skip + _SAMPLE_BYTES]
    if encoding is None and b"\0" in body:
        encoding = _utf16_without_bom(body, path.stat().st_size)
        if encoding is None:
            raise rejected(file, "不是文本文件（含有零字节）；请报送 csv、xlsx 或 parquet")
    found = _look(path, skip, encoding or "utf-8")
    if found.bad is not None and (encoding or _looks_like_damaged_utf8(path, skip)):
        reason = f"有不属于 {(encoding or 'utf-8').upper()} 的字节，文件可能在传输中损坏；请重新导出"
        raise rejected(file, reason, row=found.bad)
    if found.bad is not None:
        encoding, found = "gb18030", _look(path, skip, "gb18030")
        if found.bad is not None:
            raise rejected(file, "文字编码既不是 UTF-8 也不是 GB18030；请另存为 UTF-8 再报", row=found.bad)
    if found.zero is not None:
        raise rejected(file, "不是文本文件（含有零字节）；请报送 csv、xlsx 或 parquet", row=found.zero)
    return Encoded(path, encoding or "utf-8", skip, found.quoted)


@dataclass
class _Look:
    """What one pass over a file found. bad, zero: the row of the first byte that is no text, of the first zero."""

    bad: int | None = None
    zero: int | None = None
    quoted: bool = False


def _blocks(path: Path, skip: int) -> Iterator[bytes]:
    with path.open("rb") as handle:
        handle.seek(skip)
        while block := handle.read(_BLOCK_BYTES):
            yield block


def _look(path: Path, skip: int, encoding: str) -> _Look:
    decode = codecs.getincrementaldecoder(encoding)().decode
    found, row = _Look(), 1
    try:
        for block in _blocks(path, skip):
            text = decode(block)
            found.quoted = found.quoted or '"' in text
            if found.zero is None and "\0" in text:
                found.zero = row + text.count("\n", 0, text.index("\0"))
            row += text.count("\n")
        decode(b"", True)
    except UnicodeDecodeError as error:
        before = bytes(error.object)[: error.start].decode(encoding, errors="replace")
        found.bad = row + before.count("\n")
    return found


class _Utf8(io.RawIOBase):
    """The text of a file as UTF-8."""

    def __init__(self, source: Encoded) -> None:
        self._blocks = _blocks(source.path, source.skip)
        # A file that was UTF-8 from end to end when it was looked through needs no decoding.
        self._decode = None if source.encoding == "utf-8" else codecs.getincrementaldecoder(source.encoding)().decode
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        while not self._ready:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._ready = block if self._decode is None else self._text(block)
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _text(self, block: bytes) -> bytes:
        text = self._decode(block)
        return (text.translate(_GB18030_2022) if _PRIVATE.search(text) else text).encode()
