"""What lies in the inbox of a night: files, their books, their hashes. Reads the disk, changes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.errors import InputRejected
from expectations.books import book_of
from night.naming import Naming

CONTROL = "control"
CHUNK = 1 << 20


@dataclass(frozen=True)
class InboxFile:
    """One file of one division's folder. `book` is None for a file that is no book, 'control' for control.csv.

    `division_code` and `name` are as they may be shown (night.naming); `path` alone says what the sender called them.
    """

    division_code: str
    name: str
    path: Path
    book: str | None
    sha256: str
    size: int


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def inbox_files(inbox: Path, as_of: date, naming: Naming) -> list[InboxFile]:
    """Every file delivered for a night, in (division, name) order.

    Errors: InputRejected when the night has no folder, or holds no division's folder.
    """
    folder = inbox / as_of.isoformat()
    if not folder.is_dir():
        raise InputRejected(
            f"no folder {folder.name} in the inbox; deliver the books to <inbox>/{folder.name}/<division_code>/",
            as_of=as_of.isoformat(),
        )
    files = [
        InboxFile(
            naming.division(division.name), naming.file(path.name), path, _book(path.name), sha256_of(path),
            path.stat().st_size,
        )
        for division in sorted(folder.iterdir())
        if division.is_dir() and not division.name.startswith(".")
        for path in sorted(division.iterdir())
        if path.is_file() and not path.name.startswith((".", "~$"))
    ]  # fmt: skip
    if not files:
        raise InputRejected(f"the inbox folder {folder.name} holds no file of any division", as_of=as_of.isoformat())
    return files


def newest_night(inbox: Path, not_after: date) -> date | None:
    """The newest night that has a folder and is not after a day: what the schedule runs by default."""
    if not inbox.is_dir():
        return None
    nights = [night for path in inbox.iterdir() if path.is_dir() and (night := _as_date(path.name))]
    return max((night for night in nights if night <= not_after), default=None)


def fingerprint(files: Iterable[InboxFile], parameters: Mapping[str, object], version: str) -> str:
    """What a night's outcome depends on, as one hash: equal fingerprints mean a re-run changes nothing."""
    body = {
        "files": sorted([file.division_code, file.name, file.sha256] for file in files),
        "parameters": parameters,
        "version": version,
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def _book(name: str) -> str | None:
    path = Path(name)
    if name.lower() == "control.csv":
        return CONTROL
    return book_of(path.stem)


def _as_date(name: str) -> date | None:
    try:
        return date.fromisoformat(name) if len(name) == 10 else None
    except ValueError:
        return None
