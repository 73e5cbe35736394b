"""What a night calls the files and folders of its inbox: as their sender did, but for what may be a person (decision 0025)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.identity import normalise_code
from core.keys import derived
from core.units import UnitVersion
from expectations.books import fold
from expectations.shown_words import hushed, unknown_letters

RENAMED = "文件名中像人名、证件号的字已遮盖；文件名请只用批次名、机构名、日期和序号，改名后重报"
_MARK_CHARS = 8
_MARKED = re.compile(rf"〔([0-9a-f]{{{_MARK_CHARS}}})〕(?:\.[^.]*)?$")
_DIVISION = re.compile(r"[0-9]{2,12}|[A-Za-z0-9_-]{1,8}")
# Shorter names of units may be people's.
_UNIT_NAME = 4
_PLACES_AT_A_TIME = 500


class Naming:
    """Names as they may be kept. One in which something is hidden carries a keyed mark of the whole name, by which the file
    and what control.csv says of it are found again, whatever was known when it was hidden.

    known: names of units that need not be hidden.
    """

    def __init__(self, person_key: str, known: Collection[str] = ()) -> None:
        self._secret, self._known = derived(person_key, "file name"), frozenset(known)

    def file(self, name: str) -> str:
        """A file's name as it may be kept."""
        plain = hushed(name, self._known)
        if plain == name and not _MARKED.search(name):
            return name
        path = Path(plain)
        return f"{path.stem}〔{self._hash(name)}〕{path.suffix}"

    def division(self, folder: str) -> str:
        """The division a folder stands for; a folder that is named by no code as a file would be."""
        code = normalise_code(folder)
        return code if _DIVISION.fullmatch(code) else self.file(code)

    def is_file(self, kept: str, name: str) -> bool:
        """Whether a file of the inbox is the one that is kept so."""
        return self.mark_of(kept) == self._hash(name)

    def is_division(self, kept: str, folder: str) -> bool:
        """Whether a folder of the inbox is the division that is kept so."""
        return self.mark_of(kept) == self._hash(normalise_code(folder))

    def mark(self, name: str) -> str:
        """What finds a file by the name its sender gave it."""
        return self._hash(name)

    def mark_of(self, kept: str) -> str:
        """The same, by the name it is kept by."""
        found = _MARKED.search(kept)
        return found[1] if found else self._hash(kept)

    def _hash(self, name: str) -> str:
        return hmac.digest(self._secret, fold(name).encode(), hashlib.sha256).hex()[:_MARK_CHARS]


def naming_for(session: Session, person_key: str, folder: Path) -> Naming:
    """The naming of a night's inbox, with those of the register's unit names that stand in names of its files."""
    runs = {run for path in folder.glob("*/*") for run in unknown_letters(path.name)}
    pieces = sorted(
        {run[at:end] for run in runs for at in range(len(run)) for end in range(at + _UNIT_NAME, len(run) + 1)}
    )
    known: set[str] = set()
    for start in range(0, len(pieces), _PLACES_AT_A_TIME):
        some = pieces[start : start + _PLACES_AT_A_TIME]
        known.update(session.scalars(select(UnitVersion.unit_name).where(UnitVersion.unit_name.in_(some)).distinct()))
    return Naming(person_key, known)
