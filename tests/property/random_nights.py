"""Small random nights with every book, dirt facts, absent books and count-only units, out of whatever draws.

They keep what the gate promises (DOMAIN §3): no overlapping versions of a unit, no code in two divisions, no two current
roster rows of one person and cell, one document once per cell and copy, and no row of a book that was not accepted.
"""

from __future__ import annotations

from datetime import date

from core.types import IdType, PersonState, PersonStatus, UnitKind
from expectations.books import BOOKS, snapshot_schema
from tests.property import random_history as history
from tests.property.dice import DATES, FOLDERS, FORMS, TYPES, Dice, day_columns, random_cell
from tests.spec.spec import AS_OF, FACT_SCHEMAS, STATES, Night


def random_night(dice: Dice) -> Night:
    dice.lively = not dice.rarely(3)
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
        rows["limits"] += history.limits(dice, folder)
    rows["headcount"] = _headcount(dice, folders, codes)
    rows["roster"], rows["payroll"] = _person_rows(dice, folders, codes, people)
    rows["permits"] = history.cite_permits(dice, rows["roster"], codes, folders)
    as_of = dice.mostly(AS_OF, [date(2026, 10, 31), date(2026, 10, 1)], 4)
    books = {book: _accepted(book, book_rows, states) for book, book_rows in rows.items()}
    facts: dict[str, list[dict]] = {name: [] for name in FACT_SCHEMAS} | {
        "quarantine": _quarantine(dice, folders, codes),
        "totals": _totals(dice, folders),
        "cutoffs": _cutoffs(dice, folders),
        **history.own_book(dice, codes),
        **history.looked_up(dice, as_of),
    }
    return Night(books, facts, _verdicts(folders, states), as_of)


def _state(dice: Dice, book: str) -> str:
    usual = "accepted" if book in ("units", "establishment", "roster", "payroll") else "absent"
    if usual == "absent":
        if book in ("permits", "limits") and dice.rarely(8):
            return dice.choice(list(STATES))
        others = ["accepted", "accepted"] if book == "permits" and dice.lively else []
        return dice.choice(["accepted", "absent", *others])
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


def _units(dice: Dice, folders: list[str]) -> list[dict]:
    rows = []
    for n in range(dice.randint(1, 5)):
        folder = dice.choice(folders)
        row = {
            "unit_code": f"U{n}", "unit_name": f"单位{n}", "delivered_by": folder,
            "division_code": dice.mostly(folder, ["370102", "370102001"]), "level": dice.choice(history.LEVELS),
            "org_rank": dice.choice([None, "副部级", "正处级", "副处级", "正科级", "正科级"]),
            "unit_kind": dice.choice([k.value for k in UnitKind]), "approval_doc": dice.mostly("文1", [None]),
            "delivers": dice.mostly("PERSONS", ["COUNTS"], 5),
            **day_columns(dice, "valid_from", dice.mostly(None, [date(2026, 10, 20), date(2026, 10, 1), date(2027, 1, 1), date(2000, 1, 1)])),
            **day_columns(dice, "valid_to", None),
        }  # fmt: skip
        if dice.rarely(6):
            row |= day_columns(dice, "valid_from", date(1990, 1, 1))
            row |= day_columns(dice, "valid_to", dice.choice([date(2026, 10, 20), date(2020, 1, 1)]))
            if dice.rarely(2):
                later = day_columns(dice, "valid_from", date(2026, 10, 21)) | day_columns(dice, "valid_to", None)
                # The gate lets no version begin on the stored last day of another.
                if later["valid_from"] > row["valid_to"]:
                    rows.append(row | later | {"approval_doc": dice.choice([None, "文2"])})
        rows.append(row)
    return rows


def _establishment(dice: Dice, folder: str, codes: list[str]) -> list[dict]:
    rows = []
    for n in range(dice.randint(0, 6)):
        cell = random_cell(dice, codes)
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


def _person(key: str | None, dice: Dice) -> dict:
    damaged = key is not None and key in ("p03", "p07")
    kind = dice.mostly("RESIDENT", [k.value for k in IdType], 12)
    problem = "BLANK" if key is None else "CHECK_DIGIT" if damaged and kind == "RESIDENT" else None
    return {
        "id_type": kind, "person_key": key, "person_mask": f"{key}***" if key else "", "id_problem": problem,
        **history.name_columns(dice, key),
    }  # fmt: skip


def _person_rows(dice: Dice, folders: list[str], codes: list[str], people: list[str]) -> tuple[list[dict], list[dict]]:
    roster: list[dict] = []
    payroll: list[dict] = []
    for key in people:
        cells = [random_cell(dice, codes) for _ in range(dice.mostly(1, [0, 2, 3], 4))]
        for cell in cells:
            if all((row["person_key"], *_place(row)) != (key, *_place(cell)) for row in roster):
                roster.append(_roster_row(dice, key, cell, folders, codes))
        for _ in range(dice.mostly(1, [0, 2, 3], 4)):
            home = dice.choice(cells) if cells and not dice.rarely(4) else random_cell(dice, codes)
            payroll.append(_payroll_row(dice, key, home, folders, codes))
            # Paid where one sat outside the quota until this month or lately.
            if dice.rarely(8) and all((row["person_key"], *_place(row)) != (key, *_place(home)) for row in roster):
                roster.append(_roster_row(dice, key, home, folders, codes) | _outside(dice))
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        roster.append(_roster_row(dice, None, random_cell(dice, codes), folders, codes))
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        payroll.append(_payroll_row(dice, None, random_cell(dice, codes), folders, codes))
    if dice.rarely(3):
        cell = random_cell(dice, codes)
        rivals = [_roster_row(dice, key, cell, folders, codes) for key in ("r1", "r2", "r3")]
        roster += history.entered_together(dice, rivals[0], rivals[1:])
    here, there = history.pair_of_ids(dice)
    roster += [_roster_row(dice, "q1", random_cell(dice, codes), folders, codes) | row for row in here]
    payroll += [_payroll_row(dice, "q2", random_cell(dice, codes), folders, codes) | row for row in there]
    return roster, payroll + history.last_year(dice, payroll)


def _outside(dice: Dice) -> dict:
    leaves = dice.mostly(date(2026, 10, 20), [None, *DATES])
    return {"status": "OFF_QUOTA", "seconded_to": None, **day_columns(dice, "exit_date", leaves)}


def _place(row: dict) -> tuple[str, str, str]:
    return row["unit_code"], row["post_type"], row["fund_form"]


def _roster_row(dice: Dice, key: str | None, cell: dict, folders: list[str], codes: list[str]) -> dict:
    status = dice.mostly("IN_SERVICE", [s.value for s in PersonStatus], 3)
    entry = dice.mostly(date(2001, 3, 1), [None, *DATES, *history.ENTRIES, *history.ENTRIES], 2 if dice.lively else 5)
    leaving = status in ("LEFT", "RETIRED")
    exits = [*DATES, *history.ENTRIES, *history.ENTRIES] if dice.lively else DATES
    leaves = dice.mostly(dice.choice(exits), [None], 5) if leaving else dice.mostly(None, exits, 10)
    return _person(key, dice) | cell | {
        "status": status, **day_columns(dice, "entry_date", entry), **day_columns(dice, "exit_date", leaves),
        **history.registered(dice, "entry_registered", entry), **history.registered(dice, "exit_registered", leaves),
        **history.entry_columns(dice, codes), **history.rank_and_age(dice),
        "seconded_to": dice.choice(codes) if status == "SECONDED_OUT" and not dice.rarely(5) else None,
        "leader_tier": dice.mostly(None, ["CHIEF", "DEPUTY"], 5), "delivered_by": dice.choice(folders),
    }  # fmt: skip


def _payroll_row(dice: Dice, key: str | None, cell: dict, folders: list[str], codes: list[str]) -> dict:
    return _person(key, dice) | {
        "month": dice.mostly("2026-10", ["2026-09"], 10), "paying_unit_code": cell["unit_code"],
        "on_behalf_of": dice.mostly(None, codes, 10), "fund_mode": dice.mostly(cell["fund_form"], FORMS),
        "person_state": dice.mostly("IN_SERVICE", [s.value for s in PersonState], 8),
        "on_establishment": dice.mostly("YES", ["NO"], 10),
        "amount": dice.mostly(500000, [None, 0, -500000, -100, 100], 5), "delivered_by": dice.choice(folders),
    }  # fmt: skip


def _headcount(dice: Dice, folders: list[str], codes: list[str]) -> list[dict]:
    """Figures of some units: by cell, by type, or the bare total; sometimes as parts of another unit."""
    rows = []
    for unit in dice.sample(codes, dice.randint(0, len(codes))):
        folder = dice.choice(folders)
        style = dice.choice(["cell", "cell", "type", "total"])
        part_of = dice.choice(codes) if dice.rarely(4) else None
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
    return rows + _parts(dice, rows, folders, codes)


def _parts(dice: Dice, rows: list[dict], folders: list[str], codes: list[str]) -> list[dict]:
    """Now and then what a total adds: now and then of its own unit too, of another source, or not all of it."""
    parts = []
    for total in rows:
        if total["count"] is None or not dice.rarely(6):
            continue
        first = dice.randint(0, total["count"])
        units = [dice.mostly(total["unit_code"], codes, 3), dice.choice(codes)]
        parts += [
            total | {
                "unit_code": unit, "count": number, "part_of": total["unit_code"],
                "source": dice.mostly(total["source"], ["年报", None]), "delivered_by": dice.choice(folders),
            }
            for unit, number in zip(units, (first, total["count"] - first), strict=True)
            if not dice.rarely(5)
        ]  # fmt: skip
    return parts


def _leads(dice: Dice, folder: str, people: list[str]) -> list[dict]:
    rows = []
    for _ in range(dice.choice([0, 0, 1, 2, 4])):
        day = dice.choice([None, *DATES])
        kind = dice.mostly("DEATH", history.LEAD_KINDS, 2)
        rows.append(
            _person(dice.choice(people), dice)
            | {"kind": kind, **day_columns(dice, "date", day), "source": "民政", "delivered_by": folder}
        )
    return [{name: value for name, value in row.items() if name in snapshot_schema("leads")} for row in rows]


def _base(dice: Dice, folder: str) -> list[dict]:
    kinds = dice.sample(TYPES, dice.randint(0, 2))
    # Now and then two rows of one type, and a row of control numbers, which is in no sum of people paid.
    kinds += kinds[:1] if dice.rarely(4) else []
    kinds += ["CONTROL_NUMBER"] if dice.rarely(3) else []
    return [
        {
            "division_code": dice.mostly(folder, FOLDERS), "post_type": kind, "base_2012": dice.choice([None, 0, 2, 5]),
            "issued_total": dice.choice([None, 1, 3]), "base_paid": dice.mostly(dice.choice([0, 1, 3]), [None], 4),
            "delivered_by": folder,
        }
        for kind in kinds
    ]  # fmt: skip


def _fact(name: str, row: dict) -> dict:
    return dict.fromkeys(FACT_SCHEMAS[name]) | {"file": "x.csv", "row": 1} | row


def _quarantine(dice: Dice, folders: list[str], codes: list[str]) -> list[dict]:
    rows = []
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        cell = random_cell(dice, codes)
        if dice.rarely(3):
            cell["post_type"] = None
        book = dice.choice(["units", "establishment", "roster", "roster", "payroll"])
        place = {"book": book, "division_code": dice.choice(folders), "column": "x", "reason": "BAD"}
        rows.append(_fact("quarantine", {**place, **cell}))
    return rows


def _totals(dice: Dice, folders: list[str]) -> list[dict]:
    return [
        _fact(
            "totals",
            {"book": "payroll", "division_code": dice.choice(folders), "kind": "合计", "column": "amount",
             "stated": dice.choice(["12", "15", None]), "computed": dice.choice(["12", "14.5", None])},
        )
        for _ in range(dice.choice([0, 0, 1, 2]))
    ]  # fmt: skip


def _cutoffs(dice: Dice, folders: list[str]) -> list[dict]:
    return [
        {"book": dice.choice(["roster", "payroll"]), "division_code": dice.choice(folders), "file": f"{n}.csv",
         "cutoff": dice.choice(DATES[:2])}
        for n in range(dice.choice([0, 0, 2, 3]))
    ]  # fmt: skip
