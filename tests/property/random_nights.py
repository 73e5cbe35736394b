"""Small random nights with every book, dirt facts, absent books and count-only units; equal seeds give equal nights.

They keep what the gate promises (DOMAIN §3): no overlapping versions of a unit, no code in two divisions, no two current
roster rows of one person and cell, one document once per cell and copy, and no row of a book that was not accepted.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from core.types import FundForm, IdType, Level, PersonState, PersonStatus, PostType, UnitKind
from expectations.books import BOOKS, snapshot_schema
from tests.spec.spec import AS_OF, FACT_SCHEMAS, STATES, Night

FOLDERS = ("370000", "370100", "370102", "370103", "370102001")
TYPES = [t.value for t in PostType]
FORMS = [f.value for f in FundForm]
DATES = [
    date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 20), date(2026, 10, 21),
    date(2026, 10, 31), date(2026, 11, 1), date(2027, 1, 1), date(2019, 5, 6),
]  # fmt: skip
BOOKS_OF_ROWS = ("establishment", "roster", "payroll", "headcount", "leads", "base")


class _Dice(Random):
    """A random source that mostly answers the plain thing."""

    def rarely(self, one_in: int) -> bool:
        return self.randrange(one_in) == 0

    def mostly(self, usual: Any, others: Any, one_in: int = 6) -> Any:
        return self.choice(list(others)) if self.rarely(one_in) else usual


def random_night(seed: int) -> Night:
    dice = _Dice(seed)
    folders = dice.sample(FOLDERS, dice.randint(1, 4))
    states = {(folder, book): _state(dice, book) for folder in folders for book in BOOKS}
    for folder in folders:
        # Whole divisions that deliver counts, and nothing about people.
        if dice.rarely(5):
            states |= {(folder, book): "absent" for book in ("roster", "payroll")}
            states[(folder, "headcount")] = "accepted"
    units = _units(dice, folders)
    codes = [row["unit_code"] for row in units] + dice.sample(["X1", 'X"2'], dice.randint(0, 2))
    people = [f"p{n:02d}" for n in range(dice.randint(3, 14))]
    rows: dict[str, list[dict]] = {book: [] for book in BOOKS}
    rows["units"] = units
    for folder in folders:
        rows["establishment"] += _establishment(dice, folder, codes)
        rows["leads"] += _leads(dice, folder, people)
        rows["base"] += _base(dice, folder)
    rows["headcount"] = _headcount(dice, folders, codes)
    rows["roster"], rows["payroll"] = _person_rows(dice, folders, codes, people)
    books = {book: _accepted(book, book_rows, states) for book, book_rows in rows.items()}
    facts: dict[str, list[dict]] = {name: [] for name in FACT_SCHEMAS} | {
        "quarantine": _quarantine(dice, folders, codes),
        "totals": _totals(dice, folders),
        "cutoffs": _cutoffs(dice, folders),
        "position": _position(dice, codes),
    }
    return Night(
        books, facts, _verdicts(folders, states), dice.mostly(AS_OF, [date(2026, 10, 31), date(2026, 10, 1)], 4)
    )


def _state(dice: _Dice, book: str) -> str:
    usual = "accepted" if book in ("units", "establishment", "roster", "payroll") else "absent"
    if usual == "absent":
        return dice.choice(["accepted", "absent"])
    return dice.mostly(usual, [*STATES, "absent"], 12)


def _accepted(book: str, rows: list[dict], states: dict[tuple[str, str], str]) -> list[dict]:
    kept = []
    for number, row in enumerate(rows, 1):
        if STATES[states[(row["delivered_by"], book)]][2]:
            full = dict.fromkeys(snapshot_schema(book)) | {"file": f"{book}.csv", "row": number} | row
            kept.append(full)
    return kept


def _verdicts(folders: list[str], states: dict[tuple[str, str], str]) -> list[dict]:
    return [
        dict(
            zip(
                ("division_code", "book", "expected", "delivered", "accepted"),
                (folder, book, *STATES[state]),
                strict=True,
            )
        )
        for (folder, book), state in sorted(states.items())
        if folder in folders
    ]


def _units(dice: _Dice, folders: list[str]) -> list[dict]:
    rows = []
    for n in range(dice.randint(1, 5)):
        folder = dice.choice(folders)
        row = {
            "unit_code": f"U{n}", "unit_name": f"单位{n}", "delivered_by": folder,
            "division_code": dice.mostly(folder, ["370102", "370102001"]), "level": Level.COUNTY.value,
            "unit_kind": dice.choice([k.value for k in UnitKind]), "approval_doc": dice.mostly("文1", [None]),
            "delivers": dice.mostly("PERSONS", ["COUNTS"], 5),
            "valid_from": dice.mostly(None, [date(2026, 10, 20), date(2027, 1, 1), date(2000, 1, 1)]),
            "valid_to": None,
        }  # fmt: skip
        if dice.rarely(6):
            row["valid_from"], row["valid_to"] = date(1990, 1, 1), dice.choice([date(2026, 10, 20), date(2020, 1, 1)])
            if dice.rarely(2):
                rows.append(
                    row
                    | {"valid_from": date(2026, 10, 21), "valid_to": None, "approval_doc": dice.choice([None, "文2"])}
                )
        rows.append(row)
    return rows


def _cell(dice: _Dice, codes: list[str]) -> dict:
    return {
        "unit_code": dice.choice(codes), "post_type": dice.choice(TYPES[:2] + TYPES[3:]), "fund_form": dice.choice(FORMS)
    }  # fmt: skip


def _establishment(dice: _Dice, folder: str, codes: list[str]) -> list[dict]:
    rows = []
    for n in range(dice.randint(0, 6)):
        cell = _cell(dice, codes)
        for copy in ("LEDGER", *(["CERTIFICATE"] if dice.rarely(2) else []), *(["DATABASE"] if dice.rarely(4) else [])):
            if dice.rarely(8):
                continue
            rows.append(
                cell | {
                    "quota": dice.choice([0, 1, 1, 2, 3]), "copy": copy, "doc_no": f"D{folder}{n}", "delivered_by": folder,
                    "leaders_chief": dice.choice([None, 0, 1]), "leaders_deputy": dice.choice([None, 1]),
                    "leaders_inner_chief": None, "leaders_inner_deputy": None,
                }
            )  # fmt: skip
    return rows


def _person(key: str | None, dice: _Dice) -> dict:
    damaged = key is not None and key in ("p03", "p07")
    kind = dice.mostly("RESIDENT", [k.value for k in IdType], 12)
    problem = "BLANK" if key is None else "CHECK_DIGIT" if damaged and kind == "RESIDENT" else None
    return {
        "id_type": kind, "person_key": key, "person_mask": f"{key}***" if key else "", "id_problem": problem,
        "name_key": "n", "name_mask": "王*",
    }  # fmt: skip


def _person_rows(dice: _Dice, folders: list[str], codes: list[str], people: list[str]) -> tuple[list[dict], list[dict]]:
    roster: list[dict] = []
    payroll: list[dict] = []
    for key in people:
        cells = [_cell(dice, codes) for _ in range(dice.mostly(1, [0, 2, 3], 4))]
        for cell in cells:
            if all((row["person_key"], *_place(row)) != (key, *_place(cell)) for row in roster):
                roster.append(_roster_row(dice, key, cell, folders, codes))
        for _ in range(dice.mostly(1, [0, 2, 3], 4)):
            home = dice.choice(cells) if cells and not dice.rarely(4) else _cell(dice, codes)
            payroll.append(_payroll_row(dice, key, home, folders, codes))
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        roster.append(_roster_row(dice, None, _cell(dice, codes), folders, codes))
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        payroll.append(_payroll_row(dice, None, _cell(dice, codes), folders, codes))
    return roster, payroll


def _place(row: dict) -> tuple[str, str, str]:
    return row["unit_code"], row["post_type"], row["fund_form"]


def _roster_row(dice: _Dice, key: str | None, cell: dict, folders: list[str], codes: list[str]) -> dict:
    status = dice.mostly("IN_SERVICE", [s.value for s in PersonStatus], 3)
    entry = dice.mostly(date(2001, 3, 1), [None, *DATES], 5)
    leaving = status in ("LEFT", "RETIRED")
    leaves = dice.mostly(dice.choice(DATES), [None], 5) if leaving else dice.mostly(None, DATES, 10)
    return _person(key, dice) | cell | {
        "status": status, "entry_date": entry, "entry_date_exact": None if entry is None else entry.day != 1 or dice.rarely(2),
        "exit_date": leaves, "exit_date_exact": None if leaves is None else leaves.day != 1 or dice.rarely(2),
        "seconded_to": dice.choice(codes) if status == "SECONDED_OUT" and not dice.rarely(5) else None,
        "leader_tier": dice.mostly(None, ["CHIEF", "DEPUTY"], 5), "delivered_by": dice.choice(folders),
    }  # fmt: skip


def _payroll_row(dice: _Dice, key: str | None, cell: dict, folders: list[str], codes: list[str]) -> dict:
    return _person(key, dice) | {
        "month": dice.mostly("2026-10", ["2026-09"], 10), "paying_unit_code": cell["unit_code"],
        "on_behalf_of": dice.mostly(None, codes, 10), "fund_mode": dice.mostly(cell["fund_form"], FORMS),
        "person_state": dice.mostly("IN_SERVICE", [s.value for s in PersonState], 8),
        "on_establishment": dice.mostly("YES", ["NO"], 10),
        "amount": dice.mostly(500000, [None, 0, -500000, -100, 100], 5), "delivered_by": dice.choice(folders),
    }  # fmt: skip


def _headcount(dice: _Dice, folders: list[str], codes: list[str]) -> list[dict]:
    """Figures of some units: by cell, by type, or the bare total; sometimes as parts of another unit."""
    rows = []
    for unit in dice.sample(codes, dice.randint(0, len(codes))):
        folder = dice.choice(folders)
        style = dice.choice(["cell", "cell", "type", "total"])
        others = [code for code in codes if code != unit]
        part_of = dice.choice(others) if others and dice.rarely(4) else None
        types = [None] if style == "total" else dice.sample(TYPES, dice.randint(1, 3))
        forms = [None] if style != "cell" else dice.sample(FORMS, dice.randint(1, 2))
        for kind in types:
            for form in forms:
                rows += [
                    {
                        "unit_code": unit, "measure": measure, "post_type": kind, "fund_form": form,
                        "scope": dice.mostly("ON_ESTABLISHMENT", ["IN_SERVICE", "YEAR_END_ALL"], 8),
                        "count": dice.mostly(dice.randint(0, 4), [None], 8), "part_of": part_of,
                        "source": dice.mostly("年报", [None, '"报"\n表'], 6), "delivered_by": folder,
                    }
                    for measure in ("QUOTA", "IN_POST", "PAID")
                    if not dice.rarely(5)
                ]  # fmt: skip
    return rows


def _leads(dice: _Dice, folder: str, people: list[str]) -> list[dict]:
    rows = []
    for _ in range(dice.choice([0, 0, 1, 2])):
        day = dice.choice([None, *DATES])
        kind = dice.mostly("DEATH", ["RETIREMENT", "PRISON"], 3)
        rows.append(
            _person(dice.choice(people), dice)
            | {"kind": kind, "date": day, "date_exact": True, "source": "民政", "delivered_by": folder}
        )
    return [{name: value for name, value in row.items() if name in snapshot_schema("leads")} for row in rows]


def _base(dice: _Dice, folder: str) -> list[dict]:
    return [
        {
            "division_code": dice.mostly(folder, FOLDERS), "post_type": kind, "base_2012": dice.choice([None, 0, 2, 5]),
            "issued_total": dice.choice([None, 1, 3]), "base_paid": None, "delivered_by": folder,
        }
        for kind in dice.sample(TYPES, dice.randint(0, 2))
    ]  # fmt: skip


def _fact(name: str, row: dict) -> dict:
    return dict.fromkeys(FACT_SCHEMAS[name]) | {"file": "x.csv", "row": 1} | row


def _quarantine(dice: _Dice, folders: list[str], codes: list[str]) -> list[dict]:
    rows = []
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        cell = _cell(dice, codes)
        if dice.rarely(3):
            cell["post_type"] = None
        book = dice.choice(["units", "establishment", "roster", "payroll"])
        place = {"book": book, "division_code": dice.choice(folders), "column": "x", "reason": "BAD"}
        rows.append(_fact("quarantine", {**place, **cell}))
    return rows


def _totals(dice: _Dice, folders: list[str]) -> list[dict]:
    return [
        _fact(
            "totals",
            {"book": "payroll", "division_code": dice.choice(folders), "kind": "合计", "column": "amount",
             "stated": dice.choice(["12", "15", None]), "computed": dice.choice(["12", "14.5", None])},
        )
        for _ in range(dice.choice([0, 0, 1, 2]))
    ]  # fmt: skip


def _cutoffs(dice: _Dice, folders: list[str]) -> list[dict]:
    return [
        {"book": dice.choice(["roster", "payroll"]), "division_code": dice.choice(folders), "file": f"{n}.csv",
         "cutoff": dice.choice(DATES[:2])}
        for n in range(dice.choice([0, 0, 2, 3]))
    ]  # fmt: skip


def _position(dice: _Dice, codes: list[str]) -> list[dict]:
    if not dice.rarely(4):
        return []
    return [_cell(dice, codes) | {"borrowed": dice.randint(0, 2), "lent": dice.randint(0, 1)}]
