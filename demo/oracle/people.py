"""Q03 F01 F02 F03 F04 F05 F07 F08 D01 D02 D07: what a person's rows say against each other (DOMAIN §4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from demo.oracle.months import days_of
from demo.oracle.night import (
    ACTIVE,
    CONTROL,
    FUNDED,
    Blank,
    Night,
    Person,
    Row,
    first_cell,
    make_finding,
    payer_of,
    told,
)  # fmt: skip


def person_finding(
    night: Night, rule: str, severity: str, who: Person, unit: str, rows: Iterable[Row], owner_only: bool = False, **columns
) -> Row:  # fmt: skip
    """`rows` give post type and fund form; `owner_only`: the grain is the person alone."""
    grain: dict[str, str | None] = {"person_key": str(who)} | ({} if owner_only else {"unit_code": unit})
    return make_finding(
        rule, grain, severity, division_code=night.division_of(unit), unit_code=unit, person_key=str(who),
        person_mask=mask_of(night, who), **first_cell(rows), **columns,
    )  # fmt: skip


def mask_of(night: Night, who: Person) -> str | None:
    rows = [*night.roster_of.get(who, []), *night.pay_rows_of.get(who, [])]
    return next((row["person_mask"] for row in rows if row.get("person_mask")), None)


def rows_for(night: Night, who: Person, unit: str) -> list[Row]:
    """The roster rows that place a person: active ones of the unit, else active ones, else any."""
    active = night.active_of.get(who, [])
    return [row for row in active if row["unit_code"] == unit] or active or night.roster_of.get(who, [])


def payers_of(rows: Iterable[Row]) -> list[str]:
    return sorted({payer_of(row) for row in rows})


def wrong_post_types(night: Night) -> list[Row]:
    """Q03: a post type the unit's kind may not have."""
    found = []
    for who, rows in night.active_of.items():
        if isinstance(who, Blank):
            continue
        wrong: dict[str, list[Row]] = defaultdict(list)
        for row in night.judged(rows):
            unit = row["unit_code"]
            if not (night.present("roster", unit) and night.present("units", unit)):
                continue
            if unit not in night.units:
                night.lacks("Q03", unit, "units")
            elif row["post_type"] not in night.allowed_post_types[night.units[unit]["unit_kind"]]:
                wrong[unit].append(row)
        for unit, bad in wrong.items():
            kinds = ";".join(sorted(night.allowed_post_types[night.units[unit]["unit_kind"]]))
            types = ";".join(sorted({row["post_type"] for row in bad}))
            found.append(person_finding(night, "Q03", "S2", who, unit, bad, expected=kinds, found=types))
    return found


def paid_without_post(night: Night) -> list[Row]:
    """F04, F03, F01: the first that holds, one per person."""
    deaths: dict[str, date] = {}
    for row in night.books["leads"]:
        if row["kind"] == "DEATH" and row.get("date") and row.get("person_key"):
            key = row["person_key"]
            deaths[key] = min(row["date"], deaths.get(key, date.max))
    found = []
    for who, rows in night.pay_rows_of.items():
        if isinstance(who, Blank):
            continue
        finding = _paid_after_death(night, who, rows, deaths.get(who))
        if finding is None and who in night.paid_of and not night.roster_is_out:
            finding = _paid_after_exit(night, who) or _paid_without_roster(night, who)
        if finding is not None:
            found.append(finding)
    return found


def _paid_after_death(night: Night, who: str, rows: list[Row], died: date | None) -> Row | None:
    owner = payers_of(rows)[0]
    if died is None or died >= night.first or night.counts_only(owner):
        return None
    if not (night.present("payroll", owner) and night.present("leads", owner)):
        return None
    placing = rows_for(night, who, owner)
    return person_finding(night, "F04", "S1", who, owner, placing, owner_only=True, expected=0, found=died.isoformat())


def _paid_after_exit(night: Night, who: str) -> Row | None:
    rows = [row for row in night.roster_of.get(who, []) if row["post_type"] != CONTROL]
    owner = payers_of(night.paid_of[who])[0]
    if not rows or not _may_judge_absence(night, owner) or night.active_of.get(who):
        return None
    if any(night.enters_later(row) for row in rows):
        return None
    cause = _exit_cause(night, rows)
    severity = "S4" if cause == "TIMING" else "S1"
    if ("roster", owner) in night.quarantined:
        cause, severity = "QUARANTINE", "S4"
    last_day = _last_day(night, rows)
    return person_finding(
        night, "F03", severity, who, owner, rows, owner_only=True, expected=0, found=last_day, cause=cause
    )


def _last_day(night: Night, rows: list[Row]) -> str | None:
    """The last day in post that has come: before an exit within M, else before the latest exit behind us."""
    within = [row for row in rows if night.left_within(row)]
    behind = [row for row in rows if _left_before(night, row)]
    return max((_day_before(row) for row in within or behind), default=None)


def _day_before(row: Row) -> str:
    """The day before an exit; only the month of an exit known to the month."""
    if row.get("exit_date_exact") is False:
        return f"{row['exit_date']:%Y-%m}"
    return (row["exit_date"] - timedelta(days=1)).isoformat()


def _left_before(night: Night, row: Row) -> bool:
    """Whether the exit is behind M, its first included."""
    leaves = row.get("exit_date")
    return leaves is not None and leaves <= night.first and not night.exits_within(row)


def _exit_cause(night: Night, rows: list[Row]) -> str:
    """Decision 21, in its order."""
    if any(night.left_within(row) for row in rows):
        return "TIMING"
    if any(_left_before(night, row) for row in rows):
        return "EXITED"
    if any(row["status"] == "OFF_QUOTA" for row in rows):
        return "OFF_QUOTA"
    if any(row.get("entry_date") and row["entry_date"] > night.last for row in rows):
        return "NOT_YET_ENTERED"
    return "NO_EXIT_DATE"


def _paid_without_roster(night: Night, who: str) -> Row | None:
    owner = payers_of(night.paid_of[who])[0]
    if night.roster_of.get(who) or not _may_judge_absence(night, owner):
        return None
    cause = None
    if ("roster", owner) in night.quarantined:
        cause = "QUARANTINE"
    elif owner in night.units_with_blanks:
        cause = "BLANK_ID"
    severity = "S4" if cause else "S1"
    return person_finding(night, "F01", severity, who, owner, [], owner_only=True, expected=0, found=1, cause=cause)


def _may_judge_absence(night: Night, owner: str) -> bool:
    return not night.counts_only(owner) and night.present("payroll", owner) and night.present("roster", owner)


def posts_without_pay(night: Night) -> list[Row]:
    """F02, one for every unit where the person holds a FULL or PART cell."""
    found = []
    for who, rows in night.active_of.items():
        if isinstance(who, Blank) or who in night.paid_of:
            continue
        funded: dict[str, list[Row]] = defaultdict(list)
        for row in night.judged(rows):
            if row["fund_form"] in FUNDED and row["post_type"] != CONTROL:
                funded[row["unit_code"]].append(row)
        for unit, held in funded.items():
            if not (night.present("roster", unit) and night.present("payroll", unit)):
                continue
            cause = _unpaid_cause(night, who, unit, held, unit in night.payers_with_blanks)
            severity = "S3" if cause in (None, "PAID_AS_OTHER") else "S4"
            found.append(person_finding(night, "F02", severity, who, unit, held, expected=1, found=0, cause=cause))
    return found


def _unpaid_cause(night: Night, who: str, unit: str, held: list[Row], blank_paid: bool) -> str | None:
    if ("payroll", unit) in night.quarantined:
        return "QUARANTINE"
    if blank_paid:
        return "BLANK_ID"
    if any(night.enters_within(row) for row in held):
        return "TIMING"
    if any(row["status"] == "ON_LEAVE" for row in held):
        return "LEAVE"
    others = night.pay_rows_of.get(who, [])
    if any(row.get("person_state") != "IN_SERVICE" or row.get("on_establishment") != "YES" for row in others):
        return "PAID_AS_OTHER"
    return None


def several_payers(night: Night) -> list[Row]:
    """F05."""
    found = []
    for who, rows in night.paid_of.items():
        payers = payers_of(rows)
        if isinstance(who, Blank) or len(payers) < 2:
            continue
        own = sorted({row["unit_code"] for row in night.active_of.get(who, [])} & set(payers))
        unit = own[0] if own else payers[0]
        if night.counts_only(unit) or not night.present("payroll", unit):
            continue
        placing = rows_for(night, who, unit)
        found.append(
            person_finding(night, "F05", "S1", who, unit, placing, owner_only=True, expected=1, found=len(payers))
        )
    return found


def paid_otherwise(night: Night) -> list[Row]:
    """F07 and F08, one for every unit the person is active in."""
    found = []
    for who, pay in night.paid_of.items():
        active = [row for row in night.active_of.get(who, []) if row["post_type"] != CONTROL]
        if isinstance(who, Blank) or not active:
            continue
        forms = sorted({row["fund_form"] for row in active})
        modes = sorted({row["fund_mode"] for row in pay})
        payers = payers_of(pay)
        # Rows of CONTROL_NUMBER take no part in F08 (decision 18).
        homes = {row["unit_code"] for row in active}
        homes |= {row["seconded_to"] for row in active if row["status"] == "SECONDED_OUT" and row.get("seconded_to")}
        homes |= {
            row["unit_code"] for row in night.roster_of[who] if row["post_type"] != CONTROL and night.left_within(row)
        }
        for unit in sorted({row["unit_code"] for row in night.judged(active)}):
            if not (night.present("roster", unit) and night.present("payroll", unit)):
                continue
            held = [row for row in active if row["unit_code"] == unit]
            if set(modes) - set(forms):
                texts = {"expected": ";".join(forms), "found": ";".join(modes)}
                found.append(person_finding(night, "F07", "S2", who, unit, held, **texts))
            if not set(payers) & homes:
                texts = {"expected": unit, "found": ";".join(payers)}
                found.append(person_finding(night, "F08", "S3", who, unit, held, **texts))
    return found


def several_posts(night: Night) -> list[Row]:
    """D01: active in two units, or in two cells of one."""
    found = []
    for who, rows in night.active_of.items():
        rows = [row for row in night.judged(rows) if night.present("roster", row["unit_code"])]
        places = {(row["unit_code"], row["post_type"], row["fund_form"]) for row in rows}
        if isinstance(who, Blank) or len(places) < 2:
            continue
        unit = min(places)[0]
        held = [row for row in rows if row["unit_code"] == unit]
        found.append(
            person_finding(night, "D01", "S2", who, unit, held, owner_only=True, expected=1, found=len(places))
        )
    return found


def invalid_ids(night: Night) -> list[Row]:
    """D02 of roster (all but OFF_QUOTA) and of the payroll of M; blank ids once per book and unit (decision 26)."""
    bad: dict[tuple[str, str, str | None], list[Row]] = defaultdict(list)
    for who, row in night.roster:
        if row["status"] != "OFF_QUOTA" and (isinstance(who, Blank) or row.get("id_problem")):
            bad["roster", row["unit_code"], row.get("person_key")].append(row)
    for who, row in night.pay_of_month:
        if isinstance(who, Blank) or row.get("id_problem"):
            bad["payroll", payer_of(row), row.get("person_key")].append(row)
    found = []
    for (book, unit, key), rows in bad.items():
        if night.counts_only(unit) or not night.present(book, unit):
            continue
        grain = {"person_key": key, "book": book, "unit_code": unit}
        reason = "BLANK" if key is None else rows[0]["id_problem"]
        place = first_cell(rows) if book == "roster" else {}
        found.append(
            make_finding(
                "D02", grain, "S4", division_code=night.division_of(unit), unit_code=unit, person_key=key,
                person_mask=rows[0].get("person_mask") if key else None, found=reason,
                evidence=None if key else told({"rows": len(rows)}), **place,
            )
        )  # fmt: skip
    return found


CONTRADICTIONS = ("EXIT_MISSING", "EXIT_FUTURE", "EXITED_BUT_ACTIVE", "EXIT_BEFORE_ENTRY")


def contradicting_dates(night: Night) -> list[Row]:
    """D07, its codes in one fixed order; a date known to the month must answer alike on every day of it."""
    found = []
    for who, rows in night.roster_of.items():
        wrong: dict[str, list[Row]] = defaultdict(list)
        codes: dict[str, set[str]] = defaultdict(set)
        for row in night.judged(rows):
            unit = row["unit_code"]
            barred = row["post_type"] == CONTROL or row["status"] == "OFF_QUOTA"
            if isinstance(who, Blank) or barred or not night.present("roster", unit):
                continue
            certain, doubtful = _contradictions(night, row)
            if doubtful:
                night.lacks("D07", unit, "roster")
            if certain:
                codes[unit] |= certain
                wrong[unit].append(row)
        for unit, bad in wrong.items():
            text = ";".join(code for code in CONTRADICTIONS if code in codes[unit])
            found.append(person_finding(night, "D07", "S4", who, unit, bad, found=text))
    return found


def _contradictions(night: Night, row: Row) -> tuple[set[str], bool]:
    """Codes that hold on every day the dates may mean, and whether some hold only on some of these days."""
    answers = [
        _codes(night, row["status"], entry, leaves)
        for entry in days_of(row, "entry_date") or [None]
        for leaves in days_of(row, "exit_date") or [None]
    ]
    certain = set.intersection(*answers)
    return certain, certain != set.union(*answers)


def _codes(night: Night, status: str, entry: date | None, leaves: date | None) -> set[str]:
    codes = set()
    if status in ("LEFT", "RETIRED") and leaves is None:
        codes.add("EXIT_MISSING")
    if status in ("LEFT", "RETIRED") and leaves is not None and leaves > night.as_of:
        codes.add("EXIT_FUTURE")
    if status in ACTIVE and leaves is not None and leaves <= night.as_of:
        codes.add("EXITED_BUT_ACTIVE")
    if entry is not None and leaves is not None and leaves < entry:
        codes.add("EXIT_BEFORE_ENTRY")
    return codes
