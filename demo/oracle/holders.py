"""P02: entries into a cell that was full on that day (DOMAIN §4, decision 56)."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from demo.oracle.entries import Gate, entry_finding, one_per_grain
from demo.oracle.evidence import day as written
from demo.oracle.night import CONTROL, Blank, Cell, Night, Person, Row, cell_of, told

Days = dict[date, tuple[int, dict[Person, int]]]


class Posts:
    """Rows and quota of cells over time, and who held and entered a cell, or a whole type, on a day."""

    def __init__(self, night: Night, since: date) -> None:
        self.night, self.since = night, since
        self.rows: dict[Cell, list[tuple[Person, Row]]] = defaultdict(list)
        for who, row in night.roster:
            if row["status"] != "OFF_QUOTA" and row["post_type"] != CONTROL:
                self.rows[cell_of(row)].append((who, row))
        self.dated: dict[Cell, list[Row]] = defaultdict(list)
        for row in night.facts["position_quota"]:
            self.dated[cell_of(row)].append(row)
        self.cells: dict[tuple[str, str], set[Cell]] = defaultdict(set)
        for cell in [*self.rows, *self.dated, *night.copies, *night.loans, *night.shut_cells]:
            self.cells[cell[:2]].add(cell)
        self.days: dict[tuple[str, ...], Days] = {}

    def has_quota_row(self, cell: Cell) -> bool:
        return bool(self.night.copies.get(cell)) or cell in self.dated or cell in self.night.shut_cells

    def own_scope(self, cell: Cell) -> bool:
        """Whether a cell is held against itself alone."""
        return self.has_quota_row(cell) or not any(self.has_quota_row(other) for other in self.cells[cell[:2]])

    def scope(self, cell: Cell) -> list[Cell]:
        """The cell; lacking a quota row of its own, all cells of its type when one of them has one."""
        return [cell] if self.own_scope(cell) else sorted(self.cells[cell[:2]])

    def allowed(self, scope: list[Cell], day: date) -> int | None:
        """Quota in force that day where our ledger knows it, else tonight's, with tonight's loans; None: unknown."""
        total = 0
        for cell in scope:
            in_force = [row["quota"] for row in self.dated.get(cell, ()) if _in_force(row, day)]
            quota = sum(in_force) if in_force else self.night.quota(cell)
            if quota is None:
                return None
            total += quota + self.night.loans.get(cell, 0)
        return total

    def holders_with(self, scope: list[Cell], day: date, who: Person) -> tuple[int, int]:
        """Holders of that day, exits first, and this person's turn among those who enter it, each person once."""
        key = scope[0] if len(scope) == 1 else scope[0][:2]
        if key not in self.days:
            self.days[key] = _walk([pair for cell in scope for pair in self.rows[cell]], self.since)
        held, place = self.days[key][day]
        return held, place[who]


def _walk(rows: list[tuple[Person, Row]], since: date) -> Days:
    """Day by day with an entry: how many held a post before anybody entered, and the turn of those who did."""
    rows = [pair for pair in rows if _holds(pair[1])]
    arriving = sorted(rows, key=lambda pair: pair[1].get("entry_date") or date.min)
    leaving = sorted((pair for pair in rows if pair[1].get("exit_date")), key=lambda pair: pair[1]["exit_date"])
    entering: dict[date, list[tuple[Person, Row]]] = defaultdict(list)
    for who, row in rows:
        if row.get("entry_date") is not None and row["entry_date"] >= since:
            entering[row["entry_date"]].append((who, row))
    holding: Counter[Person] = Counter()
    came = left = 0
    days: Days = {}
    for day in sorted(entering):
        while came < len(arriving) and (arriving[came][1].get("entry_date") or date.min) < day:
            holding[arriving[came][0]] += 1
            came += 1
        while left < len(leaving) and leaving[left][1]["exit_date"] <= day:
            who = leaving[left][0]
            holding[who] -= 1
            if not holding[who]:
                del holding[who]
            left += 1
        ordered = dict.fromkeys(who for who, _ in sorted(entering[day], key=_order))
        days[day] = len(holding), {who: number for number, who in enumerate(ordered, 1)}
    return days


def _holds(row: Row) -> bool:
    """Who leaves on or before the day of entry never held the post."""
    entry, leaves = row.get("entry_date"), row.get("exit_date")
    return entry is None or leaves is None or entry < leaves


def _in_force(row: Row, day: date) -> bool:
    begins, ends = row.get("valid_from"), row.get("valid_to")
    return begins is not None and begins <= day and (ends is None or day <= ends)


def _order(entry: tuple[Person, Row]) -> tuple:
    """Registration, permit, person; what is not known comes last."""
    who, row = entry
    registered, permit = row.get("entry_registered"), row.get("permit_no")
    key = "" if isinstance(who, Blank) else who
    return (registered is None, registered or date.max, not permit, permit or "", not key, key)


def entries_into_full_cells(night: Night, gate: Gate) -> list[Row]:
    """P02, for every entry that still held a post when its day ended."""
    posts = Posts(night, min(gate.starts.values(), default=night.as_of))
    found = []
    for who, row in gate.entries:
        unit, day = row["unit_code"], row["entry_date"]
        if isinstance(who, Blank) or not _holds(row) or not night.present("establishment", unit):
            continue
        if row.get("entry_date_exact") is False:
            night.lacks("P02", unit, "roster")
            continue
        scope = posts.scope(cell_of(row))
        allowed, (held, turn) = posts.allowed(scope, day), posts.holders_with(scope, day, who)
        if allowed is None:
            night.lacks("P02", unit, "establishment")
        elif held + turn > allowed:
            said = {"against": "CELL" if posts.own_scope(cell_of(row)) else "TYPE", "held": held, "turn": turn}
            said |= {"entry_registered": written(row.get("entry_registered")), "permit_no": row.get("permit_no")}
            texts = {"expected": allowed, "found": held + turn, "evidence": told(said)}
            found.append(entry_finding(night, "P02", "S2", who, row, **texts))
    return one_per_grain(found)
