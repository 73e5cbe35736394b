"""What a night does to the flags: a pure comparison of the flags there are with tonight's findings (DOMAIN §4).

A flag closes by data only when its (rule, unit) was covered tonight: judged, on accepted books of that unit, with none
of the unit's rows in quarantine. Whatever is not known is not covered: missing data is not good news.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from core.errors import InvariantViolated
from core.units import division_lineage
from reconcile.catalog import RULES
from reconcile.lifecycle import TRANSITIONS, Move
from reconcile.models import FlagStatus

ANY_UNIT = "*"
# Members of a finding's evidence that name units.
UNIT_MEMBERS = frozenset({"unit", "unit_code", "units", "units_before", "payer", "payers", "seconded_to"})
# A finding of these compares a person's rows in several units, of several divisions even: its disappearance proves
# nothing while one of these books is missing or refused anywhere, or a unit its evidence names was not covered.
ACROSS_DIVISIONS: dict[str, frozenset[str]] = {
    "F03": frozenset({"roster"}),
    "F04": frozenset({"leads"}),
    "F05": frozenset({"payroll"}),
    "F07": frozenset({"payroll", "roster"}),
    "F08": frozenset({"payroll", "roster"}),
    "F06": frozenset({"leads"}),
    "D01": frozenset({"roster"}),
    "D03": frozenset({"payroll", "roster"}),
}
# Rules about exactly one division, and the books of it that silence must rest on.
ONE_DIVISION: dict[str, tuple[str, ...]] = {"Q11": ("limits", "units"), "F11": ("payroll", "units")}
FOR_ALL_BELOW = frozenset({"leads", "base", "limits"})
COMPARED = (
    "severity",
    "division_code",
    "unit_code",
    "post_type",
    "fund_form",
    "person_mask",
    "expected",
    "found",
    "cause",
)


@dataclass(frozen=True)
class Seen:
    """Tonight's finding, as far as a flag mirrors it."""

    key: str
    rule: str
    grain: str
    severity: str
    division_code: str | None
    unit_code: str | None
    post_type: str | None
    fund_form: str | None
    person_mask: str | None
    expected: str | None
    found: str | None
    cause: str | None


@dataclass(frozen=True)
class Standing:
    """A flag before the night: what it mirrors, its status, and the units its last finding was about."""

    seen: Seen
    status: FlagStatus
    explanation_until: date | None = None
    concerned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Change:
    """One flag's step tonight. `finding`: what it mirrors from now on (None: not seen). `noted`: figures or status
    changed, so the step is written into the flag's history; merely being seen again is not."""

    move: Move
    key: str
    rule: str
    before: FlagStatus | None
    after: FlagStatus
    finding: Seen | None
    noted: bool


@dataclass(frozen=True)
class Coverage:
    """What was judged tonight.

    blind: (rule, division, unit or *) of every not-evaluable row. homes: unit → folders that speak for it tonight.
    accepted: (division, book). absent: books expected or delivered somewhere and accepted there not. quarantined: units
    with quarantined rows. unplaced: (division, book) with quarantined rows whose unit cannot be read.
    """

    blind: frozenset[tuple[str, str, str]] = frozenset()
    homes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    accepted: frozenset[tuple[str, str]] = frozenset()
    absent: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()
    unplaced: frozenset[tuple[str, str]] = frozenset()

    def covers(self, flag: Standing) -> bool:
        """Whether tonight's silence about this flag is an answer."""
        rule = flag.seen.rule
        if rule not in RULES or self.absent & ACROSS_DIVISIONS.get(rule, frozenset()):
            return False
        if flag.seen.unit_code is None:
            return self._covers_division(rule, flag.seen)
        concerned = flag.concerned if rule in ACROSS_DIVISIONS else ()
        others = (unit for unit in concerned if unit in self.homes or unit in self.quarantined)
        return self._covers_unit(rule, flag.seen.unit_code, flag.seen.division_code) and all(
            self._covers_unit(rule, unit, None) for unit in others
        )

    def _covers_unit(self, rule: str, unit: str, last_place: str | None) -> bool:
        if unit in self.quarantined:
            return False
        homes = self.homes.get(unit) or self._last_home(rule, last_place)
        return bool(homes) and not any(
            (rule, home, ANY_UNIT) in self.blind or (rule, home, unit) in self.blind or self._lost_rows(rule, home)
            for home in homes
        )

    def _last_home(self, rule: str, place: str | None) -> frozenset[str]:
        """A unit nothing names any more is judged by the folder it was last seen in, if all its books came in whole."""
        needed = {"units", *_books(rule)}
        whole = place is not None and all((place, book) in self.accepted for book in needed)
        return frozenset({place}) if whole and place is not None else frozenset()

    def _lost_rows(self, rule: str, home: str) -> bool:
        """Quarantined rows that may be any unit's: of the home, or of a book delivered above for all below."""
        above = division_lineage(home)
        return any(
            (place, book) in self.unplaced
            for book in _books(rule)
            for place in (above if book in FOR_ALL_BELOW else (home,))
        )

    def _covers_division(self, rule: str, seen: Seen) -> bool:
        grain = json.loads(seen.grain)
        if rule == "Q08" and seen.division_code is not None:
            return self._covers_total(rule, seen.division_code)
        if rule in ONE_DIVISION and seen.division_code is not None:
            return self._covers_one(rule, seen.division_code)
        if rule == "D06" and seen.division_code is not None:
            return (seen.division_code, _book_of(grain)) in self.accepted
        if rule == "D08":
            book = _book_of(grain)
            blind = any(name == rule for name, _, _ in self.blind)
            return not blind and book not in self.absent and any(named == book for _, named in self.accepted)
        return False

    def _covers_total(self, rule: str, division: str) -> bool:
        above = set(division_lineage(division))
        related = lambda place: place in above or division in division_lineage(place)
        if any(name == rule and related(place) for name, place, _ in self.blind):
            return False
        if any(book in RULES[rule].books and related(place) for place, book in self.unplaced):
            return False
        based = any(book == "base" and place in above for place, book in self.accepted)
        counted = any(book in ("establishment", "headcount") and related(place) for place, book in self.accepted)
        return based and counted

    def _covers_one(self, rule: str, division: str) -> bool:
        above = division_lineage(division)
        books = ONE_DIVISION[rule]
        if (rule, division, ANY_UNIT) in self.blind or (rule == "F11" and "base" in self.absent):
            return False  # without the base a limit that was broken may only be out of sight
        near = {place for place in self._places() if place in above or division in division_lineage(place)}
        if any(place in near for place, book in self.unplaced if book in (*books, "base")):
            return False
        # A quarantined row of one of its units may be what was counted before.
        if any(near & self.homes.get(unit, near) for unit in self.quarantined):
            return False
        return all(any((place, book) in self.accepted for place in above) for book in books)

    def _places(self) -> set[str]:
        return {place for place, _ in (*self.accepted, *self.unplaced)}.union(*self.homes.values())


def _books(rule: str) -> tuple[str, ...]:
    return RULES[rule].books or ("headcount",)


def _book_of(grain: Mapping[str, object]) -> str:
    """The book in a grain: at the top, or within D06's `total` (nested, or as JSON text)."""
    total = grain.get("total")
    if isinstance(total, str) and total.startswith("{"):
        total = json.loads(total)
    inner = total if isinstance(total, Mapping) else {}
    return str(grain.get("book") or inner.get("book") or "")


def concerned_units(evidence: str | None) -> frozenset[str]:
    """The units a finding's evidence names: every value of a JSON member called like a unit column, at any depth."""
    if not evidence or not evidence.lstrip().startswith(("{", "[")):
        return frozenset()
    try:
        tree = json.loads(evidence)
    except json.JSONDecodeError:
        return frozenset()
    return frozenset(_named(tree, False))


def _named(node: object, unit: bool) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _named(value, name in UNIT_MEMBERS)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value, unit)
    elif unit and isinstance(node, str):
        yield from filter(None, node.split(";"))


def plan_settle(
    flags: Iterable[Standing], findings: Mapping[str, Seen], coverage: Coverage, as_of: date
) -> list[Change]:
    """Every step tonight's findings bring, at most one per flag, in key order.

    `flags`: all live ones, and closed ones that are seen tonight (other closed ones are ignored). An explanation's
    last good day has passed when it lies before `as_of`.
    """
    changes: list[Change] = []
    known: set[str] = set()
    for flag in flags:
        known.add(flag.seen.key)
        change = _step(flag, findings.get(flag.seen.key), coverage, as_of)
        if change is not None:
            changes.append(change)
    fresh = (finding for key, finding in findings.items() if key not in known)
    changes += [Change(Move.OPEN, new.key, new.rule, None, FlagStatus.OPEN, new, True) for new in fresh]
    return sorted(changes, key=lambda change: change.key)


def _step(flag: Standing, finding: Seen | None, coverage: Coverage, as_of: date) -> Change | None:
    key, status = flag.seen.key, flag.status
    if status is FlagStatus.CLOSED:
        return None if finding is None else _move(Move.REOPEN, flag, finding)
    if finding is None and coverage.covers(flag):
        return _move(Move.CLOSE_BY_DATA, flag, None)
    expired = flag.explanation_until is not None and flag.explanation_until < as_of
    if status is FlagStatus.EXPLAINED and expired:
        return _move(Move.EXPIRE, flag, finding)
    if finding is None:
        return None
    changed = any(getattr(finding, name) != getattr(flag.seen, name) for name in COMPARED)
    return Change(Move.SEE, key, flag.seen.rule, status, status, finding, changed)


def _move(move: Move, flag: Standing, finding: Seen | None) -> Change:
    row = TRANSITIONS[move]
    if flag.status not in row.sources or row.target is None:
        raise InvariantViolated(f"{move} does not start from {flag.status}")
    return Change(move, flag.seen.key, flag.seen.rule, flag.status, row.target, finding, True)
