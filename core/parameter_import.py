"""Parameters from a list: how an office puts its dated numbers in force at once."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core.errors import InputRejected
from core.parameters import ALL, ALWAYS, set_parameter

COLUMNS = ("name", "division", "from", "value")


def import_parameters(session: Session, path: Path, *, actor: str, now: datetime) -> int:
    """Set every parameter of a UTF-8 csv, in its order; returns how many rows it has.

    Columns: name,division,from,value; a blank division is everywhere, a blank from is always. Errors: InputRejected
    names the file and row; then nothing is set.
    """
    count = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames is None or set(COLUMNS) - set(reader.fieldnames):
            raise InputRejected(f"{path.name} needs the columns {','.join(COLUMNS)} in its first row", file=path.name)
        for row in reader:
            try:
                _set(session, row, actor, now)
            except InputRejected as error:
                place = f"{path.name} row {reader.line_num}"
                raise InputRejected(f"{place}: {error.message}", file=path.name, row=reader.line_num) from None
            count += 1
    return count


def _set(session: Session, row: dict[str, str | None], actor: str, now: datetime) -> None:
    name, division, start, value = ((row[column] or "").strip() for column in COLUMNS)
    try:
        first = date.fromisoformat(start) if start else ALWAYS
    except ValueError:
        raise InputRejected(f"from takes a date YYYY-MM-DD; got {start!r}") from None
    set_parameter(session, name, value, division or ALL, first, actor=actor, now=now)
