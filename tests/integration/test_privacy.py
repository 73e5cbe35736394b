"""After the gate only person_key and mask travel: a demo night is searched, artefact by artefact, for everybody in it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import inspect

from core.account_import import import_accounts
from core.db import engine_for, reading, writing
from core.identity import birth_date, keyed
from core.migrate import upgrade
from core.settings import Settings, load_settings
from demo.city import make_city, nights_until
from demo.sink import Sink
from expectations.books import BOOKS
from night.lists import export_flags, flag_rows
from night.steps import run_night
from tests.dags.test_nightly_reconcile import ROOT, airflow_environment
from tests.leaks import LONG, SHORT_NAME, Planted, birth_columns, leaks
from tests.straykit import FREE, plant

LAST = date(2026, 10, 31)
ENVIRON = {"BIANZHI_SECRET_KEY": "grep-secret-key-" * 3, "BIANZHI_PERSON_KEY": "grep-person-key-" * 3}


@dataclass
class Aftermath:
    """A HOME after the demo's nights, with everything they wrote, and the people who were delivered."""

    settings: Settings
    planted: Planted

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def spared(self) -> tuple[Path, ...]:
        return (self.settings.raw_dir,)

    @property
    def births_by_key(self) -> dict[str, date]:
        whole = [number for number in self.planted.ids if len(number) == LONG]
        return {keyed(self.settings.person_key, number): birth for number in whole if (birth := birth_date(number))}


def through_airflow(settings: Settings, *command: str) -> None:
    """Run a command under Airflow's settings and keep all it says; a red night fails, as it should."""
    environ = airflow_environment(settings) | {"BIANZHI_SMTP_URL": str(settings.smtp_url)}
    environ |= {"AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO"}
    done = subprocess.run(
        ["bash", "deploy/airflow.sh", *command], cwd=ROOT, env=environ, capture_output=True, timeout=600
    )
    with (settings.home / "airflow.log").open("ab") as log:
        log.write(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory) -> Aftermath:
    """Two nights, the second red and through Airflow, with its mails sent, its lists taken, and its log kept. A division's
    books hold numbers and names in columns where none belong."""
    top = tmp_path_factory.mktemp("privacy")
    home, city = top / "home", top / "city"
    make_city(city, people=400, seed=5, as_of=LAST, nights=2)
    numbers, names = set(), set()
    for folder in sorted((city / "inbox").glob("*")):
        division = min(path for path in folder.iterdir() if path.is_dir())
        more = plant(division, folder.name[:7])
        numbers |= more[0]
        names |= more[1]
    home.mkdir()
    with Sink(home / "mails") as sink:
        settings = load_settings({**ENVIRON, "BIANZHI_HOME": str(home), "BIANZHI_SMTP_URL": sink.url})
        engine = engine_for(settings.database_url)
        upgrade(engine)
        with writing(engine) as session:
            import_accounts(session, city / "accounts.csv", actor="test", now=datetime.now(UTC))
        first, last = nights_until(LAST, 2)
        run_night(settings, city / "inbox", first)
        through_airflow(settings, "airflow", "db", "migrate")
        through_airflow(settings, sys.executable, "dags/nightly_reconcile.py", str(city / "inbox"), last.isoformat())
        with reading(engine) as session:
            for form in ("json", "csv", "xlsx"):
                export_flags(flag_rows(session, LAST), form, home / f"flags.{form}", sys.stdout.buffer)
    delivered = Planted.delivered(city / "inbox")
    astray = Planted.of(numbers, names)
    planted = Planted(delivered.ids | astray.ids, delivered.names | astray.names, delivered.unfindable)
    return Aftermath(settings, planted)


def test_the_nights_left_every_kind_of_artefact(aftermath):
    """Or the search would find nothing because there is nothing."""
    for pattern in (
        "snapshots/*/*/roster.parquet", "snapshots/*/*/findings.parquet", "snapshots/*/*/docs/roster.json",
        "reports/*/*/*.xlsx", "reports/*/*/manifest.json", "reports/*/*/docs/**/*.html", "mails/*.eml", "bianzhi.db",
        "airflow/airflow.db", "airflow.log", "flags.csv",
    ):  # fmt: skip
        assert list(aftermath.home.glob(pattern)), pattern
    assert len(aftermath.planted.ids) > 800
    assert len(aftermath.planted.names) > 200
    pairs = [name for name in aftermath.planted.names if len(name) == SHORT_NAME]
    assert len(pairs) > 50
    assert len(aftermath.planted.unfindable) <= len(pairs) // 20
    airflow_rows = sqlite3.connect(aftermath.home / "airflow" / "airflow.db")
    assert airflow_rows.execute("SELECT count(*) FROM xcom").fetchone()[0] > 10
    airflow_rows.close()
    assert json.loads((aftermath.home / "flags.json").read_text(encoding="utf-8"))


def test_nobody_is_named_in_anything_a_night_leaves(aftermath):
    found = leaks([aftermath.home], aftermath.planted, aftermath.spared)
    # Which files, and how many people: never whom.
    assert {place: len(whom) for place, whom in found.items()} == {}


def test_a_number_in_any_column_of_text_or_codes_holds_its_row_back_and_its_unit_is_unknown(aftermath):
    night = max(aftermath.settings.snapshots_dir.glob("*/*/roster.parquet")).parent
    for book in BOOKS.values():
        held = [
            row for row in pq.read_table(night / f"{book.name}.quarantine.parquet").to_pylist()
            if row["reason"] == "ID_IN_OTHER_COLUMN"
        ]  # fmt: skip
        wanted = {column.name for column in book.columns if column.kind in FREE}
        assert {row["column"] for row in held} == wanted
        assert all(row["shown"] is None for row in held)
        for row in held:
            if row["column"] in ("unit_code", "paying_unit_code", "on_behalf_of"):
                assert row["unit_code"] is None


def test_the_raw_copies_are_where_people_are(aftermath):
    """The one place that is spared holds them, so the search can find them; and nobody else may read it."""
    assert leaks([aftermath.settings.raw_dir], aftermath.planted)
    for path in aftermath.settings.raw_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_no_snapshot_holds_a_birth_date(aftermath):
    assert len(aftermath.births_by_key) > 400
    assert birth_columns(aftermath.settings.snapshots_dir, aftermath.births_by_key) == []
    for path in aftermath.settings.snapshots_dir.rglob("*.parquet"):
        assert not [name for name in pq.read_schema(path).names if "birth" in name and name != "name_birth_key"]


def test_no_table_has_a_column_for_names_or_birth_dates_of_people(aftermath):
    schema = inspect(engine_for(aftermath.settings.database_url))
    columns = {
        f"{table}.{column['name']}" for table in schema.get_table_names() for column in schema.get_columns(table)
    }
    assert not [name for name in columns if "birth" in name or name.endswith((".person_name", ".person_id"))]


def _xlsx(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst><si><t>{text}</t></si></sst>")


def _mail(path: Path, text: str) -> None:
    mail = EmailMessage()
    mail.set_content(f"您好：{text}", cte="base64")
    path.write_bytes(mail.as_bytes())


def _database(path: Path, text: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE note (text TEXT)")
        # Longer than a page, so that the value lies in pieces.
        connection.execute("INSERT INTO note VALUES (?)", ["…" * 3000 + text])
    connection.close()


def _parquet(path: Path, text: str) -> None:
    pq.write_table(pa.table({"note": [text, None]}), path, compression="zstd")


WAYS_OUT = {
    "a.log": lambda path, text: path.write_text(f"row of {text}!", encoding="utf-8"),
    "b.csv": lambda path, text: path.write_text(f"x,{text}\n", encoding="gb18030"),
    "c.json": lambda path, text: path.write_text(json.dumps({"value": f"见{text}等"}), encoding="ascii"),
    "d.html": lambda path, text: path.write_text("".join(f"&#{ord(c)};" for c in text), encoding="utf-8"),
    "e.xlsx": _xlsx,
    "f.eml": _mail,
    "g.db": _database,
    "h.parquet": _parquet,
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_one_planted_leak_is_found_whichever_way_it_goes(tmp_path, way):
    planted = Planted.of(["11010519491231002X"], ["欧阳致远", "仉骉"])
    for text in ("11010519491231002x", "110105491231002", "欧阳致远", "仉骉"):
        WAYS_OUT[way](tmp_path / way, text)
        assert leaks([tmp_path], planted), text
        assert not leaks([tmp_path], planted, [tmp_path / way])
        (tmp_path / way).unlink()
        WAYS_OUT[way](tmp_path / way, "110105194912310038 欧阳致 11010519491231")
        assert not leaks([tmp_path], planted)
        (tmp_path / way).unlink()


def test_a_planted_birth_date_is_found(tmp_path):
    rows = {
        "person_key": ["k1", "k2", None],
        "note": ["b", "生于1949年12月31日", "c"],
        "entry_date": [None, None, None],
    }
    pq.write_table(pa.table(rows), tmp_path / "roster.parquet")
    assert birth_columns(tmp_path, {"k1": date(1950, 1, 1), "k2": date(1949, 12, 31)}) == ["roster note"]
