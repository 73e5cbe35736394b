"""P02: entries into a cell that was full on that day (DOMAIN §4, decision 56)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from demo.oracle.entries import Gate, entry_finding, one_per_grain
from demo.oracle.evidence import day as written
from demo.oracle.months import days_of, is_exact
from demo.oracle.night import CONTROL, Blank, Cell, Night, Person, Row, cell_of, told


class Standing(NamedTuple):
    """How somebody stood on the day of entry: others who surely held a post, the turn among those who entered with them and
    surely came before, and the number of those who may have held one by then, the person included."""

    held: int
    turn: int
    most: int


Days = dict[date, dict[Person, Standing]]


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

    def holders_with(self, scope: list[Cell], day: date, who: Person) -> Standing:
        """How this person stood among those who held the posts, or entered them, on that day."""
        key = scope[0] if len(scope) == 1 else scope[0][:2]
        if key not in self.days:
            self.days[key] = _walk([pair for cell in scope for pair in self.rows[cell]], self.since)
        return self.days[key][day][who]


def _walk(rows: list[tuple[Person, Row]], since: date) -> Days:
    """Day by day with an entry: how each of those who entered stood. Nobody is counted twice, or against themselves."""
    entering: dict[date, dict[Person, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for who, row in rows:
        day = row.get("entry_date")
        if day is not None and day >= since and is_exact(row, "entry_date") and _may_hold(row):
            entering[day][who].append(row)
    surely = _present([(who, _surely_there(row)) for who, row in rows])
    maybe = _present([(who, _maybe_there(row)) for who, row in rows])
    days: Days = {}
    for day in sorted(entering):
        there, may_be = surely(day), maybe(day)
        first, last = {}, {}
        for who, own in entering[day].items():
            first[who] = min(_order(who, row, 0) for row in own)
            last[who] = min((_order(who, row, -1) for row in own if _holds(row)), default=None)
        news = {who for who in first if who not in may_be}
        sure_news = {who for who, order in last.items() if order is not None and who not in there}
        days[day] = {}
        for who in first:
            before = {other for other in sure_news if last[other] < first[who]}
            latest = last[who] or _order(who, {}, -1)
            behind = {other for other in news if first[other] < latest} - {who}
            held = len(there) - (who in there)
            days[day][who] = Standing(held, len(before - {who}) + 1, len(may_be) - (who in may_be) + len(behind) + 1)
    return days


def _present(stays: list[tuple[Person, tuple[date, date]]]) -> Callable[[date], Counter[Person]]:
    """Who was there on a day, given people with a day before and a day after all of it; asked for days in order."""
    stays = [stay for stay in stays if stay[1][0] < stay[1][1]]
    arriving = sorted(stays, key=lambda stay: stay[1][0], reverse=True)
    leaving = sorted(stays, key=lambda stay: stay[1][1], reverse=True)
    holding: Counter[Person] = Counter()

    def on(day: date) -> Counter[Person]:
        while arriving and arriving[-1][1][0] < day:
            holding[arriving.pop()[0]] += 1
        while leaving and leaving[-1][1][1] <= day:
            who = leaving.pop()[0]
            holding[who] -= 1
            if not holding[who]:
                del holding[who]
        return holding

    return on


def _surely_there(row: Row) -> tuple[date, date]:
    """The day of entry and the day of exit that lie nearest to each other."""
    entry, leaves = days_of(row, "entry_date"), days_of(row, "exit_date")
    return max(entry, default=date.min), min(leaves, default=date.max)


def _maybe_there(row: Row) -> tuple[date, date]:
    """Those that lie farthest apart; who enters in a month may have come before anybody on its first day."""
    entry, leaves = days_of(row, "entry_date"), days_of(row, "exit_date")
    begins = min(entry, default=date.min)
    return begins if is_exact(row, "entry_date") else begins - timedelta(days=1), max(leaves, default=date.max)


def _holds(row: Row) -> bool:
    """Who leaves on or before the day of entry never held the post."""
    return all(leaves > row["entry_date"] for leaves in days_of(row, "exit_date"))


def _may_hold(row: Row) -> bool:
    leaves = days_of(row, "exit_date")
    return not leaves or leaves[-1] > row["entry_date"]


def _in_force(row: Row, day: date) -> bool:
    begins, ends = row.get("valid_from"), row.get("valid_to")
    return begins is not None and begins <= day and (ends is None or day <= ends)


def _order(who: Person, row: Row, which: int) -> tuple:
    """Registration (the first or the last day it may be), permit, person; what is not known comes last."""
    registered, permit = days_of(row, "entry_registered"), row.get("permit_no")
    key = "" if isinstance(who, Blank) else who
    return (not registered, registered[which] if registered else date.max, not permit, permit or "", not key, key)


def entries_into_full_cells(night: Night, gate: Gate) -> list[Row]:
    """P02, for every entry that still held a post when its day ended."""
    posts = Posts(night, min(gate.starts.values(), default=night.as_of))
    found = []
    for who, row in gate.entries:
        unit, day = row["unit_code"], row["entry_date"]
        if isinstance(who, Blank) or not _may_hold(row) or not night.present("establishment", unit):
            continue
        if not is_exact(row, "entry_date"):
            night.lacks("P02", unit, "roster")
            continue
        scope = posts.scope(cell_of(row))
        allowed, stood = posts.allowed(scope, day), posts.holders_with(scope, day, who)
        if allowed is None:
            night.lacks("P02", unit, "establishment")
        elif _holds(row) and stood.held + stood.turn > allowed:
            said = {
                "against": "CELL" if posts.own_scope(cell_of(row)) else "TYPE",
                "held": stood.held,
                "turn": stood.turn,
            }
            said |= {"entry_registered": written(row.get("entry_registered")), "permit_no": row.get("permit_no")}
            texts = {"expected": allowed, "found": stood.held + stood.turn, "evidence": told(said)}
            found.append(entry_finding(night, "P02", "S2", who, row, **texts))
        elif stood.most > allowed:
            night.lacks("P02", unit, "roster")
    return one_per_grain(found)
