"""The simulator's own desk: requests, loans, slots, and the rules R03–R17 written down a second time."""

from __future__ import annotations

import calendar
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.property.pool_model import Book, Key, Movement, Partition
from tests.property.pool_province import LEVELS, PURPOSES, SOON_DAYS, TALENT_CAP, UNIT_CAP

RIGHT_TO_RENEW, GRACE_DAYS, FILL_MONTHS, REQUEST_DAYS, SKIP_DAYS = 1, 60, 6, 365, 90
LONGEST, LONGEST_SCHOOL = 36, 60
WAITING = ("SUBMITTED", "REVIEWED")


@dataclass
class Slot:
    number: str
    loan: str
    lot: int
    lender: str
    status: str
    due: date
    issued: date
    person: str | None = None
    filled: date | None = None
    fill_seq: int | None = None
    recalled: date | None = None
    ended: date | None = None
    entered: date | None = None  # the day the entry was booked


@dataclass
class Loan:
    number: str
    request: str
    seq: int
    unit: str
    partition: Partition
    purpose: str
    due: date
    renewals: int
    backed: int
    slots: list[str] = field(default_factory=list)
    # per renewal's movement: the due date before, of the loan and of each slot it renewed
    terms: dict[int, tuple[date, dict[str, date]]] = field(default_factory=dict)


@dataclass
class Request:
    number: str
    unit: str
    partition: Partition
    purpose: str
    posts: int
    months: int
    papers: dict[str, str]
    status: str
    applicants: set[str]
    submitted: date | None = None
    deciders: set[str] = field(default_factory=set)
    endorsed: bool = False
    decided_by: str | None = None
    place: str | None = None
    granted: int | None = None
    loan: str | None = None
    pending: list[tuple[int, int]] = field(default_factory=list)  # (lot, posts), by lot number

    @property
    def lacks_posts(self) -> bool:
        """Whether it waits for posts, and holds none."""
        return self.status in WAITING and not self.pending


@dataclass
class Lot:
    number: int
    owner: str
    node: str
    partition: Partition
    purpose: str
    since: date

    @property
    def lent_by_owner(self) -> bool:
        """Whether whose quota it is gave only the use away: any other lot belongs to the pool's own node."""
        return self.owner != self.node


Taken = list[tuple[Lot, int]]


def months_on(start: date, months: int) -> date:
    """The same day so many months later, or the last of a shorter month."""
    year, month = start.year, start.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


@dataclass
class Desk:
    """Everything the model knows."""

    book: Book
    level: dict[str, str]
    supervised: frozenset[str]
    retiring: dict[tuple[str, Partition], list[str]]
    totals: dict[tuple[str, str], int]
    lots: dict[int, Lot] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    loans: dict[str, Loan] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    live: dict[str, Slot] = field(default_factory=dict)
    waiting: dict[str, Request] = field(default_factory=dict)
    reserves: dict[int, tuple[str, Partition, bool]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)  # who sits on which slot, in the order they came
    closed: set[str] = field(default_factory=set)
    giving: list[tuple[str, str, date, date]] = field(default_factory=list)
    homeward: dict[str, int] = field(default_factory=dict)  # recalled slots whose post waits to go home → its RETURN

    @property
    def today(self) -> date:
        return self.book.today

    def live_of(self, unit: str) -> list[Slot]:
        return [slot for slot in self.live.values() if self.loans[slot.loan].unit == unit]

    def overdue(self, unit: str) -> int:
        return sum(slot.due < self.today for slot in self.live_of(unit))

    def borrowed_and_asked(self, unit: str, but: str | None) -> dict[str, int]:
        found = dict.fromkeys(PURPOSES, 0)
        for slot in self.live_of(unit):
            found[self.loans[slot.loan].purpose] += 1
        for request in self.waiting.values():
            if request.unit == unit and request.number != but:
                found[request.purpose] += request.posts
        return found

    def usable(self, unit: str, partition: Partition) -> int:
        """Own vacant posts and empty pool posts of a cell, of what is effective today."""
        row, book = self.book.states.get(partition, {}).get(unit), self.book
        if row is None:
            return 0
        vacant = row.vacant - book.after(self.today, partition, unit, "home", "")
        return vacant + sum(row.borrowed.values()) - row.seated

    def backing(self, unit: str, partition: Partition, months: int) -> int:
        """Coming retirements of the cell, less its excess and what other live loans rest on (R06)."""
        start, due = self.today, months_on(self.today, months)
        coming = sum(
            f"{start:%Y-%m}" < month <= f"{due:%Y-%m}" for month in self.retiring.get((unit, partition), ())
        )  # fmt: skip
        row = self.book.states.get(partition, {}).get(unit)
        vacant = row.vacant - self.book.after(self.today, partition, unit, "home", "") if row else 0
        held = 0
        if row:
            later = self.book.after(self.today, partition, unit, "reserved")
            pooled = sum(self.book.after(self.today, partition, unit, name) for name in ("idle", "pending", "lent"))
            held = row.reserved - later + sum(row.pooled.values()) - pooled
        backed = sum(
            min(loan.backed, sum(number in self.live for number in loan.slots))
            for loan in {slot.loan: self.loans[slot.loan] for slot in self.live_of(unit)}.values()
            if loan.partition == partition
        )  # fmt: skip
        # in post − quota: people on own posts are quota less what is vacant, reserved or in the pool.
        return coming - max(0, -vacant - held) - backed

    def stock(self, unit: str, partition: Partition, purpose: str) -> list[tuple[int, str, Lot, int]]:
        """(rank, meeting node, lot, posts) of what the unit could be lent, in the order it is taken."""
        up = {node: rank for rank, node in enumerate(self.book.path(unit))}
        found = []
        for lot in self.lots.values():
            if lot.partition != partition or lot.purpose != purpose or lot.owner == unit or lot.since > self.today:
                continue
            posts = self.book.held.get(("idle", lot.owner, *partition, purpose, lot.number), 0)
            posts -= sum(self.slots[number].lot == lot.number for number in self.homeward)
            if posts > 0:
                meet = next(node for node in self.book.path(lot.node) if node in up)
                found.append((up[meet], meet, lot, posts))
        return sorted(found, key=lambda one: (one[0], one[2].since, one[2].owner, one[2].number))

    def choose(self, request: Request) -> tuple[Taken, int]:
        taken, missing = [], request.posts
        for _, _, lot, posts in self.stock(request.unit, request.partition, request.purpose):
            if missing:
                taken.append((lot, min(posts, missing)))
                missing -= taken[-1][1]
        return taken, missing

    def queue(self, request: Request) -> list[Request]:
        """Others that wait for posts of the same pool and have none."""
        return [
            other for other in self.waiting.values()
            if other is not request and other.lacks_posts
            and (other.partition, other.purpose) == (request.partition, request.purpose)
        ]  # fmt: skip

    def pooled(self, partition: Partition, purpose: str) -> int:
        """All posts of a pool, lent ones among them, but those their lender called back."""
        leaving = [*self.homeward, *(number for number, slot in self.live.items() if slot.recalled)]
        pools = [self.lots[self.slots[number].lot] for number in leaving]
        left = sum(lot.lent_by_owner and (lot.partition, lot.purpose) == (partition, purpose) for lot in pools)
        return -left + sum(
            posts for at, posts in self.book.held.items()
            if at[0] in ("idle", "pending", "lent") and at[2:4] == partition and at[4] == purpose
        )  # fmt: skip

    def judge(self, request: Request, posts: int, taken: Taken) -> tuple[str, int]:
        """(answer of the rules, retirements that back it) for so many posts of these lots."""
        unit, partition = request.unit, request.partition
        counts = self.borrowed_and_asked(unit, request.number)
        backing = self._left_of(self.backing(unit, partition, request.months), request)
        answers = (
            (partition[0] == "CONTROL_NUMBER", "NEVER_POOLED"),
            (request.purpose not in (*PURPOSES, "ENFORCEMENT", "GRASSROOTS"), "UNKNOWN_PURPOSE"),
            (self.overdue(unit) > 0, "UNIT_OVERDUE"),
            (self.usable(unit, partition) > 0, "HAS_VACANCY"),
            (self._other_forms(unit, partition) > 0 and "other_waiver" not in request.papers, "OTHER_FORM_VACANT"),
            (request.months > (LONGEST_SCHOOL if request.purpose == "EDUCATION" else LONGEST), "TERM_TOO_LONG"),
            (sum(counts.values()) + posts > UNIT_CAP, "UNIT_CAP"),
            (request.purpose == "TALENT" and counts.get("TALENT", 0) + posts > TALENT_CAP, "PURPOSE_CAP"),
            *self._level_answers(request, taken),
        )
        for holds, answer in answers:
            if holds:
                return answer, backing
        return ("ALLOWED" if posts <= backing else "ALLOWED_BY_UPPER"), backing

    def _left_of(self, backing: int, request: Request) -> int:
        """What retires backs the cell's requests in the order of their numbers; one without a number comes last."""
        first = (
            other.posts
            for other in self.waiting.values()
            if (other.unit, other.partition) == (request.unit, request.partition)
            and (not request.number or other.number < request.number)
        )
        return backing - min(max(backing, 0), sum(first))

    def _other_forms(self, unit: str, partition: Partition) -> int:
        others = [at for at in self.book.states if at[0] == partition[0] and at != partition]
        return sum(max(0, self.usable(unit, at)) for at in others)

    def _level_answers(self, request: Request, taken: Taken):
        if not taken:
            return
        here = LEVELS.index(self.level[request.unit])
        steps = [LEVELS.index(self.level[lot.node]) - here for lot, _ in taken]
        crosses = any(steps) and request.partition[0] in ("ADMIN", "POLITICAL_LEGAL")
        yield crosses and "central_no" not in request.papers, "NEEDS_CENTRAL_NUMBER"
        yield max(steps) > 0 and "exception_doc" not in request.papers, "UPWARD_NEEDS_DOCUMENT"
        yield self._over_total(request, taken), "TOTAL_EXCEEDED"

    def _over_total(self, request: Request, taken: Taken) -> bool:
        """Whether a division below where the lender joins the borrower's path would exceed its limit (R17)."""
        up = self.book.path(request.unit)
        incoming: dict[str, int] = {}
        for lot, posts in taken:
            meet = next(node for node in self.book.path(lot.node) if node in up)
            for node in up[1 : up.index(meet)]:
                incoming[node] = incoming.get(node, 0) + posts
        for node, posts in incoming.items():
            limit = self.totals.get((self.book.division[node], request.partition[0]))
            if limit is not None and self._total(self.book.division[node], request.partition[0]) + posts > limit:
                return True
        return False

    def refuses_document(self, movement: Movement) -> str | None:
        """What the book answers to a movement by document; one the balances bear may still lift a division above its total."""
        answer = self.book.refuses(movement)
        if (
            answer == "NOT_ENOUGH"
            or movement.free
            or movement.kind not in ("GRANT", "DEPOSIT", "TRANSFER", "CONVERSION")
        ):
            return answer
        return "TOTAL_EXCEEDED" if self._lifts_a_total(movement) else answer

    def _lifts_a_total(self, movement: Movement) -> bool:
        more: dict[tuple[str, str], int] = defaultdict(int)
        for at, posts in movement.moves:
            for division, post_type in self.totals:
                inside = at[0] not in ("authority", "borrowed") and self._inside(at[1], division)
                if inside and at[2] == post_type:
                    more[division, post_type] += posts
        return any(posts > 0 and self._total(*at) + posts > self.totals[at] for at, posts in more.items())

    def _inside(self, node: str, division: str) -> bool:
        return self.book.division[node].startswith(division.rstrip("0") or division)

    def _total(self, division: str, post_type: str) -> int:
        inside = lambda node: self._inside(node, division)
        total = 0
        for partition, state in self.book.states.items():
            if partition[0] == post_type:
                for node, row in state.items():
                    if inside(node):
                        total += row.vacant + row.people - row.seated + row.reserved + sum(row.pooled.values())
        for slot in self.live.values():
            loan = self.loans[slot.loan]
            if loan.partition[0] == post_type:
                total += inside(loan.unit) - inside(slot.lender)
        return total

    def place_of(self, request: Request, taken: Taken, answer: str) -> str:
        """The node whose director decides: where lender and borrower meet, the own one, or one level up (R06)."""
        up = self.book.path(request.unit)
        rank = max((up.index(next(n for n in self.book.path(lot.node) if n in up)) for lot, _ in taken), default=1)
        rank = max(rank, 2 if answer == "ALLOWED_BY_UPPER" else 1)
        return up[min(rank, len(up) - 1)]

    def turn_due(self) -> None:
        """What the night does to slots: due soon, overdue."""
        for slot in self.live.values():
            if slot.due < self.today:
                slot.status = "OVERDUE"
            elif slot.status in ("ISSUED", "FILLED") and slot.due <= self.today + timedelta(days=SOON_DAYS):
                slot.status = "DUE_SOON"

    def by_dates(self, slot: Slot, due: date) -> str:
        """What a live slot is today by its person, its recall and a due date."""
        if due < self.today:
            return "OVERDUE"
        if slot.recalled is not None:
            return "RECALLED"
        if due <= self.today + timedelta(days=SOON_DAYS):
            return "DUE_SOON"
        return "ISSUED" if slot.person is None else "FILLED"

    def proposals(self) -> set[tuple[str, str]]:
        """(kind, slot) the night leaves open: never filled in time, and an own vacancy for the one due first."""
        found = {
            ("WITHDRAW", slot.number) for slot in self.live.values()
            if slot.person is None and months_on(slot.issued, FILL_MONTHS) < self.today
        }  # fmt: skip
        by_cell: dict[tuple[str, Partition], list[Slot]] = {}
        for slot in self.live.values():
            if slot.person is not None:
                loan = self.loans[slot.loan]
                by_cell.setdefault((loan.unit, loan.partition), []).append(slot)
        for (unit, partition), filled in by_cell.items():
            row = self.book.states[partition][unit]
            vacant = row.vacant - self.book.after(self.today, partition, unit, "home", "")
            filled.sort(key=lambda slot: (slot.due, slot.number))
            found |= {("SWAP", slot.number) for slot in filled[: max(0, vacant)]}
        return found

    def may_act_for(self, giver: str, taker: str) -> bool:
        return any(one[:2] == (giver, taker) and one[2] <= self.today <= one[3] for one in self.giving)


def pooled_key(account: str, lot: Lot) -> Key:
    return account, lot.owner, *lot.partition, lot.purpose, lot.number
