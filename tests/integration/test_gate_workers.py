"""Several processes judge the files of one book as one does."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from core.errors import InputRejected, InvariantViolated, Unavailable
from expectations.gate import DeliveredFile, GateSetting, gate_book
from expectations.workers import BYTES_PER_SECOND, MOST_PROCESSES, START_SECONDS, worth
from tests.gatekit import AS_OF, KEY, UNITS, Night, roster


def delivered(folder: Path) -> Night:
    """Seven files of two divisions: good rows, bad ones, rows that contradict others, copies, and files nobody can read."""
    night = Night(folder)
    night.deliver("370104", "roster-1.csv", [roster(n, status="在职" if n % 5 else "?") for n in range(60)])
    night.deliver("370104", "roster-2.csv", [roster(n, unit_code="7" if n % 3 else "007") for n in range(40, 90)])
    night.deliver("370104", "roster-3.csv", [roster(n) for n in range(90, 95)], control_rows=5)
    night.deliver("370104", "roster-4.csv", [roster(n) for n in range(90, 95)], control_rows=5)
    night.deliver("370105", "roster-1.csv", [roster(n, rank="x") for n in range(30)])
    night.deliver("370106", "roster.xlsx", b"PK\x03\x04 cut short")
    night.deliver("370106", "roster.csv", [roster(n) for n in range(200, 210)])
    return night


def test_the_result_does_not_depend_on_the_number_of_processes(tmp_path):
    night = delivered(tmp_path)
    found = []
    for processes in (1, 2, 3):
        out, docs = tmp_path / f"out{processes}", tmp_path / f"docs{processes}"
        setting = GateSetting(AS_OF, KEY, unit_codes=UNITS, docs_dir=docs)
        result = gate_book("roster", night.files, setting, out, processes=processes)
        found.append((result, {path.name: path.read_bytes() for path in [*out.iterdir(), *docs.iterdir()]}))
    assert found[0] == found[1] == found[2]
    assert [verdict.verdict for verdict in found[0][0].verdicts] == [
        "ACCEPTED_WITH_QUARANTINE", "ACCEPTED_WITH_QUARANTINE", "REJECTED",
    ]  # fmt: skip


def test_an_error_of_another_process_is_the_error_it_would_have_been_here(tmp_path):
    night = delivered(tmp_path)
    for number in range(4):
        # It is there, and then it cannot be opened.
        folder = tmp_path / "370107" / f"roster-{number}.csv"
        folder.mkdir(parents=True)
        night.files.append(DeliveredFile("370107", folder.name, folder, f"{number}" * 64))
    for processes in (1, 2):
        with pytest.raises(IsADirectoryError):
            gate_book("roster", night.files, GateSetting(AS_OF, KEY), tmp_path / "out", processes=processes)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [InputRejected, InvariantViolated, Unavailable])
def test_our_errors_travel_between_processes_with_what_they_say(kind):
    error = pickle.loads(pickle.dumps(kind("这一行不对", row=7)))
    assert (type(error), str(error), error.message, error.details) == (kind, "这一行不对", "这一行不对", {"row": 7})


@pytest.mark.parametrize(
    ("seconds", "processors", "count"),
    [
        ([], 2, 1),
        ([100.0], 8, 1),
        ([1.0] * 5, 8, 1),
        ([START_SECONDS * 4] * 4, 1, 1),
        ([START_SECONDS * 4] * 4, 2, 2),
        ([1000.0] * 100, 64, MOST_PROCESSES),
    ],
)
def test_another_process_is_started_where_it_pays(seconds, processors, count):
    assert worth(seconds, processors) == count
    assert set(BYTES_PER_SECOND) == {".csv", ".xlsx", ".parquet"}
