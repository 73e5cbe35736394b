"""The demo's ledger and loans as `make night` brings them about: every act through the doors, and the truth still found."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from random import SystemRandom

import pytest
from click.testing import CliRunner, Result

from cli import main

PEOPLE = 4000


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
    """A city of a fresh seed, its accounts and parameters in a HOME of their own."""
    seed, folder = SystemRandom().randrange(10**6), tmp_path / "demo"
    print(f"seed {seed}")
    monkeypatch.setenv("BIANZHI_HOME", str(tmp_path / "home"))
    run("demo", "--out", folder, "--people", PEOPLE, "--seed", seed)
    run("db", "upgrade")
    run("account", "import", folder / "accounts.csv")
    run("parameter", "import", folder / "parameters.csv")
    shutil.copytree(folder / "position", tmp_path / "home" / "position")
    return folder


def test_every_act_of_the_script_passes_its_door_and_the_nights_after_it_find_the_truth(city, tmp_path):
    first, *later = sorted(path.name for path in (city / "inbox").iterdir())
    run("night", "--inbox", city / "inbox", "--as-of", first)
    tokens = tmp_path / "tokens.json"
    run("account", "token", *sorted(set(column(city / "pool/acts.csv", "as"))), "--out", tokens)
    hands = {}
    for login, token in json.loads(tokens.read_text()).items():
        hands[login] = ("--as", login, "--token-file", tmp_path / login)
        (tmp_path / login).write_text(token)
    run("pool", "tree", *hands["bianban"])
    logins, units = (column(city / "pool/units.csv", name) for name in ("login", "unit_code"))
    for login in sorted(set(logins)):
        own = [part for by, unit in zip(logins, units, strict=True) if by == login for part in ("--unit", unit)]
        run("pool", "open", "--as-of", first, *hands[login], *own)
    run("pool", "apply", city / "pool/acts.csv", "--tokens", tokens)
    for night in later:
        run("night", "--inbox", city / "inbox", "--as-of", night, codes=(0, 11))
    run("verify")
    run("rehearsal", "--dir", city)
