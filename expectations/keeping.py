"""What the gate keeps for another run: one entry per delivered file, one record per book of a night (decision 0007).

Everything a result depends on is in its name, so nothing in here is ever wrong, only unused; what is damaged is made
again. Deleting the folder costs the next night its head start and nothing else.

    files/ab/ab….codes                 the unit codes a delivered file names
    files/ab/ab….<what units say>.zip  its entry, where the register answers to these codes like that
    books/cd/cd…/                      the snapshot files of a book of a night
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.keys import key_mark
from core.types import BookVerdict
from expectations.entries import Entry
from expectations.normalise import undamaged_code
from expectations.snapshot_files import parts_of, replace_file, snapshot_path
from expectations.strays import last_birth_year
from expectations.verdicts import (
    BookResult,
    DeliveredFile,
    DivisionVerdict,
    FileOutcome,
    GateSetting,
    Reason,
    ReasonCode,
)

# To be raised where something outside of these folders and packages changes what the gate makes of the same bytes.
GATE_VERSION = "2"
_CODE = ("core", "expectations")
_PACKAGES = ("great-expectations", "pandas", "pyarrow")
_RECORD = "record.json"
# Of the whole folder: nobody else comes to what is in it.
_MODE = 0o700


@lru_cache(maxsize=1)
def code_mark() -> str:
    """A name for the code at work: other code may make something else of the same bytes."""
    digest = hashlib.sha256("".join(f"{name} {version(name)} " for name in _PACKAGES).encode())
    root = Path(__file__).parent.parent
    for path in sorted(path for folder in _CODE for path in (root / folder).glob("*.py")):
        digest.update(f"{path.name} ".encode() + path.read_bytes())
    return digest.hexdigest()


def file_facts(book: str, file: DeliveredFile, setting: GateSetting) -> list[Any]:
    """Everything that one file's entry depends on, but for what the register says of the units it names."""
    mark = [
        GATE_VERSION,
        code_mark(),
        key_mark(setting.person_key),
        last_birth_year(setting.as_of),
        sorted(setting.ranks),
    ]
    return [*mark, book, file.division_code, file.name, file.path.suffix.lower(), file.sha256]


def distinct_files(files: Sequence[DeliveredFile]) -> list[tuple[DeliveredFile, DeliveredFile | None]]:
    """The files in order of division and name, each with the earlier one of its division that has the same bytes."""
    seen: dict[tuple[str, str], DeliveredFile] = {}
    found = []
    for file in sorted(files, key=lambda file: (file.division_code, file.name)):
        first = seen.setdefault((file.division_code, file.sha256), file)
        found.append((file, None if first is file else first))
    return found


def digest_of(facts: Any) -> str:
    """A name for facts."""
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


class Kept:
    """The folder of kept results, as one book of a night sees it."""

    def __init__(self, folder: Path, book: str, setting: GateSetting) -> None:
        self.folder, self.book, self.setting = folder, book, setting
        folder.mkdir(parents=True, exist_ok=True, mode=_MODE)

    def entry(self, file: DeliveredFile, fresh: bool = False) -> Entry | None:
        """The entry of a file; None where there is none, or a damaged one. fresh: it was made just now."""
        path = self._entry_path(file)
        if path is None:
            return None
        try:
            found = Entry(path, fresh)
        except ValueError:
            return None
        for used in (path, self._codes_path(file)):
            os.utime(used)
        return found

    def make(self, file: DeliveredFile, write: Callable[[Path], Sequence[str]]) -> None:
        """Make the entry of a file. write: writes it and gives the unit codes that the file names."""
        codes_path = self._codes_path(file)
        codes_path.parent.mkdir(parents=True, exist_ok=True)
        fresh = codes_path.with_name(f".{codes_path.stem}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            codes = list(write(fresh))
            text = json.dumps([digest_of(codes), codes], ensure_ascii=False)
            os.replace(fresh, self._answered(file, codes))
            replace_file(codes_path, lambda path: path.write_text(text, encoding="utf-8"))
        finally:
            fresh.unlink(missing_ok=True)

    def _codes_path(self, file: DeliveredFile) -> Path:
        name = digest_of(file_facts(self.book, file, self.setting))
        return self.folder / "files" / name[:2] / f"{name}.codes"

    def _answered(self, file: DeliveredFile, codes: Sequence[str]) -> Path:
        units = self.setting.unit_codes
        damaged = {code: undamaged_code(code, units) for code in codes} if units else {}
        answers = [bool(units), {code: whole for code, whole in damaged.items() if whole is not None}]
        return self._codes_path(file).with_suffix(f".{digest_of(answers)[:16]}.zip")

    def _entry_path(self, file: DeliveredFile) -> Path | None:
        try:
            mark, codes = json.loads(self._codes_path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            return None
        return self._answered(file, codes) if mark == digest_of(codes) else None

    def facts(self, files: Sequence[DeliveredFile]) -> list[Any] | None:
        """Everything that a book of a night depends on; None while a file of it was not read yet."""
        night: list[Any] = [self.book]
        if self.book in ("roster", "payroll"):
            night.append(self.setting.as_of.isoformat())
        if self.book == "roster":
            ages = self.setting.retirement
            night += [ages.start, ages.ages, sorted(ages.worker_post_types), sorted(ages.as_male_ranks)]
        told = []
        for file, original in distinct_files(files):
            path = None if original else self._entry_path(file)
            if path is None and original is None:
                return None
            place = [file.division_code, file.name, file.sha256, file.control_rows, file.control_sha256]
            told.append([*place, path.name if path else None])
        missing = sorted((division, list(names)) for division, names in self.setting.control_missing.items())
        unreadable = sorted(self.setting.control_unreadable.items())
        return [GATE_VERSION, code_mark(), *night, told, missing, unreadable]

    def take_over(self, files: Sequence[DeliveredFile], out: Path) -> BookResult | None:
        """Put the snapshot files of an equal earlier run into `out`; None where there was none."""
        facts = self.facts(files)
        if facts is None:
            return None
        folder = self._record(facts)
        try:
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
            targets = self._targets(out)
            if {*record["files"]} != {*targets} or any(
                _digest(folder / name) != digest for name, digest in record["files"].items()
            ):
                return None
            result = _result(record["result"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        for name, target in targets.items():
            replace_file(target, lambda fresh, source=folder / name: _link(source, fresh))
        for used in (folder / _RECORD, *self._used(files)):
            os.utime(used)
        return replace(result, files=[replace(file, taken_over=True) for file in result.files])

    def _used(self, files: Sequence[DeliveredFile]) -> list[Path]:
        """What the record of a book was made of: of use again once one of its files is corrected."""
        single = [file for file, original in distinct_files(files) if original is None]
        paths = [path for file in single for path in (self._codes_path(file), self._entry_path(file))]
        return [path for path in paths if path is not None and path.exists()]

    def keep(self, files: Sequence[DeliveredFile], out: Path, result: BookResult) -> None:
        """Keep the snapshot files of a book just written; the record comes last, so that half of it counts for nothing."""
        folder = self._record(self.facts(files))
        targets = self._targets(out)
        for name, target in targets.items():
            replace_file(folder / name, lambda fresh, source=target: _link(source, fresh))
        record = {"files": {name: _digest(folder / name) for name in targets}, "result": asdict(result)}
        text = json.dumps(record, ensure_ascii=False)
        replace_file(folder / _RECORD, lambda path: path.write_text(text, encoding="utf-8"))

    def _record(self, facts: list[Any] | None) -> Path:
        name = digest_of(facts)
        return self.folder / "books" / name[:2] / name

    def _targets(self, out: Path) -> dict[str, Path]:
        """Name among what is kept → where it goes."""
        targets = {f"{part or '.rows'}"[1:]: snapshot_path(out, self.book, part) for part in parts_of(self.book)}
        docs = self.setting.docs_dir
        return targets if docs is None else targets | {"docs": docs / f"{self.book}.json"}


def unused(folder: Path, before: float) -> list[Path]:
    """The files that no run has used since an instant (seconds since 1970), in a folder of what is kept."""
    found = [path for path in folder.glob("files/*/*") if path.stat().st_mtime < before]
    for record in folder.glob("books/*/*"):
        files = list(record.iterdir())
        # A record is used as a whole; one that was never finished is as old as its newest file.
        used = [path for path in files if path.name == _RECORD] or files
        if all(path.stat().st_mtime < before for path in used):
            found += files
    return sorted(found)


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
