"""F06: people in pay of whom another source says that they are elsewhere; leads, never an accusation (DOMAIN §4)."""

from __future__ import annotations

from collections import defaultdict

from demo.oracle.evidence import listed
from demo.oracle.months import days_of
from demo.oracle.night import Blank, Night, Row, told
from demo.oracle.people import payers_of, person_finding, rows_for

ELSEWHERE = ("OTHER_EMPLOYER", "BUSINESS", "PRISON", "ABROAD")


def paid_while_elsewhere(night: Night, findings: list[Row]) -> list[Row]:
    """F06 of those in P whom neither F03 nor F04 names; `findings` are those of the F-rules."""
    kinds: dict[str, set[str]] = defaultdict(set)
    maybe: set[str] = set()
    known: dict[str, list[Row]] = defaultdict(list)
    for row in night.books["leads"]:
        day = row.get("date")
        if day is None or not row.get("person_key"):
            continue
        retired = row["kind"] == "RETIREMENT" and day < night.first
        days = [each <= night.as_of for each in days_of(row, "date")]
        if row["kind"] in ELSEWHERE and any(days) and not all(days):
            maybe.add(row["person_key"])
        if retired or (row["kind"] in ELSEWHERE and all(days)):
            kinds[row["person_key"]].add(row["kind"])
            known[row["person_key"]].append({"kind": row["kind"], "date": day.isoformat(), "source": row.get("source")})
    named = {finding["person_key"] for finding in findings if finding["rule"] in ("F03", "F04")}
    found = []
    for who, rows in night.paid_of.items():
        if isinstance(who, Blank) or who in named or who not in maybe | set(kinds):
            continue
        owner = payers_of(rows)[0]
        if night.counts_only(owner) or not (night.present("payroll", owner) and night.present("leads", owner)):
            continue
        if who not in kinds:
            night.lacks("F06", owner, "leads")
            continue
        texts = {"expected": "-", "found": ";".join(sorted(kinds[who]))}
        texts["evidence"] = told(listed("leads", known[who]))
        found.append(
            person_finding(night, "F06", "S1", who, owner, rows_for(night, who, owner), owner_only=True, **texts)
        )
    return found
