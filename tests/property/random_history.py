"""What random nights know beside the people of tonight: entries and permits, names, ranks, our own book, last year."""

from __future__ import annotations

from datetime import date, timedelta

from core.calendar import working_days
from core.types import EntryForm, LeadKind, Level, UnitKind
from tests.property.dice import DATES, FOLDERS, FORMS, Dice, day_columns, random_cell

RANKS = [("正处级", 1), ("副处级", 2), ("调研员", 2), ("正科级", 3), ("副科级", 4)]
STARTS = [date(2026, 10, 2), date(2026, 9, 1), date(2026, 3, 2), date(2025, 12, 1)]
ENTRIES = [date(2025, 12, 22), date(2026, 6, 1), date(2026, 8, 3), date(2026, 9, 2)]
MONTHS = [f"{2025 + (9 + n) // 12}-{(9 + n) % 12 + 1:02d}" for n in range(1, 13)]
LEVELS = [level.value for level in Level]
ENTRY_FORMS = [form.value for form in EntryForm]
LEAD_KINDS = [kind.value for kind in LeadKind]


def name_columns(dice: Dice, key: str | None) -> dict:
    """Name and birth date as keyed hashes; now and then another name, or a birth date nobody knows."""
    name = dice.mostly(f"n-{key}", ["n-x", "n-y"], 25)
    return {
        "name_key": name, "name_mask": dice.mostly(f"{'王李张'[len(key or '') % 3]}*", ["赵*", "钱*"], 12),
        "name_birth_key": dice.mostly(f"{name}-b", [None, "shared-b"], 10),
    }  # fmt: skip


def rank_and_age(dice: Dice) -> dict:
    past = dice.rarely(14)
    return {
        "rank": dice.mostly(None, ["正处级", "副 处级", "调研员", "正科级", "副科级", "一级科员"], 3),
        "age": dice.choice(["61岁", "64岁"]) if past else None,
        "statutory_age": dice.choice(["60岁3个月", "63岁"]) if past else None,
    }


def entry_columns(dice: Dice, codes: list[str]) -> dict:
    """How somebody came: the form, and the place left as far as the row knows it."""
    form = dice.choice([*ENTRY_FORMS, "TRANSFER", "TRANSFER", "TRANSFER", "EXAM", None])
    known = form == "TRANSFER" or dice.rarely(8)
    return {
        "entry_form": form,
        "waiver_no": dice.mostly(None, ["豁1"], 5),
        "from_unit": dice.choice([*codes, "Z9", None]) if known else None,
        "from_level": dice.choice([*LEVELS, None, None, None]) if known else None,
        "from_fund_form": dice.choice([*FORMS, None, None, None]) if known else None,
    }


def registered(dice: Dice, name: str, day: date | None) -> dict:
    """A registration soon after, late, before, in the future, or none."""
    if day is None or dice.rarely(3):
        return day_columns(dice, name, None)
    return day_columns(dice, name, day + timedelta(days=dice.choice([-3, 0, 1, 10, 10, 20, 30, 60, 90])))


def entered_together(dice: Dice, leaver: dict, rows: list[dict]) -> list[dict]:
    """The rows as entries of one day, each registered within days or some day of the month; the leaver left about then."""
    day = dice.choice(ENTRIES)
    entered = [
        row | {"entry_date": day, "entry_date_exact": True}
        | day_columns(dice, "entry_registered", dice.mostly(day, [day + timedelta(days=9), day.replace(day=1)], 2))
        for row in rows
    ]  # fmt: skip
    left = day_columns(dice, "exit_date", dice.choice([day.replace(day=1), day + timedelta(days=9)]))
    return [*entered, leaver | {"status": "LEFT", "entry_date": date(2001, 3, 1), "entry_date_exact": True} | left]


def cite_permits(dice: Dice, roster: list[dict], codes: list[str], folders: list[str]) -> list[dict]:
    """Write permit numbers into the entries and give the permits they should rest on, with every kind of mismatch."""
    permits: list[dict] = []
    for row in roster:
        if row["entry_date"] is None or row["entry_date"] < date(2025, 1, 1) or dice.rarely(6):
            continue
        if dice.rarely(12):
            row["permit_no"] = "N-unknown"
        elif permits and dice.rarely(2):
            row["permit_no"] = dice.choice(permits)["permit_no"]
        else:
            row["permit_no"] = f"N{len(permits)}"
            permits.append(_permit(dice, row, codes, folders))
            if dice.rarely(6):
                permits.append(_permit(dice, row, codes, folders) | {"purpose": "二"})
    return permits


def _permit(dice: Dice, row: dict, codes: list[str], folders: list[str]) -> dict:
    cell = {name: row[name] for name in ("unit_code", "post_type", "fund_form")}
    sources = [*ENTRY_FORMS, None]
    entry = row["entry_date"]
    about = [entry, entry.replace(day=1), entry + timedelta(days=3)]
    return (random_cell(dice, [*codes, "X9"]) if dice.rarely(6) else cell) | {
        "permit_no": row["permit_no"], "posts": dice.mostly(1, [0, 2, 3], 4),
        **day_columns(dice, "approved_on", dice.mostly(date(2025, 11, 3), [*DATES, *about, *about], 3)),
        **day_columns(dice, "valid_until", dice.mostly(date(2026, 12, 31), [*DATES, *ENTRIES, date(2026, 1, 31)], 2)),
        "source_of_people": dice.choice(sources) if dice.rarely(2) else row["entry_form"], "delivered_by": dice.choice(folders),
    }  # fmt: skip


def limits(dice: Dice, folder: str) -> list[dict]:
    kinds = dice.sample([kind.value for kind in UnitKind], dice.choice([0, 1, 2, 3]))
    # Of two limits of one kind the smaller binds.
    kinds += kinds[:1] if dice.rarely(3) else []
    return [
        {"division_code": dice.mostly(folder, FOLDERS), "unit_kind": kind, "max_units": dice.choice([0, 0, 1, 2]), "delivered_by": folder}
        for kind in kinds
    ]  # fmt: skip


def pair_of_ids(dice: Dice) -> tuple[list[dict], list[dict]]:
    """Now and then one person under two ids: (columns of a row in the roster alone, of one in the payroll alone)."""
    if not dice.rarely(3):
        return [], []
    who = {"name_key": "n-two", "name_mask": "孙*", "name_birth_key": "two-b"}
    keys = ["q2", *(["q3"] if dice.rarely(5) else [])]
    return [who | {"person_key": "q1", "person_mask": "q1***"}], [
        who | {"person_key": key, "person_mask": f"{key}***"} for key in keys
    ]


def last_year(dice: Dice, payroll: list[dict]) -> list[dict]:
    """Rows of the same month last year, for some of those paid now."""
    if not dice.rarely(3):
        return []
    return [row | {"month": "2025-10"} for row in payroll if dice.rarely(2)]


def looked_up(dice: Dice, as_of: date) -> dict[str, list[dict]]:
    """gate_start, workday, rank_order and year_ago of a night."""
    style = dice.choice(["some", "all", "all"] if dice.lively else ["none", "some", "all"])
    chosen = [] if style == "none" else [code for code in FOLDERS if style == "all" or dice.rarely(2)]
    first = dice.mostly(STARTS[-1], STARTS, 2)
    starts = [{"division_code": code, "starts": dice.mostly(first, STARTS, 5)} for code in chosen]
    days = working_days(min(row["starts"] for row in starts), as_of) if starts else []
    return {
        "gate_start": starts,
        "workday": [dict(zip(("day", "number", "published"), day, strict=True)) for day in days],
        "rank_order": [] if dice.rarely(10) else [{"word": word, "place": place} for word, place in RANKS],
        "year_ago": [
            {"division_code": code, "paid": dice.randint(0, 3)} for code in FOLDERS if dice.rarely(6)
        ],
    }  # fmt: skip


def own_book(dice: Dice, codes: list[str]) -> dict[str, list[dict]]:
    """The four tables of our own position book; all empty on most nights."""
    empty: dict[str, list[dict]] = {"position": [], "position_quota": [], "movement": [], "usable_month": []}
    if dice.rarely(2):
        return empty
    return {
        "position": [_position(dice, codes)] if dice.rarely(2) else [],
        "position_quota": [_quota(dice, codes, n) for n in range(dice.choice([0, 0, 1, 3, 6]))],
        "movement": [_movement(dice, codes, n) for n in range(dice.choice([0, 0, 1, 3]))],
        "usable_month": _usable(dice, codes),
    }


def _position(dice: Dice, codes: list[str]) -> dict:
    numbers = {"reserved": 0, "open_permits": 0, "usable": 1}
    return random_cell(dice, codes) | {"borrowed": dice.randint(0, 2), "lent": dice.randint(0, 1)} | numbers


def _quota(dice: Dice, codes: list[str], number: int) -> dict:
    return random_cell(dice, codes) | {
        "quota": dice.choice([0, 1, 2]), "valid_from": dice.mostly(date(2020, 1, 1), DATES, 3),
        "valid_to": dice.mostly(None, DATES, 4), "doc_no": f"D{number}",
    }  # fmt: skip


def _movement(dice: Dice, codes: list[str], number: int) -> dict:
    cell = random_cell(dice, codes)
    return {
        "movement_no": f"M{number}", "post_type": dice.mostly("ADMIN", [cell["post_type"], "POLITICAL_LEGAL"], 3),
        "fund_form": cell["fund_form"], "posts": 1, "from_unit": dice.choice([*codes, None]), "from_level": dice.choice([*LEVELS, None]),
        "to_unit": dice.choice([*codes, None]), "to_level": dice.choice(LEVELS), "effective_date": dice.choice(DATES),
        "doc_no": dice.mostly(f"文{number}", [None]), "central_no": dice.mostly(None, ["央编1"], 3),
    }  # fmt: skip


def _usable(dice: Dice, codes: list[str]) -> list[dict]:
    """Usable posts of some cells in the last twelve months, and one before them."""
    rows: dict[tuple, dict] = {}
    lost = dice.sample(MONTHS, dice.mostly(0, [1, 6], 4))
    for _ in range(dice.choice([0, 2, 4, 6])):
        cell = random_cell(dice, codes)
        always = dice.rarely(2)
        for month in ["2025-10", *MONTHS]:
            usable = dice.randint(1, 2) if always else dice.mostly(1, [0, -1, None], 8)
            if month not in lost:
                rows[*cell.values(), month] = cell | {"month": month, "usable": usable}
    return list(rows.values())
