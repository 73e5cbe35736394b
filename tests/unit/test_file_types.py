"""Files of documents: name and first bytes must agree, and no name ever becomes a path."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from core.errors import InputRejected, InvariantViolated, NotFound
from staffing import shelf
from staffing.file_types import clean_name, file_type

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def zipped(*names: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("批复.pdf", b"%PDF-1.7\n", "application/pdf"), ("扫描.PNG", PNG, "image/png"),
        ("a.jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"), ("a.ofd", zipped("OFD.xml"), "application/ofd"),
        ("a.docx", zipped("[Content_Types].xml", "word/document.xml"),
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)  # fmt: skip
def test_an_accepted_file_is_told_by_its_bytes(name, content, media_type):
    assert file_type(name, content).media_type == media_type


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", PNG), ("a.pdf", b" %PDF-1.7"), ("a.png", b"%PDF-1.7"), ("a.exe", b"MZ"), ("a.pdf.exe", b"%PDF-1.7"),
        ("a.docx", b"PK\x03\x04 not a zip"), ("a.docx", zipped("xl/workbook.xml")), ("a.ofd", zipped("word/document.xml")),
        ("a.docx", zipped("word/document.xml", "word/vbaProject.bin")), ("a.pdf", b""), ("a.html", b"<html>"),
        ("a.svg", b"<svg>"), ("noending", b"%PDF-1.7"),
    ],
)  # fmt: skip
def test_any_other_file_is_refused_with_a_sentence(name, content):
    with pytest.raises(InputRejected):
        file_type(name, content)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"), ("..\\..\\windows\\a.pdf", "a.pdf"), ("/a/b/批复.pdf", "批复.pdf"),
        ("a\x00b\r\n.pdf", "ab.pdf"), ("x" * 300 + ".pdf", "x" * 116 + ".pdf"), ("a<b>|c?.pdf", "abc.pdf"),
    ],
)  # fmt: skip
def test_a_name_with_folders_or_control_characters_is_only_a_name(raw, shown):
    assert clean_name(raw) == shown


@pytest.mark.parametrize("raw", ["", "..", "/", ".pdf", "a/", "\x00", "....pdf"])
def test_a_name_of_which_nothing_is_left_is_refused(raw):
    with pytest.raises(InputRejected):
        clean_name(raw)


def test_the_shelf_keeps_the_same_bytes_once_for_its_owner_alone(tmp_path):
    folder = tmp_path / "papers"
    digest = shelf.put(folder, b"abc")
    assert shelf.put(folder, b"abc") == digest
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [digest]
    assert kept[0].stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert shelf.take(folder, digest) == b"abc"


def test_a_kept_file_changed_on_disk_is_not_handed_out(tmp_path):
    digest = shelf.put(tmp_path, b"abc")
    shelf.place(tmp_path, digest).write_bytes(b"abd")
    with pytest.raises(InvariantViolated):
        shelf.take(tmp_path, digest)
    assert shelf.put(tmp_path, b"abc") == digest  # put again, it is whole again
    assert shelf.take(tmp_path, digest) == b"abc"


def test_only_a_hash_names_a_kept_file(tmp_path):
    for name in ("../secret", "a" * 63, "A" * 64, "a" * 64 + "/x"):
        with pytest.raises(InvariantViolated):
            shelf.take(tmp_path, name)
    with pytest.raises(NotFound):
        shelf.take(tmp_path, "0" * 64)
