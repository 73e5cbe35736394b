"""The demo's units whose gate is ours, as `make night` brings them about: every act through the doors, and the truth found."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from random import SystemRandom

import pytest
from click.testing import CliRunner, Result

from cli import main
from core.db import engine_for, reading
from core.settings import load_settings
from night.own_lists import gate_differences
from staffing.chain import Subject
from staffing.lists import staff_page
from staffing.notices import SENT


def run(*command: object, codes: tuple[int, ...] = (0,)) -> Result:
    result = CliRunner().invoke(main, list(map(str, command)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in codes, result.output
    return result


def column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


@pytest.fixture
def city(tmp_path, monkeypatch) -> Path:
    """A city of a fresh seed and size (both printed when a test fails), its accounts and parameters in a HOME of their own."""
    dice, folder = SystemRandom(), tmp_path / "demo"
    seed, people = dice.randrange(10**6), dice.choice((400, 1000, 4000))
    monkeypatch.setenv("BIANZHI_HOME", str(tmp_path / "home"))
    print(f"seed {seed}, {people} people")
    run("demo", "--out", folder, "--people", people, "--seed", seed)
    run("db", "upgrade")
    run("account", "import", folder / "accounts.csv")
    run("parameter", "import", folder / "parameters.csv")
    shutil.copytree(folder / "position", tmp_path / "home" / "position")
    return folder


def hands_of(folder: Path, tmp_path: Path) -> tuple[Path, dict[str, tuple]]:
    """Tokens of everybody who acts, and the options each command takes."""
    tokens, hands = tmp_path / "tokens.json", {}
    logins = {login for name in ("pool", "gate") for login in column(folder / name / "acts.csv", "as")}
    run("account", "token", *sorted(logins), "--out", tokens)
    for login, token in json.loads(tokens.read_text()).items():
        hands[login] = ("--as", login, "--token-file", tmp_path / login)
        (tmp_path / login).write_text(token)
    return tokens, hands


def open_ledger(folder: Path, first: str, hands: dict[str, tuple]) -> None:
    run("pool", "tree", *hands["bianban"])
    files = [folder / "pool/units.csv", folder / "gate/units.csv"]
    logins, units = ([value for file in files for value in column(file, name)] for name in ("login", "unit_code"))
    for login in sorted(set(logins)):
        own = [part for by, unit in zip(logins, units, strict=True) if by == login for part in ("--unit", unit)]
        run("pool", "open", "--as-of", first, *hands[login], *own)


def import_duties(folder: Path, hands: dict[str, tuple]) -> None:
    for kind in ("determinations", "items", "workloads"):
        run("duties", "import", kind, folder / f"gate/{kind}.csv", *hands["bianban"])
    run("duties", "import", "standards", folder / "gate/standards.csv", *hands["bianban"])
    document = column(folder / "gate/standards.csv", "文号")[0]
    run(
        "duties",
        "import",
        "reform",
        folder / "gate/reform.csv",
        "--document",
        document,
        "--title",
        "空编收回",
        *hands["bianban"],
    )


def test_the_script_of_the_gate_passes_its_doors_and_the_nights_after_it_find_the_truth(city, tmp_path):
    first, *later = sorted(path.name for path in (city / "inbox").iterdir())
    run("night", "--inbox", city / "inbox", "--as-of", first)
    tokens, hands = hands_of(city, tmp_path)
    open_ledger(city, first, hands)
    run("pool", "apply", city / "pool/acts.csv", "--tokens", tokens)
    run("gate", "acts", city / "gate/acts.csv", "--tokens", tokens)
    again = run("gate", "acts", city / "gate/acts.csv", "--tokens", tokens)
    assert "acts done" in again.output
    import_duties(city, hands)
    for night in later:
        run("night", "--inbox", city / "inbox", "--as-of", night, codes=(0, 11))
    run("verify")
    run("gate", "prove")
    run("rehearsal", "--dir", city)
    see_what_newcomers_see()


def see_what_newcomers_see() -> None:
    settings = load_settings()
    with reading(engine_for(settings.database_url)) as session:
        statuses = {row.status for row in staff_page(session, None, Subject.APPLICATION)[0]}
        slots = {row.status for row in staff_page(session, None, Subject.SLOT)[0]}
        assert gate_differences(session, settings) == []
    assert statuses == {"EXECUTED", "GRANTED", "REVIEWED"}
    assert slots == {"PAID", "LEFT", "ISSUED"}
    waiting = json.loads(run("gate", "notices", "--json").output)
    assert {row["status"] for row in waiting} == {SENT}
    assert all(row["age"] > 0 for row in waiting)
    shown = json.loads(run("certificate", "list", "--json").output)
    assert {(row["state"], row["due"]) for row in shown} == {("VALID", "")}
    assert min(row["version"] for row in shown) >= 2
