"""Whole nights over synthetic cities: what was planted is found, exactly, and nothing else. `make prove` runs it larger:
`python -m tests.integration.test_truth --people 20000 --seeds 1 2 3`."""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import select

from core.account_import import import_accounts
from core.accounts import get_user
from core.db import engine_for, reading, writing
from core.parameter_import import import_parameters
from core.permissions import scope_of
from core.settings import load_settings
from demo.accounts import LEAD_REVIEWERS
from demo.city import make_city
from demo.rewriting import rewrite
from demo.truth import compare
from reconcile.catalog import RESTRICTED
from reconcile.models import NightRun, Verdict
from reconcile.store import FlagFilter, night_flags, night_run
from tests.nightkit import House

LAST = date(2026, 10, 31)
KEYS = {"BIANZHI_SECRET_KEY": "truth-secret-key" * 3, "BIANZHI_PERSON_KEY": "truth-person-key" * 3}


def nights_of(folder: Path) -> list[date]:
    return [date.fromisoformat(path.name) for path in sorted((folder / "inbox").iterdir())]


def house_in(folder: Path, city: Path) -> House:
    """A HOME that knows the city's parameters, the reviewers they name, and our own book."""
    house = House(load_settings({"BIANZHI_HOME": str(folder), **KEYS}))
    shutil.copytree(city / "position", folder / "position")
    named = folder / "named.csv"
    with (city / "accounts.csv").open(encoding="utf-8") as file, named.open("w", encoding="utf-8", newline="") as out:
        rows = csv.reader(file)
        csv.writer(out).writerows(row for row in rows if row[0] in ("login", *LEAD_REVIEWERS))
    with writing(engine_for(house.settings.database_url)) as session:
        import_accounts(session, named, actor="test", now=datetime.now(UTC))
        import_parameters(session, city / "parameters.csv", actor="test", now=datetime.now(UTC))
    return house


COUNTS = ("verdict", "rows_in", "accepted", "duplicates", "quarantined")


def differences(city: Path, house: House, inbox: Path) -> list[str]:
    """Run every night of a city; what differs from its truth: flags, what could not be judged, the verdict and counts of
    every book, and the colour of the night."""
    wrong = []
    for night in nights_of(city):
        truth = json.loads((city / "truth" / f"{night}.json").read_text(encoding="utf-8"))
        code = house.night(night, inbox)
        if code != truth["exit"]:
            wrong.append(f"{night}: exit {code}, truth {truth['exit']}")
        wrong += [f"{night}: {line}" for line in compare(truth, house.flags(night), KEYS["BIANZHI_PERSON_KEY"])]
        gaps = lambda rows: {
            tuple(row[name] for name in ("rule", "division_code", "unit_code", "book")) for row in rows
        }
        wrong += [
            f"{night} not evaluable: {row}" for row in gaps(house.not_evaluable(night)) ^ gaps(truth["not_evaluable"])
        ]
        wrong += [f"{night}: {line}" for line in miscounted(truth["verdicts"], house, night)]
        wrong += [f"{night}: {line}" for line in hidden_leads(house, night)]
    return wrong


def hidden_leads(house: House, night: date) -> list[str]:
    """The leads of a night that one of the two named for them does not see."""
    leads = {row["key"] for row in house.flags(night, *RESTRICTED)}
    with reading(engine_for(house.settings.database_url)) as session:
        run = night_run(session, night)
        seen = {
            login: {
                item.key
                for item in night_flags(
                    session, run, scope_of(session, get_user(session, login), night), FlagFilter(RESTRICTED), limit=None
                )
            }
            for login in LEAD_REVIEWERS
        }
    lines = [f"{login} does not see {key}" for login, keys in seen.items() for key in sorted(leads - keys)]
    return lines if leads else ["no lead at all"]


def miscounted(due: Iterable[dict], house: House, night: date) -> list[str]:
    """The books of which the gate said or counted something else than the truth; of a rejected one the counts are its own."""
    rows = house.query(select(Verdict).join(NightRun).where(NightRun.as_of == night, NightRun.superseded_by.is_(None)))
    given = {(row.division_code, row.book): tuple(getattr(row, name) for name in COUNTS) for (row,) in rows}
    lines = []
    for one in due:
        place = one["division_code"], one["book"]
        words, compared = given.get(place, ("MISSING", 0, 0, 0, 0)), 1 if one["verdict"] == "REJECTED" else len(COUNTS)
        if tuple(map(str, words))[:compared] != tuple(str(one[name]) for name in COUNTS)[:compared]:
            lines.append(f"{place}: {words}")
    return lines


def check_city(folder: Path, people: int, seed: int) -> list[str]:
    """Truth of a planted city, of the same city rewritten, and silence over the clean one.

    The cities are made in a process of their own, which takes what a large one holds in memory with it; there the clean
    one has its nights while those of the planted one run here.
    """
    city = folder / "city"
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        planted = pool.submit(make_city, city, people, seed, LAST)
        silent = pool.submit(clean_differences, folder, people, seed)
        planted.result()
        return planted_differences(folder, city, seed) + silent.result()


def check_as_delivered(folder: Path, people: int, seed: int) -> list[str]:
    """Truth of the planted city alone, dirt and all: a third of the work."""
    city = folder / "city"
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(make_city, city, people, seed, LAST).result()
    return differences(city, house_in(folder / "home", city), city / "inbox")


def clean_differences(folder: Path, people: int, seed: int) -> list[str]:
    """The same city with nothing planted: every night must be green and find nothing."""
    clean = folder / "clean"
    make_city(clean, people, seed, LAST, clean=True)
    house = house_in(folder / "home-clean", clean)
    wrong = []
    for night in nights_of(clean):
        code = house.night(night, clean / "inbox")
        if code or house.flags(night):
            wrong.append(f"{night}: the clean city gave exit {code} and {len(house.flags(night))} flags")
    return wrong


def planted_differences(folder: Path, city: Path, seed: int) -> list[str]:
    """As delivered and written another way: each against the truth, and the two against each other."""
    first, second = (house_in(folder / name, city) for name in ("home", "home-rewritten"))
    wrong = differences(city, first, city / "inbox")
    rewrite(city / "inbox", folder / "rewritten", seed)
    wrong += differences(city, second, folder / "rewritten")
    for night in nights_of(city):
        if first.keys(night) != second.keys(night):
            wrong.append(f"{night}: shuffled, split and re-encoded, the keys differ")
    return wrong


def test_what_was_planted_is_found_and_nothing_else(tmp_path):
    """In this process, whose libraries are loaded: at this size another would cost more than it spares."""
    seed = random.SystemRandom().randrange(1_000_000)
    city = tmp_path / "city"
    make_city(city, 400, seed, LAST)
    wrong = planted_differences(tmp_path, city, seed) + clean_differences(tmp_path, 400, seed)
    assert wrong == [], f"seed {seed}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--as-delivered", action="store_true", help="neither rewritten nor clean")
    given = parser.parse_args()
    check = check_as_delivered if given.as_delivered else check_city
    failed = False
    for number in given.seeds:
        with tempfile.TemporaryDirectory() as name:
            lines = check(Path(name), given.people, number)
        print(f"{given.people} people, seed {number}: {'truth = found' if not lines else f'{len(lines)} differences'}")
        print("\n".join(lines[:20]), flush=True)
        failed |= bool(lines)
    sys.exit(failed)
