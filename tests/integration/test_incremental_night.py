"""What is unchanged is not read again, whatever changed beside it; and nobody can tell from the result."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from core.db import engine_for, reading, writing
from core.errors import BianzhiError
from core.parameters import ALL, set_parameter
from expectations import keeping
from expectations.gate import DeliveredFile, GateSetting, gate_book
from night.places import run_of, snapshot_dir
from night.steps import ORDER, begin, perform
from reconcile.models import Delivery, NightRun
from tests.homes import SavedHome, settings_in
from tests.leaks import Planted, leaks
from tests.nightkit import A, House, deliver, good_books, member, pay, person_id, unit

NEXT = A + timedelta(days=1)
ONE, TWO = "990102", "990103"
PERSON = ("roster", "payroll")
RANKS = '[["巴图鲁"], ["科员"]]'


@pytest.fixture
def house(settings) -> House:
    return House(settings)


def two_divisions(house: House, as_of: date = A, **changed) -> None:
    """Two divisions of one unit each. changed: books of the second that differ."""
    deliver(house.inbox, as_of, ONE, **good_books(5, "007", ONE))
    books = good_books(3, "100", TWO)
    for number, row in enumerate([*books["roster"], *books["payroll"]]):
        row["person_id"] = person_id(100 + number % 3)
    deliver(house.inbox, as_of, TWO, **(books | changed))


STEPS = [name for name, _ in ORDER]


def walk(house: House, as_of: date = A, last: str = "conclude") -> tuple[int, dict[str, tuple[int, int]]]:
    """A night, step by step up to the last of a name: its run, and per book how many files were read and how many taken over."""
    run_id = begin(as_of, house.inbox, house.settings)
    counts = {}
    for name, book in ORDER[: len(ORDER) - STEPS[::-1].index(last)]:
        try:
            answer = perform(name, run_id, book, house.settings)
        except BianzhiError:
            assert name == "conclude", "a red night ends red after all its work"
        if name == "gate" and answer["read"] + answer["taken_over"]:
            counts[book] = (answer["read"], answer["taken_over"])
    return run_id, counts


def read_again(house: House, run_id: int) -> set[tuple[str, str]]:
    """(division, book) of the files the gate read in a run, as the database has it."""
    rows = house.query(
        select(Delivery.division_code, Delivery.book).where(Delivery.run_id == run_id, Delivery.taken_over.is_(False))
    )
    return {(row.division_code, row.book) for row in rows}


def snapshot_files(house: House, run_id: int) -> list[Path]:
    with reading(engine_for(house.settings.database_url)) as session:
        folder = snapshot_dir(house.settings, run_of(session, run_id))
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def contents(house: House, run_id: int) -> dict[str, bytes]:
    """Every file of a run's snapshot."""
    top = house.settings.snapshots_dir
    return {"/".join(path.relative_to(top).parts[2:]): path.read_bytes() for path in snapshot_files(house, run_id)}


def afresh(house: House, tmp_path: Path, as_of: date = A) -> dict[str, bytes]:
    """The snapshot of the same inbox in a new HOME, which has kept nothing; no step after the rules adds to it."""
    other = House(replace(house.settings, home=tmp_path, database_url=f"sqlite:///{tmp_path / 'bianzhi.db'}"))
    other.inbox = house.inbox
    run_id, counts = walk(other, as_of, "detect")
    assert all(taken_over == 0 for _, taken_over in counts.values())
    return contents(other, run_id)


def test_a_rerun_after_one_corrected_file_reads_that_file_alone(house, tmp_path):
    two_divisions(house, payroll=[pay(100, "100"), pay(101, "100", person_state="？"), pay(102, "100")])
    first, counts = walk(house)
    assert counts == dict.fromkeys(("units", "establishment", "roster", "payroll"), (2, 0))
    assert len(read_again(house, first)) == 8
    two_divisions(house)
    second, counts = walk(house)
    assert second != first
    assert counts == {"units": (0, 2), "establishment": (0, 2), "roster": (0, 2), "payroll": (1, 1)}
    assert read_again(house, second) == {(TWO, "payroll")}
    assert contents(house, second) == afresh(house, tmp_path / "afresh")
    assert house.flags() == []


def test_the_same_files_on_the_next_day_are_not_read_again_and_ages_are_of_that_day(house, tmp_path):
    # Sixty years and five months between the two days (DOMAIN §4, D04).
    old = {"person_id": person_id(9, "19660510"), "person_name": "甲9"}
    for day in (date(2026, 9, 15), date(2026, 10, 16)):
        two_divisions(house, day)
        deliver(house.inbox, day, ONE, roster=[*good_books(5)["roster"], member(9) | old])
    _, counts = walk(house, date(2026, 9, 15))
    assert counts["roster"] == (2, 0)
    run_id, counts = walk(house, date(2026, 10, 16))
    assert counts == dict.fromkeys(("units", "establishment", "roster", "payroll"), (0, 2))
    there = contents(house, run_id)
    assert there == afresh(house, tmp_path / "afresh", date(2026, 10, 16))
    ages = [
        pq.read_table(path)["age"].to_pylist()
        for path in sorted(house.settings.snapshots_dir.glob("*/1/roster.parquet"))
    ]
    assert [[age for age in column if age] for column in ages] == [[], ["60岁"]]


def test_other_units_make_only_the_files_that_speak_of_them_be_read_again(house, tmp_path):
    people = [member(100, "100"), member(101, "100"), member(102, "9")]
    two_divisions(house, roster=people)
    walk(house)
    # 9 was a code nobody knew; now it is what a spreadsheet has left of 009.
    two_divisions(house, roster=people, units=[unit("100", TWO), unit("009", TWO)])
    second, counts = walk(house)
    assert counts == {"units": (1, 1), "establishment": (0, 2), "roster": (1, 1), "payroll": (0, 2)}
    assert read_again(house, second) == {(TWO, "units"), (TWO, "roster")}
    there = contents(house, second)
    assert there == afresh(house, tmp_path / "afresh")
    assert house.query(select(Delivery.taken_over).where(Delivery.run_id == second, Delivery.book.is_(None))) == []
    # A unit more that no file speaks of: nothing but the units themselves.
    two_divisions(house, roster=people, units=[unit("100", TWO), unit("009", TWO), unit("555", TWO)])
    third, counts = walk(house)
    assert read_again(house, third) == {(TWO, "units")}
    assert contents(house, third) == afresh(house, tmp_path / "again")


def test_a_rank_the_office_names_is_shown_from_then_on_and_read_again_for_it(house):
    two_divisions(house)
    people = [row | {"rank": "巴图鲁"} for row in good_books(5)["roster"]]
    deliver(house.inbox, A, ONE, roster=people)

    def ranks() -> set[str]:
        run_id, counts = walk(house, last="gate")
        assert counts["roster"] == (2, 0)
        (path,) = (path for path in snapshot_files(house, run_id) if path.name == "roster.parquet")
        return set(pq.read_table(path)["rank"].to_pylist()) - {None}

    assert "巴图鲁" not in ranks()
    with writing(engine_for(house.settings.database_url)) as session:
        set_parameter(session, "rank_order", RANKS, ALL, date(2020, 1, 1), actor="test", now=datetime.now(UTC))
    assert ranks() == {"巴图鲁"}


def test_a_step_run_again_still_says_what_was_read_the_first_time(house):
    two_divisions(house)
    first, _ = walk(house)
    again, counts = walk(house)
    assert again == first
    assert counts["payroll"] == (0, 2)
    assert len(read_again(house, first)) == 8


def test_a_corrected_control_csv_judges_the_book_again_and_reads_no_file(house):
    two_divisions(house)
    deliver(house.inbox, A, ONE, control="file,rows,sha256\npayroll.csv,6,\n")
    first, _ = walk(house)
    lacking = lambda: {row["rule"] for row in house.not_evaluable() if row["book"] == "payroll"}
    assert "F02" in lacking()
    deliver(house.inbox, A, ONE, control="file,rows,sha256\npayroll.csv,5,\n")
    second, counts = walk(house)
    assert second != first
    assert counts["payroll"] == (0, 2)
    assert lacking() == set()


@pytest.fixture(scope="module")
def gated_once(tmp_path_factory) -> SavedHome:
    """A night of two divisions as far as the gate, whose work the tests below damage or give up."""
    house = House(settings_in(tmp_path_factory.mktemp("gated") / "home"))
    two_divisions(house)
    _, counts = walk(house, last="gate")
    assert counts == dict.fromkeys(("units", "establishment", "roster", "payroll"), (2, 0))
    return SavedHome(house.settings.home, house.settings.database_url)


@pytest.fixture
def gated_house(gated_once) -> House:
    gated_once.put_back()
    return House(settings_in(gated_once.home))


KINDS = ("files/*/*.zip", "files/*/*.codes", "books/*/*/record.json", "books/*/*/rows", "books/*/*/docs")


@pytest.mark.parametrize("pattern", KINDS)
@pytest.mark.parametrize("how", ["changed", "cut short", "empty"])
def test_what_is_damaged_is_made_again(gated_house, pattern, how):
    house = gated_house
    [(run_id,)] = house.query(select(NightRun.id))
    before = contents(house, run_id)
    hurt = sorted(house.settings.cache_dir.glob(pattern))
    assert hurt
    for path in hurt:
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.unlink()  # the snapshot may have the same bytes by the same name
        parts = {"changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
                 "cut short": whole[:middle], "empty": b""}  # fmt: skip
        path.write_bytes(parts[how])
    if pattern.startswith("files"):
        shutil.rmtree(house.settings.cache_dir / "books")
    # What the first run of the gate left cannot be mistaken for what this one makes.
    for path in snapshot_files(house, run_id):
        path.unlink()
    again, counts = walk(house, last="gate")
    assert again == run_id
    read = 2 if pattern.startswith("files") else 0
    assert counts == dict.fromkeys(("units", "establishment", "roster", "payroll"), (read, 2 - read))
    assert contents(house, run_id) == before


def test_another_key_makes_everything_anew(gated_house):
    house = gated_house
    other = House(replace(house.settings, person_key="other-person-key" * 3,
                          database_url=f"sqlite:///{house.settings.home / 'other.db'}"))  # fmt: skip
    run_id, counts = walk(other, last="gate")
    assert counts == dict.fromkeys(("units", "establishment", "roster", "payroll"), (2, 0))
    assert len(read_again(other, run_id)) == 8


@pytest.mark.parametrize("what", ["GATE_VERSION", "code_mark"])
def test_another_version_of_the_gate_makes_everything_anew(gated_house, monkeypatch, what):
    monkeypatch.setattr(keeping, what, "raised" if what == "GATE_VERSION" else lambda: "other code")
    _, counts = walk(gated_house, last="gate")
    assert counts == dict.fromkeys(("units", "establishment", "roster", "payroll"), (2, 0))


def test_the_code_at_work_has_one_name_in_every_process():
    done = subprocess.run(
        [sys.executable, "-c", "from expectations.keeping import code_mark; print(code_mark())"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.strip() == keeping.code_mark()


def test_nobody_is_named_in_what_the_gate_keeps(house):
    two_divisions(house, roster=[member(n, "100", person_name=f"欧阳文忠{n}", status="在职" if n else "欧阳文忠") for n in range(9)],
                  payroll=[pay(n, "100", person_name=f"欧阳文忠{n}", account=f"62220212340000{n:05d}") for n in range(9)])  # fmt: skip
    walk(house)
    planted = Planted.delivered(house.inbox)
    accounts = Planted(frozenset(f"62220212340000{n:05d}" for n in range(9)), frozenset())
    assert len(planted.ids) > 9
    assert planted.names
    kept = sorted(path for path in house.settings.cache_dir.rglob("*") if path.is_file())
    assert {path.suffix for path in kept} >= {".zip", ".codes", ".json"}
    assert house.settings.cache_dir.stat().st_mode & 0o777 == 0o700
    for whom in (planted, accounts):
        found = leaks([house.settings.cache_dir], whom, ())
        assert {place: len(people) for place, people in found.items()} == {}
    assert leaks([house.settings.raw_dir], planted, ()), "or the search would find nothing anywhere"


GATE = """
import sys
from pathlib import Path
from tests.integration.test_incremental_night import gated
gated(Path(sys.argv[1]), int(sys.argv[2]))
"""


def gated(top: Path, processes: int = 1) -> int:
    """The gate on a folder of payrolls; how many of them it took over."""
    files = [DeliveredFile("370104", path.name, path, path.name * 8) for path in sorted((top / "in").iterdir())]
    setting = GateSetting(A, "test-person-key-" * 3, docs_dir=top / "docs", cache_dir=top / "cache")
    result = gate_book("payroll", files, setting, top / "out", rows=5_000, processes=processes)
    return sum(file.taken_over for file in result.files)


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(what, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def big_payroll(folder: Path, rows: int) -> None:
    folder.mkdir(parents=True)
    head = ",".join(pay(0))
    for part in range(4):
        lines = [
            ",".join(map(str, pay(0, person_id=f"37010419900101{n:04d}", account=part).values())) for n in range(rows)
        ]
        (folder / f"payroll-{part}.csv").write_text("\n".join([head + ",account", *lines]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("processes", [1, 2])
def test_killed_midway_the_gate_leaves_nothing_wrong_and_nobody_behind(tmp_path, processes):
    big_payroll(tmp_path / "in", 20_000)
    entries = lambda: list((tmp_path / "cache").glob("files/*/*.zip"))
    with subprocess.Popen([sys.executable, "-c", GATE, str(tmp_path), str(processes)]) as first:
        wait_for(entries)
        others = children(first.pid)
        os.kill(first.pid, signal.SIGKILL)
    assert not (tmp_path / "out" / "payroll.parquet").exists()
    assert len(others) >= processes - 1
    wait_for(lambda: not any(map(alive, others)))
    done = len(entries())
    assert 0 < done < 4
    assert gated(tmp_path) == done
    there = {path.name: path.read_bytes() for folder in ("out", "docs") for path in (tmp_path / folder).iterdir()}
    for folder in ("out", "docs", "cache"):
        shutil.rmtree(tmp_path / folder)
    assert gated(tmp_path) == 0
    assert there == {
        path.name: path.read_bytes() for folder in ("out", "docs") for path in (tmp_path / folder).iterdir()
    }
