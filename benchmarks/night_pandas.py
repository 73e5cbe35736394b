"""Seven rules by hand in pandas: Q01 F01 F02 F05 F07 F08 D01, straightforward merge and groupby.

Only what the yardstick needs, and only the columns it looks at: no blank-id causes, quarantine or coverage. Numbers of
findings must equal the rules'.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

ACTIVE = ["IN_SERVICE", "SECONDED_OUT", "ON_LEAVE"]
BUDGET = ["FULL", "PART"]
CELL = ["unit_code", "post_type", "fund_form"]
ROSTER = ["person_key", *CELL, "status", "seconded_to", "entry_date", "exit_date"]
PAYROLL = [
    "person_key", "month", "paying_unit_code", "on_behalf_of", "fund_mode", "person_state", "on_establishment", "amount",
]  # fmt: skip
PEOPLE = ["person_key", *CELL, "status", "seconded_to"]
PAID = ["person_key", "payer", "fund_mode", "amount"]


def judge(folder: Path, as_of: date) -> dict[str, int]:
    """Findings per rule of a snapshot folder; each rule's rows are materialised, as they would be to be written."""
    first = pd.Timestamp(as_of.replace(day=1))
    last = first + pd.offsets.MonthEnd(0)
    day = pd.Timestamp(as_of)
    roster = pd.read_parquet(folder / "roster.parquet", columns=ROSTER)
    payroll = pd.read_parquet(folder / "payroll.parquet", columns=PAYROLL)
    for name in ("entry_date", "exit_date"):
        roster[name] = pd.to_datetime(roster[name])
    entered = roster.entry_date.isna() | (roster.entry_date <= day)
    staying = roster.exit_date.isna() | (roster.exit_date > day)
    active = roster[roster.status.isin(ACTIVE) & entered & staying]
    payroll["payer"] = payroll.on_behalf_of.fillna(payroll.paying_unit_code)
    counts = (payroll.person_state == "IN_SERVICE") & (payroll.on_establishment == "YES") & payroll.person_key.notna()
    proper = payroll.loc[counts & (payroll.month == f"{as_of:%Y-%m}"), PAID]
    # Ten million people fit into memory only if what is read is given back.
    del payroll, counts
    sums = proper.groupby("person_key").amount.sum(min_count=1)
    paid = proper[~proper.person_key.isin(sums[sums <= 0].index)]
    people = active.loc[active.person_key.notna(), PEOPLE]
    within = (roster.exit_date > first) & (roster.exit_date <= last) & (roster.status != "OFF_QUOTA")
    left_within = roster.loc[within, ["person_key", "unit_code"]]
    found = _over_quota(folder, active)
    roster = roster[["person_key"]]
    del active, proper, sums, entered, staying
    found |= _paid_or_not(roster, people, paid)
    found |= _paid_how(people, paid, left_within)
    return {rule: len(rows) for rule, rows in found.items()}


def _over_quota(folder: Path, active: pd.DataFrame) -> dict[str, pd.DataFrame]:
    quota = pd.read_parquet(folder / "establishment.parquet")
    quota = quota[quota["copy"] == "LEDGER"].groupby(CELL).quota.sum().reset_index()
    known = active[active.person_key.notna()].groupby(CELL).person_key.nunique()
    blank = active[active.person_key.isna()].groupby(CELL).size()
    in_post = known.add(blank, fill_value=0).rename("in_post").reset_index()
    cells = in_post.merge(quota, on=CELL, how="outer").fillna({"in_post": 0, "quota": 0})
    units = cells.groupby("unit_code")[["in_post", "quota"]].sum()
    return {"Q01": units[units.in_post > units.quota]}


def _paid_or_not(roster: pd.DataFrame, people: pd.DataFrame, paid: pd.DataFrame) -> dict[str, pd.DataFrame]:
    payers = paid.groupby("person_key").payer.min().reset_index()
    known = payers.merge(roster[["person_key"]].dropna(), on="person_key", how="left", indicator=True)
    nowhere = known[known._merge == "left_only"]
    budget = people[people.fund_form.isin(BUDGET)].drop_duplicates(["person_key", "unit_code"])
    unpaid = budget.merge(payers, on="person_key", how="left", indicator=True)
    return {"F01": nowhere, "F02": unpaid[unpaid._merge == "left_only"]}


def _paid_how(people: pd.DataFrame, paid: pd.DataFrame, left_within: pd.DataFrame) -> dict[str, pd.DataFrame]:
    pairs = paid.drop_duplicates(["person_key", "payer"])
    several = pairs.groupby("person_key").payer.nunique()
    cells = people.drop_duplicates(["person_key", *CELL]).groupby("person_key").size()
    return {
        "F05": several[several > 1].to_frame(), "D01": cells[cells > 1].to_frame(),
        "F07": _other_form(people, paid), "F08": _other_unit(people, paid, left_within),
    }  # fmt: skip


def _other_form(people: pd.DataFrame, paid: pd.DataFrame) -> pd.DataFrame:
    forms = people.groupby("person_key").fund_form.agg(set)
    modes = paid.groupby("person_key").fund_mode.agg(set)
    both = pd.concat([forms, modes], axis=1, join="inner")
    wrong = [bool(mode - form) for form, mode in zip(both.fund_form, both.fund_mode, strict=True)]
    return people[people.person_key.isin(both[wrong].index)].drop_duplicates(["person_key", "unit_code"])


def _other_unit(people: pd.DataFrame, paid: pd.DataFrame, left_within: pd.DataFrame) -> pd.DataFrame:
    met = people.merge(paid[["person_key", "payer", "fund_mode"]], on="person_key")
    seconded = (met.status == "SECONDED_OUT") & (met.seconded_to == met.payer)
    left = met.merge(
        left_within[["person_key", "unit_code"]].rename(columns={"unit_code": "payer"}), on=["person_key", "payer"]
    )
    good = set(met[(met.payer == met.unit_code) | seconded].person_key) | set(left.person_key)
    return met[~met.person_key.isin(good)].drop_duplicates(["person_key", "unit_code"])
