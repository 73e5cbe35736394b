"""Is this xlsx safe to open? Streamed, bounded, before any spreadsheet library sees it (DOMAIN §3: a zip bomb, refused).

Sizes declared in the archive are not believed: every entry is inflated from its raw bytes, counted and thrown away, and
must then have the size and checksum it declares.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from expectations.encodings import disguise
from expectations.grids import rejected

MAX_BYTES = 1 << 30
MAX_RATIO = 200
# Below this much inflated, the ratio does not matter.
RATIO_FROM = 50 << 20
MAX_ENTRIES = 5_000
# The reader lays a sheet out as a full rectangle: one stray cell in the last corner would be 17 thousand million cells.
MAX_CELLS = 60_000_000
# Shared texts are copied into every cell that names them.
MAX_SHARED_TEXT = 4 << 30
_MAX_DIRECTORY = 16 << 20
_BLOCK = 4 << 20
_MAX_ROW_BYTES = 64 << 20

_R = rb"\br\s*=\s*[\"']"
_CELL = re.compile(rb"<(?:\w+:)?c\s[^>/]*?" + _R + rb"([A-Za-z]{1,3})[0-9]+[\"'][^>/]*>")
# The way every common program writes a cell; only columns past Z matter then.
_WIDE_CELL = re.compile(rb'<c r="([A-Za-z]{2,3})[0-9]+"[^>/]*>')
_ROW_NUMBER = re.compile(rb"row\s[^>]*?" + _R + rb"([0-9]{1,9})")
_ERROR = re.compile(rb"<(?:\w+:)?c\s(?=[^>]*\bt=[\"']e[\"'])[^>]*?" + _R + rb"([A-Za-z]{1,3}[0-9]+)")
# A formula whose result was never saved: an empty value that is not the text "".
_UNCALCULATED = re.compile(
    rb"<(?:\w+:)?c\s(?![^>]*\bt=[\"']str[\"'])[^>]*?" + _R + rb"([A-Za-z]{1,3}[0-9]+)[\"'][^>]*>"
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"
)
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s>]")
_STRING_ITEM = re.compile(rb"</(?:\w+:)?si>")


@dataclass
class SheetFacts:
    """What the scan of one sheet part saw.

    rows, width  bounds of the rectangle its cells span (width at least 26).
    broken       cells with an error or an unsaved formula result, as B7.
    shared       how many cells name a shared text.
    """

    rows: int = 0
    closed: int = 0
    columns: set[bytes] = field(default_factory=set)
    unplaced: int = 0
    broken: set[str] = field(default_factory=set)
    shared: int = 0

    @property
    def width(self) -> int:
        return max(26, self.unplaced, *map(_column_number, self.columns))


def inspect(path: Path, file: str) -> dict[str, SheetFacts]:
    """Sheet name → facts of an xlsx that is safe to open. Raises InputRejected with the reason otherwise."""
    _check_kind(path, file)
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as handle:
            return _inspect(archive.infolist(), _Inflater(handle, path.stat().st_size, file), file)
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, KeyError, NotImplementedError):
        raise rejected(file, "工作簿已损坏或不完整，无法打开；请在 Excel 中重新保存再报") from None
    except ElementTree.ParseError:
        raise rejected(file, "工作簿的目录已损坏；请在 Excel 中重新保存再报") from None


def _check_kind(path: Path, file: str) -> None:
    with path.open("rb") as handle:
        head = handle.read(4096)
        if not head:
            raise rejected(file, "文件是空的；请重新导出")
        if head.startswith(b"PK"):
            return
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            handle.seek(0)
            if "EncryptedPackage".encode("utf-16-le") in handle.read(64 << 20):
                raise rejected(file, "工作簿设有打开密码；请取消密码再报")
    if sentence := disguise(head):
        raise rejected(file, sentence)
    raise rejected(file, "不是 xlsx 工作簿：像是文本或其他文件改了扩展名；文本请用 .csv，表格请在 Excel 中另存为 .xlsx")


def _inspect(entries: list[zipfile.ZipInfo], inflater: _Inflater, file: str) -> dict[str, SheetFacts]:
    by_name = {entry.filename.casefold(): entry for entry in entries}
    if "xl/workbook.bin" in by_name:
        raise rejected(file, "这是二进制工作簿（.xlsb）；请另存为 .xlsx 再报")
    if len(entries) > MAX_ENTRIES:
        raise rejected(file, f"压缩包内有 {len(entries)} 个文件，不像工作簿，疑为压缩炸弹（zip bomb），未打开")
    if any(entry.flag_bits & 1 for entry in entries):
        raise rejected(file, "工作簿已加密；请取消密码再报")
    if not {"[content_types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= by_name.keys():
        raise rejected(file, "这是压缩包，不是 xlsx 工作簿；请在 Excel 中另存为 .xlsx 再报")
    named = _sheet_parts(by_name, inflater)
    parts = {part: SheetFacts() for part in named.values()}
    longest = 0
    for entry in entries:
        if facts := parts.get(entry.filename.casefold()):
            _scan_sheet(inflater.blocks(entry), facts, file)
        elif entry.filename.casefold() == "xl/sharedstrings.xml":
            longest = _longest_shared(inflater.blocks(entry))
        else:
            for _ in inflater.blocks(entry):
                pass
    if longest * sum(sheet.shared for sheet in parts.values()) > MAX_SHARED_TEXT:
        raise rejected(file, "工作簿内的文字展开后过大，疑为压缩炸弹（zip bomb），未打开；请拆分后再报")
    return {name: parts[part] for name, part in named.items()}


class _Inflater:
    """Inflates entries block by block and counts over all of them; raises as soon as it is too much."""

    def __init__(self, handle: BinaryIO, packed: int, file: str) -> None:
        self.handle, self.packed, self.file, self.inflated = handle, max(packed, 1), file, 0

    def blocks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """The content of an entry. Raises InputRejected for a bomb, BadZipFile where it is not what it declares."""
        size, checksum = 0, 0
        for block in self._raw(entry):
            size += len(block)
            checksum = zlib.crc32(block, checksum)
            self.inflated += len(block)
            if self.inflated > MAX_BYTES or (self.inflated > RATIO_FROM and self.inflated > MAX_RATIO * self.packed):
                reason = f"解压后超过 {self.inflated >> 20} MB，疑为压缩炸弹（zip bomb），未打开；请拆分后再报"
                raise rejected(self.file, reason)
            yield block
        if size != entry.file_size or checksum != entry.CRC:
            raise zipfile.BadZipFile("an entry is not what its directory says")

    def _raw(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        self.handle.seek(entry.header_offset)
        head = self.handle.read(30)
        name, extra = struct.unpack("<HH", head[26:30])
        if not head.startswith(b"PK\x03\x04") or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile("no entry of a workbook")
        place = entry.header_offset + 30 + name + extra
        left = entry.compress_size
        decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        while left:
            self.handle.seek(place)
            packed = self.handle.read(min(left, _BLOCK))
            if not packed:
                raise zipfile.BadZipFile("an entry ends early")
            place, left = place + len(packed), left - len(packed)
            if entry.compress_type == zipfile.ZIP_STORED:
                yield packed
                continue
            while packed and not decoder.eof:
                yield decoder.decompress(packed, _BLOCK)
                packed = decoder.unconsumed_tail
        if entry.compress_type == zipfile.ZIP_DEFLATED:
            # What the decoder still holds back is bounded by its window and the block just given.
            while block := decoder.decompress(b"", _BLOCK):
                yield block
            if not decoder.eof:
                raise zipfile.BadZipFile("an entry ends early")


def _scan_sheet(blocks: Iterator[bytes], facts: SheetFacts, file: str) -> None:
    rest = b""
    for block in blocks:
        data = rest + block
        cut = data.rfind(b"row>") + 4 if b"row>" in data else 0
        whole, rest = data[:cut], data[cut:]
        if len(rest) > _MAX_ROW_BYTES:
            raise rejected(file, "工作表中有一行大得不合常理，未打开；请在 Excel 中重新保存再报")
        _scan_rows(whole, facts, file)
    _scan_rows(rest, facts, file)
    if facts.rows * facts.width > MAX_CELLS:
        reason = f"工作表占 {facts.rows} 行 × {facts.width} 列，过大；请删去表格之外的零星单元格再报"
        raise rejected(file, reason)


def _scan_rows(data: bytes, facts: SheetFacts, file: str) -> None:
    facts.shared += data.count(b't="s"') + data.count(b"t='s'")
    facts.closed += data.count(b"row>") - data.count(b"<row>")
    facts.rows = max(facts.rows, facts.closed, max(map(int, _ROW_NUMBER.findall(data)), default=0))
    errors = b't="e"' in data or b"t='e'" in data
    formulas = b"<f" in data or b":f" in data
    usual = data.count(b"<c") - data.count(b"<col") == data.count(b'<c r="') and b":c" not in data
    if usual:
        facts.columns.update(_WIDE_CELL.findall(data))
    else:
        facts.columns.update(_CELL.findall(data))
        # Cells may leave their address out and stand one after the other.
        facts.unplaced = max([facts.unplaced, *(len(_ANY_CELL.findall(row)) for row in data.split(b"row>"))])
        if errors or formulas:
            _check_places(data, file)
    if errors:
        facts.broken.update(place.decode().upper() for place in _ERROR.findall(data))
    if formulas:
        facts.broken.update(place.decode().upper() for place in _UNCALCULATED.findall(data))


def _check_places(data: bytes, file: str) -> None:
    """Errors can only be told from blanks where every cell says where it stands."""
    if len(re.findall(rb"<(?:\w+:)?c\s[^>]*?" + _R, data)) != len(_ANY_CELL.findall(data)):
        raise rejected(file, "工作表的公式单元格没有地址，无法核对；请在 Excel 中重新保存再报")


def _longest_shared(blocks: Iterator[bytes]) -> int:
    """Bytes of the longest shared text, tags included."""
    longest, current = 0, 0
    for block in blocks:
        first, *others = _STRING_ITEM.split(block)
        current += len(first)
        longest = max(longest, current, *map(len, others))
        if others:
            current = len(others[-1])
    return longest


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _tree(entry: zipfile.ZipInfo, inflater: _Inflater) -> ElementTree.Element:
    data = b""
    for block in inflater.blocks(entry):
        data += block
        if len(data) > _MAX_DIRECTORY:
            raise zipfile.BadZipFile("a directory of this size is none")
    if b"<!DOCTYPE" in data:
        raise zipfile.BadZipFile("a workbook has no document type")
    return ElementTree.fromstring(data)


def _sheet_parts(by_name: dict[str, zipfile.ZipInfo], inflater: _Inflater) -> dict[str, str]:
    """Sheet name → its part (case folded), by the workbook's own relations."""
    relations = {
        item.get("Id"): item.get("Target", "") for item in _tree(by_name["xl/_rels/workbook.xml.rels"], inflater)
    }
    parts: dict[str, str] = {}
    for item in _tree(by_name["xl/workbook.xml"], inflater).iter():
        if item.tag.endswith("}sheet"):
            link = next((value for key, value in item.items() if key.endswith("}id")), None)
            target = relations.get(link, "")
            parts[item.get("name", "")] = (target[1:] if target.startswith("/") else f"xl/{target}").casefold()
    return parts


def cell_place(address: str) -> tuple[int, int]:
    """0-based (row, column) of an address such as B7."""
    letters = address.rstrip("0123456789")
    return int(address[len(letters) :]) - 1, _column_number(letters.encode()) - 1
