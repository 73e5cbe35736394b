"""Writers of a SQLite file take turns: threads and processes wait for each other, and nobody waits for the dead."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

import core.turns
from core.db import engine_for, writing
from core.migrate import upgrade
from core.turns import Turns

ROOT = Path(__file__).resolve().parents[2]
HOLD = (
    "import sys, time; from core.turns import Turns\n"
    "with Turns(sys.argv[1]).turn(20) as mine:\n    print(mine, flush=True)\n    time.sleep(600)"
)


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "pool.db-turns")


@contextmanager
def another(script: str, path: str) -> Iterator[subprocess.Popen]:
    """Another process that holds what its script takes, and says so first."""
    process = subprocess.Popen([sys.executable, "-c", script, path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def holder(path):
    """Another process that has the turn."""
    with another(HOLD, path) as process:
        yield process


def test_who_waits_for_another_process_waits_no_longer_than_said(path, holder):
    begun = time.monotonic()
    with Turns(path).turn(0.3) as mine:
        assert not mine
    assert 0.3 <= time.monotonic() - begun < 10


@pytest.fixture
def first_in_queue(path):
    """Another process that waits, first in the queue."""
    script = (
        "import sys, time; from core.turns import FIRST, Turns\nturns = Turns(sys.argv[1])\n"
        "print(turns._lock(FIRST), flush=True)\ntime.sleep(600)"
    )
    with another(script, path) as process:
        yield process


@pytest.mark.parametrize(("moment", "let_in"), [(600, True), (0, False)])
def test_only_for_a_moment_is_let_in_who_comes_back_before_who_waits(path, request, monkeypatch, moment, let_in):
    monkeypatch.setattr(core.turns, "AGAIN", moment)
    turns = Turns(path)
    with turns.turn(1) as mine:
        assert mine
    request.getfixturevalue("first_in_queue")
    with turns.turn(0.2) as mine:
        assert mine == let_in


def test_the_turn_of_a_killed_process_is_free(path, holder):
    holder.kill()
    holder.wait()
    with Turns(path).turn(20) as mine:
        assert mine


def test_a_thread_waits_until_the_other_has_done(path):
    turns, seen = Turns(path), []

    def second() -> None:
        with turns.turn(20) as mine:
            seen.append(("second", mine))

    with turns.turn(1) as mine:
        waits = threading.Thread(target=second)
        waits.start()
        time.sleep(0.2)
        seen.append(("first", mine))
    waits.join()
    assert seen == [("first", True), ("second", True)]


def test_who_has_the_turn_may_take_it_again(path):
    turns = Turns(path)
    with turns.turn(1), turns.turn(1) as mine:
        assert mine
    with turns.turn(1) as mine:
        assert mine


def test_where_no_file_can_be_made_there_is_no_queue(tmp_path):
    with Turns(str(tmp_path / "nowhere" / "turns")).turn(1) as mine:
        assert not mine


def test_a_writer_holds_the_turn_until_its_transaction_ends(tmp_path):
    engine = engine_for(f"sqlite:///{tmp_path / 'pool.db'}")
    upgrade(engine)
    command = [
        sys.executable,
        "-c",
        HOLD.replace("turn(20)", "turn(0.2)").replace("600", "0"),
        str(tmp_path / "pool.db-turns"),
    ]
    ask = lambda: subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with writing(engine) as session:
        session.execute(text("SELECT 1"))
        assert ask() == "False\n"
    assert ask() == "True\n"
    with pytest.raises(ZeroDivisionError), writing(engine):
        _ = 1 // 0
    assert ask() == "True\n"
