"""What count-only units say of themselves: headcount figures of scope ON_ESTABLISHMENT (DOMAIN §3, decision 33)."""

from __future__ import annotations

from collections import defaultdict

from demo.oracle.night import CONTROL, Cell, Night

Figures = dict[tuple[str, str], int]  # (post_type or '', fund_form or '') → number


class Counts:
    """Figures by unit and measure, and the sums rules need. None is unknown, never zero."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.figures: dict[tuple[str, str], Figures] = defaultdict(dict)
        self.part_of: dict[str, str] = {}
        rows = [r for r in night.books["headcount"] if r["scope"] == "ON_ESTABLISHMENT" and r.get("count") is not None]
        # A unit's own figure before one it states as a part; of several sources the first.
        for row in sorted(
            rows, key=lambda r: (bool(r.get("part_of")), r.get("source") or "", r.get("part_of") or "", r["count"])
        ):
            key = (row.get("post_type") or "", row.get("fund_form") or "")
            self.figures[row["unit_code"], row["measure"]].setdefault(key, row["count"])
        for row in night.books["headcount"]:
            if row.get("part_of") and row["part_of"] != row["unit_code"]:
                self.part_of[row["unit_code"]] = min(row["part_of"], self.part_of.get(row["unit_code"], row["part_of"]))

    def stated(self, unit: str, measure: str) -> Figures:
        return self.figures.get((unit, measure), {})

    def total(self, unit: str, measure: str, funds: tuple[str, ...] = ("FULL", "PART", "SELF", "")) -> int | None:
        """Over all types without control numbers; the unit's stated total wins over the sum of typed rows."""
        figures = {key: n for key, n in self.stated(unit, measure).items() if key[1] in funds}
        if any(post_type == "" for post_type, _ in figures):
            return _stated_or_sum(figures, "")
        typed = [_stated_or_sum(figures, t) for t in {t for t, _ in figures} if t != CONTROL]
        return sum(n for n in typed if n is not None) if typed else None

    def of_type(self, unit: str, measure: str, post_type: str) -> int | None:
        return _stated_or_sum(self.stated(unit, measure), post_type)

    def types(self, unit: str) -> list[str]:
        """Post types with an in-post figure."""
        return sorted({post_type for post_type, _ in self.stated(unit, "IN_POST") if post_type})

    def cells(self, unit: str) -> list[Cell]:
        """Every cell a LEDGER row or a typed figure names."""
        typed = {(unit, t, f) for measure in ("QUOTA", "IN_POST", "PAID") for t, f in self.stated(unit, measure) if t}
        return sorted(typed | {cell for cell in self.night.cells_of.get(unit, set()) if self.night.copies.get(cell)})

    def cell_quota(self, cell: Cell) -> int | None:
        """A LEDGER row of the cell first, else the headcount's QUOTA, else unknown."""
        if (
            "LEDGER" in self.night.copies.get(cell, {})
            or cell[0] in self.night.shut_units
            or cell in self.night.shut_cells
        ):
            return self.night.quota(cell)
        return self.stated(cell[0], "QUOTA").get(cell[1:])

    def has_ledger(self, unit: str) -> bool:
        cells = [cell for cell in self.night.cells_of.get(unit, set()) if cell[1] != CONTROL]
        return any("LEDGER" in self.night.copies.get(cell, {}) for cell in cells)

    def quota_total(self, unit: str) -> int | None:
        """All types without control numbers: the stated total where no LEDGER row is, else the sum of the types.

        None when there is no figure of any kind, or one of those to be added is unknown.
        """
        if unit in self.night.shut_units:
            return None
        figures = self.stated(unit, "QUOTA")
        if any(post_type == "" for post_type, _ in figures) and not self.has_ledger(unit):
            return _stated_or_sum(figures, "")
        types = {cell[1] for cell in self.quota_cells(unit)} - {CONTROL}
        quotas = [self.quota_of_type(unit, post_type) for post_type in sorted(types)]
        return None if not quotas or None in quotas else sum(q for q in quotas if q is not None)

    def quota_cells(self, unit: str) -> list[Cell]:
        """Cells with a quota of any kind, known or shut."""
        night = self.night
        return [
            cell
            for cell in sorted({*self.cells(unit), *(cell for cell in self.night.shut_cells if cell[0] == unit)})
            if cell[1:] in self.stated(unit, "QUOTA") or night.copies.get(cell) or cell in night.shut_cells
        ]

    def quota_of_type(self, unit: str, post_type: str) -> int | None:
        """A LEDGER row of a cell first, else the figures; None when there is none, or a cell is unknown."""
        cells = [cell for cell in self.quota_cells(unit) if cell[1] == post_type]
        by_ledger = any("LEDGER" in self.night.copies.get(cell, {}) for cell in cells)
        if unit in self.night.shut_units or any(cell in self.night.shut_cells for cell in cells):
            return None
        if (post_type, "") in self.stated(unit, "QUOTA") and not by_ledger:
            return self.stated(unit, "QUOTA")[post_type, ""]
        quotas = [self.cell_quota(cell) for cell in cells if cell[2]]
        return None if not quotas or None in quotas else sum(q for q in quotas if q is not None)

    def no_row_is_zero(self, unit: str) -> bool:
        """Only an accepted establishment book makes the want of any quota row mean 0 posts (decision 33)."""
        counted = [cell for cell in self.quota_cells(unit) if cell[1] != CONTROL]
        nothing = not counted and all(t == CONTROL for t, _ in self.stated(unit, "QUOTA"))
        return nothing and self.complete(unit)

    def complete(self, unit: str) -> bool:
        """Whether the want of a row can mean 0 posts: the establishment book was accepted, with no quarantined row that may
        be any cell's, and the unit is no part."""
        lost = unit in self.night.shut_units
        return self.night.present("establishment", unit) and not lost and unit not in self.part_of

    def loans(self, unit: str, post_type: str | None = None, fund_form: str | None = None) -> int:
        """Borrowed − lent of the cells meant; control numbers only when asked for by name."""
        return sum(
            n
            for (owner, of_type, of_fund), n in self.night.loans.items()
            if owner == unit
            and (of_type == post_type or (post_type is None and of_type != CONTROL))
            and fund_form in (None, of_fund)
        )


def _stated_or_sum(figures: Figures, post_type: str) -> int | None:
    """A type's figure without fund form, else the sum over fund forms; None when there is neither."""
    if (post_type, "") in figures:
        return figures[post_type, ""]
    found = [n for (of_type, _), n in figures.items() if of_type == post_type]
    return sum(found) if found else None
