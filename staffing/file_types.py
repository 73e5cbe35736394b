"""Which files a document may have, told by their first bytes and not by their name alone. Pure."""

from __future__ import annotations

import unicodedata
import zipfile
from dataclasses import dataclass
from io import BytesIO

from core.errors import InputRejected

NAME_LENGTH = 120
MOST_MEMBERS = 5000


@dataclass(frozen=True)
class FileType:
    """A kind of file: ending, media type, how it begins; `member`: what a zipped one must hold."""

    ending: str
    media_type: str
    magic: bytes
    member: str = ""


_OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES: dict[str, FileType] = {
    kind.ending: kind
    for kind in (
        FileType("pdf", "application/pdf", b"%PDF-"),
        FileType("png", "image/png", b"\x89PNG\r\n\x1a\n"),
        FileType("jpg", "image/jpeg", b"\xff\xd8\xff"),
        FileType("ofd", "application/ofd", b"PK\x03\x04", "OFD.xml"),
        FileType("docx", f"{_OFFICE}.wordprocessingml.document", b"PK\x03\x04", "word/document.xml"),
        FileType("xlsx", f"{_OFFICE}.spreadsheetml.sheet", b"PK\x03\x04", "xl/workbook.xml"),
    )
}
_SAME = {"jpeg": "jpg"}
ACCEPTED = "、".join(kind.upper() for kind in TYPES)


def clean_name(raw: str) -> str:
    """A file's name to show and to save under: no folders, no control characters, at most 120 characters.

    Errors: InputRejected when nothing is left. No path is ever made of it.
    """
    last = unicodedata.normalize("NFC", raw).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if not dot or not stem.strip(" ."):
        raise InputRejected("文件名须有名称和扩展名。", field="file")
    return f"{stem[: NAME_LENGTH - len(ending) - 1]}.{ending}" if len(ending) <= 8 else kept[:NAME_LENGTH]


def file_type(name: str, content: bytes) -> FileType:
    """The type that name and content agree on. Errors: InputRejected with the sentence that says what is wrong."""
    ending = name.rpartition(".")[2].lower()
    kind = TYPES.get(_SAME.get(ending, ending))
    if kind is None:
        raise InputRejected("不接受这种文件；可上传 PDF、PNG、JPG、OFD、DOCX、XLSX。", field="file")
    if not content:
        raise InputRejected("文件是空的。", field="file")
    if not content.startswith(kind.magic) or (kind.member and not _holds(content, kind.member)):
        raise InputRejected("文件内容与扩展名不符。", field="file")
    return kind


def _holds(content: bytes, member: str) -> bool:
    """Whether a zip holds a member, and no macros. Only its directory is read: nothing is unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    if len(names) > MOST_MEMBERS or any(name.lower().endswith("vbaproject.bin") for name in names):
        return False
    return member in names
