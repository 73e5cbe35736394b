"""Hand-made rows for the oracle's unit tests: one division, two units, everything in order until a test says otherwise."""

from __future__ import annotations

from datetime import date

from core.calendar import working_days
from core.parameters import DEFINITIONS
from demo.oracle import Judgement, judge

A = date(2026, 10, 20)
D = "990102"
PARAMETERS = {
    name: DEFINITIONS[name].default for name in ("allowed_post_types", "entry_days", "exit_days", "idle_months")
}
RANKS = DEFINITIONS["rank_order"].default
BOOKS = ("units", "establishment", "roster", "payroll", "headcount", "permits", "leads", "base", "limits")
PERSON_BOOKS = ("units", "establishment", "roster", "payroll", "headcount", "leads", "base")


def unit(code, kind="ORGAN", **more):
    row = {"unit_code": code, "unit_name": code, "division_code": D, "level": "COUNTY", "unit_kind": kind}
    return row | {"approval_doc": "云编〔2010〕1号", "delivers": "PERSONS", "delivered_by": D} | more


def post(unit_code, quota, post_type="ADMIN", fund_form="FULL", copy="LEDGER", **more):
    row = {"unit_code": unit_code, "post_type": post_type, "fund_form": fund_form, "quota": quota, "copy": copy}
    return row | {"doc_no": "云编〔2010〕1号", "delivered_by": D} | more


def person(key, unit_code="U1", post_type="ADMIN", fund_form="FULL", status="IN_SERVICE", **more):
    row = {"person_key": key, "unit_code": unit_code, "post_type": post_type, "fund_form": fund_form, "status": status}
    return row | {"delivered_by": D} | more


def pay(key, payer="U1", mode="FULL", state="IN_SERVICE", on="YES", **more):
    row = {
        "person_key": key,
        "paying_unit_code": payer,
        "fund_mode": mode,
        "person_state": state,
        "on_establishment": on,
    }
    return row | {"month": "2026-10", "delivered_by": D} | more


def stated(unit_code, measure, count, **more):
    row = {"unit_code": unit_code, "measure": measure, "scope": "ON_ESTABLISHMENT", "count": count, "source": "年报"}
    return row | {"delivered_by": D} | more


def verdicts(delivered=PERSON_BOOKS, expected=PERSON_BOOKS, refused=(), folder=D):
    return [
        {
            "division_code": folder,
            "book": book,
            "expected": book in expected,
            "delivered": book in delivered,
            "accepted": book in delivered and book not in refused,
        }
        for book in BOOKS
    ]


def night(books=None, *, verdict=None, as_of=A, **facts) -> Judgement:
    """The oracle on hand-made rows; facts by name, ranks as the parameter has them, working days from the gate starts."""
    base = {"units": [unit("U1"), unit("U2")], "establishment": [post("U1", 9), post("U2", 9)]}
    given = verdict if verdict is not None else verdicts()
    facts = {name: list(rows) for name, rows in facts.items()}
    facts.setdefault("rank_order", [{"word": word, "place": n} for n, words in enumerate(RANKS, 1) for word in words])
    if facts.get("gate_start"):
        days = working_days(min(row["starts"] for row in facts["gate_start"]), as_of)
        facts["workday"] = [dict(zip(("day", "number", "published"), day, strict=True)) for day in days]
    return judge(base | (books or {}), facts, given, as_of, PARAMETERS)


def seen(judgement, rule):
    columns = ("severity", "cause", "unit_code", "expected", "found")
    return [tuple(row[name] for name in columns) for row in judgement.findings if row["rule"] == rule]


def rules(judgement):
    return sorted({row["rule"] for row in judgement.findings})


def lacking(judgement):
    return {tuple(row.values()) for row in judgement.not_evaluable}
