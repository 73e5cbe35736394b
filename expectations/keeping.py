"""What the gate keeps for another run: one entry per delivered file, one record per book of a night (docs: `cache_dir`).

Everything a result depends on is in its name, so nothing in here is ever wrong, only unused; what is damaged is made
again. Deleting the folder costs the next night its head start and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.keys import key_mark
from core.types import BookVerdict
from expectations.books import BOOKS
from expectations.entries import Entry
from expectations.normalise import UNIT_CODES
from expectations.snapshot_files import PARTS, replace_file, snapshot_path
from expectations.verdicts import (
    BookResult,
    DeliveredFile,
    DivisionVerdict,
    FileOutcome,
    GateSetting,
    Reason,
    ReasonCode,
)

# To be raised with every change of what the gate makes of the same bytes.
GATE_VERSION = "2"
_RECORD = "record.json"


def file_facts(book: str, file: DeliveredFile, setting: GateSetting) -> list[Any]:
    """Everything that one file's entry depends on."""
    facts = [GATE_VERSION, book, file.division_code, file.name, file.sha256, key_mark(setting.person_key)]
    if book == "roster":
        # Ages, and who is still there.
        ages = setting.retirement
        words = [sorted(ages.worker_post_types), sorted(ages.as_male_ranks)]
        facts += [setting.as_of.isoformat(), ages.start, ages.ages, words]
    if book != "units" and any(name in UNIT_CODES for name in BOOKS[book].names):
        facts.append(digest_of(sorted(setting.unit_codes)))
    return facts


def book_facts(book: str, files: Sequence[DeliveredFile], setting: GateSetting) -> list[Any]:
    """Everything that a book of a night depends on."""
    controls = [
        [*file_facts(book, file, setting), file.control_rows, file.control_sha256]
        for file in sorted(files, key=lambda file: (file.division_code, file.name))
    ]
    missing = sorted((division, list(names)) for division, names in setting.control_missing.items())
    return [GATE_VERSION, book, setting.as_of.isoformat() if book in ("roster", "payroll") else "", controls, missing]


def digest_of(facts: Any) -> str:
    """A name for facts."""
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


class Kept:
    """The folder of kept results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entry(self, facts: list[Any], make: Callable[[Path], object]) -> Entry:
        """The entry of these facts; `make` writes it where there is none, or a damaged one."""
        name = digest_of(facts)
        path = self.folder / "files" / name[:2] / f"{name}.zip"
        try:
            found = Entry(path)
        except ValueError:
            replace_file(path, make)
            return Entry(path)
        os.utime(path)
        return found

    def take_over(self, facts: list[Any], book: str, out: Path, docs: Path | None) -> BookResult | None:
        """Put the snapshot files of an equal earlier run into `out` (and `docs`); None where there was none."""
        folder = self._record(facts)
        try:
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
            targets = _targets(book, out, docs)
            if {*record["files"]} != {*targets} or any(
                _digest(folder / name) != digest for name, digest in record["files"].items()
            ):
                return None
            result = _result(record["result"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        for name, target in targets.items():
            replace_file(target, lambda fresh, source=folder / name: _link(source, fresh))
        os.utime(folder / _RECORD)
        return result

    def keep(self, facts: list[Any], book: str, out: Path, docs: Path | None, result: BookResult) -> None:
        """Keep the snapshot files of a book just written; the record comes last, so that half of it counts for nothing."""
        folder = self._record(facts)
        targets = _targets(book, out, docs)
        for name, target in targets.items():
            replace_file(folder / name, lambda fresh, source=target: _link(source, fresh))
        record = {"files": {name: _digest(folder / name) for name in targets}, "result": asdict(result)}
        text = json.dumps(record, ensure_ascii=False)
        replace_file(folder / _RECORD, lambda path: path.write_text(text, encoding="utf-8"))

    def _record(self, facts: list[Any]) -> Path:
        name = digest_of(facts)
        return self.folder / "books" / name[:2] / name

    def drop_unused(self, days: int) -> int:
        """Delete what no run has used for so many days; returns how many files went."""
        before = time.time() - days * 86_400
        gone = 0
        for path in self.folder.glob("files/*/*"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                gone += 1
        for folder in self.folder.glob("books/*/*"):
            newest = max((path.stat().st_mtime for path in [folder, folder / _RECORD] if path.exists()), default=0.0)
            if newest < before:
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
        return gone


def _targets(book: str, out: Path, docs: Path | None) -> dict[str, Path]:
    """Name among what is kept → where it goes."""
    targets = {f"{part or '.rows'}"[1:]: snapshot_path(out, book, part) for part in PARTS}
    return targets if docs is None else targets | {"docs": docs / f"{book}.json"}


def _link(source: Path, target: Path) -> None:
    """A second name for the bytes where the disk allows it. Nobody writes into these files; they are replaced."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _result(plain: dict) -> BookResult:
    """A BookResult from its plain form."""

    def verdict(one: dict) -> DivisionVerdict:
        reasons = [Reason(**(item | {"code": ReasonCode(item["code"])})) for item in one["reasons"]]
        return DivisionVerdict(**(one | {"verdict": BookVerdict(one["verdict"]), "reasons": reasons}))

    files = [FileOutcome(**one) for one in plain["files"]]
    return BookResult(plain["book"], [verdict(one) for one in plain["verdicts"]], files)
