"""Small inboxes written by hand, and a night over them: what the tests of whole nights share."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from core.db import engine_for, reading
from core.errors import BianzhiError
from core.identity import check_digit
from core.settings import Settings
from night.lists import flag_rows, not_evaluable_rows
from night.lookups import rule_night
from night.steps import run_night
from reconcile.engine.spelling import compiled_plan
from tests.databases import migrate

A = date(2026, 10, 15)


def person_id(number: int, birth: str = "19800101", place: str = "990102") -> str:
    """A synthetic id with a right check digit."""
    first17 = f"{place}{birth}{number:03d}"
    return first17 + check_digit(first17)


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    quoted = lambda value: '"' + str("" if value is None else value).replace('"', '""') + '"'
    return "\n".join([",".join(columns), *(",".join(quoted(row.get(c)) for c in columns) for row in rows)]) + "\n"


def deliver(inbox: Path, as_of: date, division: str, **books: Sequence[Mapping[str, object]] | str | bytes) -> Path:
    """Write books of one division: rows become csv; text and bytes are written as they are. `name__ext` sets the suffix."""
    folder = inbox / as_of.isoformat() / division
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in books.items():
        stem, _, suffix = name.partition("__")
        data = content if isinstance(content, str | bytes) else csv_text(content)
        path = folder / f"{stem}.{suffix or 'csv'}"
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return folder


def unit(code: str = "007", division: str = "990102", **changes: object) -> dict[str, object]:
    return {
        "unit_code": code, "unit_name": f"单位{code}", "division_code": division, "level": "县",
        "unit_kind": "党政机关", "approval_doc": "试编〔2020〕1号", **changes,
    }  # fmt: skip


def quota(code: str = "007", posts: int = 5, **changes: object) -> dict[str, object]:
    return {
        "unit_code": code, "post_type": "行政", "fund_form": "全额", "quota": posts, "doc_no": "试编〔2020〕2号",
        "copy": "台账", **changes,
    }  # fmt: skip


def member(number: int, code: str = "007", **changes: object) -> dict[str, object]:
    return {
        "person_id": person_id(number), "person_name": f"甲{number}", "unit_code": code, "post_type": "行政",
        "fund_form": "全额", "status": "在职", "entry_date": "2015-03-01", **changes,
    }  # fmt: skip


def pay(number: int, code: str = "007", **changes: object) -> dict[str, object]:
    return {
        "month": "2026-10", "person_id": person_id(number), "person_name": f"甲{number}", "paying_unit_code": code,
        "fund_mode": "1", "person_state": "3", "on_establishment": "1", "amount": "8000.00", **changes,
    }  # fmt: skip


def good_books(people: int = 4, code: str = "007", division: str = "990102") -> dict[str, list[dict[str, object]]]:
    """A division of one unit on which every rule is content."""
    return {
        "units": [unit(code, division)],
        "establishment": [quota(code, people)],
        "roster": [member(n, code) for n in range(people)],
        "payroll": [pay(n, code) for n in range(people)],
    }


@cache
def _shared() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bianzhi-kept-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class House:
    """A HOME with a migrated database, and nights run in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.inbox = settings.home / "inbox"
        migrate(settings.database_url)

    def night(self, as_of: date = A, inbox: Path | None = None) -> int:
        """Run a night; the exit code `bianzhi night` would give."""
        try:
            run_night(self.settings, inbox or self.inbox, as_of)
        except BianzhiError as error:
            return error.exit_code
        return 0

    def share_kept(self) -> None:
        """Keep what the gate keeps in one folder for all such HOMEs of this process: for tests that are not about the gate's
        own work, which need not do it again on the bytes of the test before."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.settings.cache_dir.symlink_to(_shared(), target_is_directory=True)

    def spell_ahead(self) -> None:
        """Leave the text of the rules' plan where a process started in this HOME looks for it first; here it is spelled once."""
        self.settings.cache_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with reading(engine_for(self.settings.database_url)) as session:
            night = rule_night(session, A)
        compiled_plan(night, keep=self.settings.cache_dir)._spelled.wait()

    def flags(self, as_of: date = A, *rules: str) -> list[dict]:
        with reading(engine_for(self.settings.database_url)) as session:
            return flag_rows(session, as_of, rules)

    def keys(self, as_of: date = A) -> list[tuple[str, str]]:
        return sorted((flag["key"], flag["severity"]) for flag in self.flags(as_of))

    def not_evaluable(self, as_of: date = A) -> list[dict]:
        with reading(engine_for(self.settings.database_url)) as session:
            return not_evaluable_rows(session, as_of)

    def query(self, statement):
        with reading(engine_for(self.settings.database_url)) as session:
            return session.execute(statement).all()


def reasons_of(verdict_reasons: str) -> list[str]:
    return [reason["code"] for reason in json.loads(verdict_reasons)]
