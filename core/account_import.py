"""Accounts from a list: how an office brings its people in at once."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core.accounts import GrantSpec, checked_grant, create_user, find_user
from core.errors import InputRejected

COLUMNS = ("login", "email", "display_name", "password", "role", "division_code", "level", "unit_code")


def import_accounts(session: Session, path: Path, *, actor: str, now: datetime) -> int:
    """Create accounts from a UTF-8 csv, one row per grant; returns how many were created.

    Columns: login,email,display_name,password,role,division_code,level,unit_code; blank = none. An account that exists
    is left as it is. Errors: InputRejected names the file and row; then nothing is created.
    """
    people: dict[str, tuple[dict[str, str], list[GrantSpec]]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames is None or set(COLUMNS) - set(reader.fieldnames):
            raise InputRejected(f"{path.name} needs the columns {','.join(COLUMNS)} in its first row", file=path.name)
        for row in reader:
            place = f"{path.name} row {reader.line_num}"
            try:
                grant = checked_grant(
                    GrantSpec(row["role"], row["division_code"] or None, row["level"] or None, row["unit_code"] or None)
                )
            except InputRejected as error:
                raise InputRejected(f"{place}: {error.message}", file=path.name, row=reader.line_num) from None
            people.setdefault(row["login"], (row, []))[1].append(grant)
    created = 0
    for login, (row, grants) in people.items():
        if find_user(session, login) is None:
            create_user(
                session, login=login, email=row["email"], display_name=row["display_name"],
                password=row["password"] or None, grants=grants, actor=actor, now=now,
            )  # fmt: skip
            created += 1
    return created
