"""What a finding rests on, in plain loops: records in text order, at most fifty of a list, and how many are left out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from demo.oracle.night import Night, Row, payer_of, told

SHOWN = 50
GONE = ("RETIRED", "LEFT")
AWAY = ("SECONDED_OUT", "ON_LEAVE")


def listed(name: str, records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A list of different records as evidence shows it."""
    texts = sorted({told(record) for record in records})
    shown: dict[str, Any] = {name: [json.loads(text) for text in texts[:SHOWN]]}
    return shown | ({f"{name}_left_out": len(texts) - SHOWN} if len(texts) > SHOWN else {})


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def permit_list(permits: Iterable[Row]) -> dict[str, Any]:
    """What the permits book says of one number."""
    return listed(
        "permits",
        (
            {
                "unit": row["unit_code"], "post_type": row["post_type"], "fund_form": row["fund_form"],
                "posts": row["posts"], "approved_on": day(row["approved_on"]), "valid_until": day(row["valid_until"]),
                "source_of_people": row.get("source_of_people"),
            }
            for row in permits
        ),
    )  # fmt: skip


def with_people(night: Night, findings: list[Row]) -> list[Row]:
    """The findings; those about a person with what the night's books know of them."""
    paid_ever: dict[str, list[Row]] = {}
    for row in night.books["payroll"]:
        if row.get("person_key"):
            paid_ever.setdefault(row["person_key"], []).append(row)
    deaths: dict[str, set[date]] = {}
    for row in night.books["leads"]:
        if row["kind"] == "DEATH" and row.get("date") and row["date"] <= night.as_of and row.get("person_key"):
            deaths.setdefault(row["person_key"], set()).add(row["date"])
    for finding in findings:
        who = finding["person_key"]
        if who is not None and (who in night.roster_of or who in paid_ever):
            own = json.loads(finding["evidence"] or "{}")
            finding["evidence"] = told(own | _person(night, who, paid_ever.get(who, []), deaths.get(who, set())))
    return findings


def _person(night: Night, who: str, paid_ever: list[Row], deaths: set[date]) -> dict[str, Any]:
    held, pay = night.roster_of.get(who, []), night.pay_rows_of.get(who, [])
    known = [_held(night, row) for row in held] + [_paid(night, row, paid_ever) for row in pay]
    known += [_fact("DEATH", None, None, day(died), "LEAD") for died in deaths]
    shown = {**listed("roster", map(_roster, held)), **listed("payroll", map(_payroll, pay)), **listed("known", known)}
    if any(name.endswith("_left_out") for name in shown):
        before = [row for row in held if row.get("exit_date") and row["exit_date"] <= night.first]
        now = [row for row in held if row not in before]
        payers = {payer_of(row) for row in pay}
        shown |= {"units": sorted(_units(now) | payers), "units_before": sorted(_units(before))}
    return shown


def _units(rows: list[Row]) -> set[str]:
    return {row[name] for row in rows for name in ("unit_code", "seconded_to") if row.get(name)}


def _roster(row: Row) -> dict[str, Any]:
    return {
        "unit": row["unit_code"], "post_type": row["post_type"], "fund_form": row["fund_form"], "status": row["status"],
        "seconded_to": row.get("seconded_to"), "entry": day(row.get("entry_date")), "exit": day(row.get("exit_date")),
    }  # fmt: skip


def _payroll(row: Row) -> dict[str, Any]:
    return {
        "payer": payer_of(row), "fund_mode": row["fund_mode"], "state": row["person_state"],
        "on_establishment": row["on_establishment"],
    }  # fmt: skip


def _fact(fact: str, unit: str | None, form: str | None, since: str | None, by: str) -> dict[str, Any]:
    since_by = by if since else "NOT_TOLD"
    return {"fact": fact, "unit": unit, "fund_form": form, "since": since, "since_by": since_by}


def _held(night: Night, row: Row) -> dict[str, Any]:
    status, entry, leaves = row["status"], row.get("entry_date"), row.get("exit_date")
    if status == "OFF_QUOTA":
        fact = "OFF_QUOTA"
    elif entry is not None and entry > night.as_of:
        fact = "ENTERS_LATER"
    elif status in GONE:
        fact = status
    elif leaves is not None and leaves <= night.as_of:
        fact = "LEFT"
    else:
        fact = status
    since = leaves if fact in GONE else None if fact in AWAY else entry
    return _fact(fact, row["unit_code"], row["fund_form"], day(since), "EXIT" if fact in GONE else "ENTRY")


def _paid(night: Night, row: Row, paid_ever: list[Row]) -> dict[str, Any]:
    """Since the first month of the book in which the same payer paid so."""
    so = [p["month"] for p in paid_ever if p["month"] <= night.month and _manner(p) == _manner(row)]
    proper = _manner(row)[2]
    return _fact("PAID" if proper else "PAID_AS_OTHER", payer_of(row), row["fund_mode"], min(so), "FIRST_MONTH")


def _manner(row: Row) -> tuple[str, str, bool]:
    proper = row.get("person_state") == "IN_SERVICE" and row.get("on_establishment") == "YES"
    return payer_of(row), row["fund_mode"], proper
