"""Q09 and Q10: our own position book, movements between levels and posts idle for long (DOMAIN §4)."""

from __future__ import annotations

from datetime import timedelta

from demo.oracle.evidence import day, listed
from demo.oracle.night import ALL_UNITS, CONTROL, Cell, Night, Row, cell_of, make_finding, told

TABLES = ("position", "position_quota", "movement", "usable_month")


def position_rules(night: Night) -> list[Row]:
    """Q09 and Q10; neither can judge before the ledger is in use (decision 50)."""
    if not any(night.facts[table] for table in TABLES):
        for folder in night.divisions:
            night.not_evaluable |= {(rule, folder, ALL_UNITS, "position") for rule in ("Q09", "Q10")}
        return []
    return _moved_between_levels(night) + _idle_for_long(night)


def _moved_between_levels(night: Night) -> list[Row]:
    """One finding for each movement, from the first of its rows in text order."""
    found: dict[str, Row] = {}
    crossing: dict[str, list[Row]] = {}
    for row in sorted(night.facts["movement"], key=_in_text_order):
        levels = (row.get("from_level"), row.get("to_level"))
        crossed = None not in levels and levels[0] != levels[1]
        happened = row.get("effective_date") is not None and row["effective_date"] <= night.as_of
        bound = row["post_type"] in ("ADMIN", "POLITICAL_LEGAL")
        if not (bound and crossed and happened) or row.get("central_no"):
            continue
        unit = _moved_to(row) or None
        finding = make_finding(
            "Q09", {"movement_no": row["movement_no"]}, "S1", division_code=night.division_of(unit or ""), unit_code=unit,
            post_type=row["post_type"], fund_form=row["fund_form"], expected="-", found=row.get("doc_no") or "-",
        )  # fmt: skip
        crossing.setdefault(finding["key"], []).append(_movement(row))
        found.setdefault(finding["key"], finding)
    for key, finding in found.items():
        finding["evidence"] = told(listed("movements", crossing[key]))
    return list(found.values())


def _movement(row: Row) -> Row:
    said = ("from_unit", "from_level", "to_unit", "to_level", "post_type", "fund_form", "posts", "doc_no")
    dated = {"movement_no": row["movement_no"], "effective_date": day(row["effective_date"])}
    return dated | {name: row.get(name) for name in said}


def _moved_to(row: Row) -> str:
    return row.get("to_unit") or row.get("from_unit") or ""


def _in_text_order(row: Row) -> tuple[str, str, str, bool, str]:
    document = row.get("doc_no")
    return _moved_to(row), row["post_type"], row["fund_form"], document is None, document or ""


def _idle_for_long(night: Night) -> list[Row]:
    months = _months_back(night)
    usable: dict[Cell, dict[str, int]] = {}
    seen: dict[str, set[str]] = {}  # folder → months with a row of one of its units
    for row in night.facts["usable_month"]:
        if row["month"] not in months:
            continue
        home = night.home.get(row["unit_code"])
        if home is not None:
            seen.setdefault(home, set()).add(row["month"])
        if row.get("usable") is not None:
            usable.setdefault(cell_of(row), {})[row["month"]] = row["usable"]
    for folder in night.divisions:
        if seen.get(folder, set()) != set(months):
            night.not_evaluable.add(("Q10", folder, ALL_UNITS, "position"))
    found = []
    for (unit, post_type, fund_form), by_month in sorted(usable.items()):
        if post_type == CONTROL or any(by_month.get(month, 0) <= 0 for month in months):
            continue
        columns = {"unit_code": unit, "post_type": post_type, "fund_form": fund_form}
        place = {"division_code": night.division_of(unit)}
        found.append(
            make_finding(
                "Q10",
                dict(columns),
                "S4",
                **columns,
                **place,
                expected=0,
                found=by_month[night.month],
                evidence=told(
                    listed("months", ({"month": month, "usable": usable} for month, usable in by_month.items()))
                ),
            )
        )
    return found


def _months_back(night: Night) -> list[str]:
    """M and the months before it, as many as make a post idle."""
    months, day = [], night.first
    for _ in range(night.parameters["idle_months"]):
        months.append(f"{day:%Y-%m}")
        day = (day - timedelta(days=1)).replace(day=1)
    return months
