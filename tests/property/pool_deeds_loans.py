"""What the simulated applicants, departments, reviewers and directors do to requests."""

from __future__ import annotations

from pool.service_approvals import approve_request
from pool.service_loans import (
    Wish,
    endorse_request,
    refuse_request,
    request_loan,
    review_request,
    submit_request,
    withdraw_request,
)
from tests.property.pool_deed import Deed, Sim, key
from tests.property.pool_desk import SKIP_DAYS, WAITING, Loan, Lot, Request, Slot, Taken, months_on, pooled_key
from tests.property.pool_model import Movement
from tests.property.pool_province import ADMIN, FULL, PART, PURPOSES, SUPPORT

PASSING = ("ALLOWED", "ALLOWED_BY_UPPER")
WAITS = 0.35  # how many ask to wait where there is no stock
TRIES = 8
DECISIONS = {"endorse": ("SUBMITTED",), "review": ("SUBMITTED",), "approve": ("REVIEWED",), "refuse": WAITING}


def _wish(sim: Sim) -> Request:
    """Mostly of a unit that has the cell and nothing to spare, and of a purpose there is stock of."""
    dice = sim.dice
    lots = [lot for lot in list(sim.desk.lots.values())[-60:] if sim.desk.book.held[pooled_key("idle", lot)] > 0]
    lot = dice.choice(lots) if lots and dice.random() < 0.75 else None
    full = lambda row: row.vacant <= 0 and row.people > 0 and not any(row.borrowed.values())
    unit, cell = sim.cell_with(full, lot.partition if lot else None)
    if not unit.startswith("U:") or dice.random() < 0.1:
        unit, cell = sim.any_unit(), dice.choice([FULL, FULL, PART, ADMIN, SUPPORT])
    papers = {name: "文1" for name in ("central_no", "exception_doc", "other_waiver") if dice.random() < 0.7}
    purpose = dice.choice(PURPOSES) if dice.random() < 0.98 else "TRAVEL"
    purpose = lot.purpose if lot else purpose
    cell = ("CONTROL_NUMBER", "FULL") if dice.random() < 0.01 else cell
    months = dice.choice([1, 1, 1, 2, 3, 6, 12, 24, 36, sim.dice.choice([12, 40, 60])])
    return Request("", unit, cell, purpose, dice.choice([1, 1, 1, 2, 2, 8]), months, papers, "DRAFT", set())


def _foresee(sim: Sim, request: Request, login: str, wait: bool) -> tuple[str | None, str, Movement | None, Taken]:
    """(refusal, the rules' answer, the ASK, the lots); without refusal and ASK it waits."""
    if (closed := sim.closed_to(login, request.unit)) is not None:
        return closed, "", None, []
    refusal, answer, ask, taken = _chosen(sim, request, queued=bool(sim.desk.queue(request)))
    if wait and refusal in ("NO_STOCK", "QUEUED"):
        return None, answer, None, []
    return refusal, answer, ask, taken


def _chosen(sim: Sim, request: Request, queued: bool) -> tuple[str | None, str, Movement | None, Taken]:
    desk = sim.desk
    answer, _ = desk.judge(request, request.posts, [])
    if answer not in PASSING:
        return answer, answer, None, []
    if queued:
        return "QUEUED", answer, None, []
    taken, missing = desk.choose(request)
    if missing:
        return "NO_STOCK", answer, None, []
    answer, _ = desk.judge(request, request.posts, taken)
    if answer not in PASSING:
        return answer, answer, None, []
    ask = _shift("ASK", sim, request, taken, "idle", "pending")
    return desk.book.refuses(ask), answer, ask, taken


def _shift(kind: str, sim: Sim, request: Request, lots: Taken, source: str, target: str) -> Movement:
    moves = []
    for lot, posts in lots:
        moves += [(pooled_key(source, lot), -posts), (pooled_key(target, lot), posts)]
    return Movement(kind, sim.today, moves, claimant=request.unit, holders=(request.unit,))


def claim_waiting(sim: Sim) -> int:
    """What the night gives to those who wait, in R15's order, again until nobody passes; who waited too long keeps the
    pool to itself. Returns how many got posts."""
    desk, kept, claimed = sim.desk, set(), 0
    queue = [request for request in desk.waiting.values() if request.lacks_posts]
    for request in sorted(queue, key=lambda one: (one.purpose != "PLACEMENT", one.submitted, one.unit[2:], one.number)):
        pool = (request.partition, request.purpose)
        if request.unit in desk.closed or pool in kept:
            continue
        refusal, answer, ask, taken = _chosen(sim, request, queued=False)
        if refusal is None:
            _claimed(sim, request, ask, taken)
            request.place = desk.place_of(request, taken, answer)
            sim.tell(request, "claim")
            claimed += 1
        elif refusal in ("NO_STOCK", "LIMIT") and request.posts <= desk.pooled(*pool):
            kept |= {pool} if (sim.today - request.submitted).days > SKIP_DAYS else set()
    return claimed + claim_waiting(sim) if claimed else 0


def _claimed(sim: Sim, request: Request, ask: Movement, taken: Taken) -> None:
    sim.desk.book.post(ask)
    request.pending = sorted((lot.number, posts) for lot, posts in taken)
    sim.touch_requests.add(request.number)


def _submitted(
    sim: Sim, request: Request, receipt: dict, login: str, ask: Movement | None, taken: Taken, answer: str
) -> None:
    desk = sim.desk
    sim.same("movement", receipt["movement"], desk.book.post(ask) if ask else None)
    sim.same("lots", receipt["lots"], [[lot.number, lot.owner, posts] for lot, posts in taken])
    sim.same("answer", receipt["rule"], answer)
    request.place = desk.place_of(request, taken, answer)
    sim.same("decision node", receipt["decision_node"], request.place)
    request.number, request.status, request.submitted = receipt["request"], "SUBMITTED", sim.today
    request.applicants.add(login)
    request.pending = sorted((lot.number, posts) for lot, posts in taken)
    desk.requests[request.number] = desk.waiting[request.number] = request
    sim.touch_requests.add(request.number)


def ask(sim: Sim) -> Deed:
    return _asked(sim, _wish(sim), sim.patience.random() < WAITS)


def ask_to_wait(sim: Sim) -> Deed:
    """For posts that are not there, or that others wait for already."""
    for _ in range(TRIES):
        request = _wish(sim)
        if request.unit in sim.desk.closed or sim.desk.queue(request) or sim.desk.choose(request)[1]:
            break
    return _asked(sim, request, wait=True)


def _asked(sim: Sim, request: Request, wait: bool) -> Deed:
    login = sim.clerk("officer", request.unit)
    wish = Wish(request.unit[2:], *request.partition, request.purpose, request.posts, request.months, "急需",
                **request.papers)  # fmt: skip
    if sim.dice.random() < 0.05:
        return _draft(sim, request, wish, login)
    expect, answer, movement, taken = _foresee(sim, request, login, wait)

    def happen(receipt) -> None:
        _submitted(sim, request, receipt, login, movement, taken, answer)

    name = "ask to wait" if expect is None and movement is None else "ask"
    return Deed(name, request_loan, login, (wish,), expect, happen, kwargs={"wait": wait})


def _draft(sim: Sim, request: Request, wish: Wish, login: str) -> Deed:
    def happen(receipt) -> None:
        request.number = receipt["request"]
        request.applicants.add(login)
        sim.desk.requests[request.number] = request
        sim.touch_requests.add(request.number)

    expect = sim.closed_to(login, request.unit)
    return Deed("draft", request_loan, login, (wish,), expect, happen, kwargs={"draft": True})


def submit(sim: Sim) -> Deed | None:
    request = _some_request(sim, lambda one: one.status == "DRAFT")
    if request is None:
        return None
    login = sim.clerk("officer", request.unit)
    wait = sim.patience.random() < WAITS
    expect, answer, movement, taken = _foresee(sim, request, login, wait)
    if request.status != "DRAFT":
        expect = sim.closed_to(login, request.unit) or "WRONG_STATUS"

    def happen(receipt) -> None:
        _submitted(sim, request, receipt, login, movement, taken, answer)

    return Deed("submit", submit_request, login, (request.number,), expect, happen, kwargs={"wait": wait})


def _some_request(sim: Sim, wanted) -> Request | None:
    """One for which that holds, mostly; now and then one of the last hundred whatever its status."""
    if sim.dice.random() < 0.93:
        for number in sim.dice.sample(list(sim.desk.requests)[-200:], min(20, len(sim.desk.requests), 200)):
            if wanted(sim.desk.requests[number]):
                return sim.desk.requests[number]
    numbers = list(sim.desk.requests)[-100:]
    return sim.desk.requests[sim.dice.choice(numbers)] if numbers else None


def _decision_refused(request: Request, name: str, hands: set[str]) -> str | None:
    sources = DECISIONS[name]
    if request.decided_by is not None and request.status not in sources:
        return "ALREADY_DECIDED"
    if request.status not in sources:
        return "WRONG_STATUS"
    if hands & request.applicants:
        return "OWN_REQUEST"
    if hands & request.deciders:
        return "DECIDED_BEFORE"
    if name in ("review", "approve") and not request.endorsed:
        return "NOT_ENDORSED"
    return None


def endorse(sim: Sim) -> Deed | None:
    request = _some_request(sim, lambda one: one.status == "SUBMITTED" and one.unit in sim.desk.supervised)
    if request is None or request.unit not in sim.desk.supervised:
        return None
    login = sim.office(request.unit).login("supervisor")
    if request.unit in sim.desk.closed:
        return None
    return _opinion(sim, request, login, "endorse", endorse_request, "SUBMITTED")


def review(sim: Sim) -> Deed | None:
    ready = lambda one: one.status == "SUBMITTED" and (one.endorsed or one.unit not in sim.desk.supervised)
    request = _some_request(sim, ready)
    if request is None:
        return None
    return _opinion(sim, request, sim.clerk("reviewer", request.unit), "review", review_request, "REVIEWED")


def _settle_endorsement(sim: Sim, request: Request) -> None:
    if request.unit not in sim.desk.supervised:
        request.endorsed = True


def _opinion(sim: Sim, request: Request, login: str, name: str, use_case, status: str) -> Deed:
    _settle_endorsement(sim, request)

    def happen(_receipt) -> None:
        request.status = status
        request.endorsed |= name == "endorse"
        request.deciders.add(login)
        sim.touch_requests.add(request.number)

    return Deed(_named(name, request), use_case, login, (request.number,), _decision_refused(request, name, {login}),
                happen)  # fmt: skip


def _named(name: str, request: Request) -> str:
    """What is counted: the same on a request that waits for posts is another thing."""
    return f"{name} waiting" if request.lacks_posts else name


def approve(sim: Sim) -> Deed | None:
    """By a director of the place of decision, or one who was given the right for some days; all posts, fewer, or more."""
    return _approval(sim, _some_request(sim, lambda one: one.status == "REVIEWED"))


def approve_waiting(sim: Sim) -> Deed | None:
    """Of one that waits for posts: it is given them first, if there are any and this director is to decide on them."""
    blind = sim.patience.random() < 0.2
    given = lambda one: blind or _approved_lots(sim, one)[0] is None
    return _approval(sim, _some_request(sim, lambda one: one.status == "REVIEWED" and one.lacks_posts and given(one)))


def _approval(sim: Sim, request: Request | None) -> Deed | None:
    if request is None or request.place is None:
        return None
    desk, book = sim.desk, sim.desk.book
    _settle_endorsement(sim, request)
    own = request.unit in book.parent and request.place == book.parent[request.unit]
    if not own and request.place not in sim.province.drawn.offices:
        return None
    login = sim.clerk_of("director", sim.office(request.unit) if own else sim.province.drawn.offices[request.place])
    lacking, claim, lent = _approved_lots(sim, request)
    held = request.posts if request.lacks_posts else sum(posts for _, posts in lent)
    wanted = sim.dice.choice([None, None, None, 1, max(1, held - 1), held + 1 if sim.dice.random() < 0.1 else None])
    plan = _Grant(sim, request, lent, held if wanted is None else wanted, claim)
    giver = _giver_of(sim, login)
    plan.hands, plan.login = {login, giver or login}, login
    expect = "NO_DELEGATION" if giver and not desk.may_act_for(giver, login) else None
    expect = expect or _decision_refused(request, "approve", plan.hands)
    expect = expect or ("CLOSED" if request.unit in desk.closed else None) or lacking or plan.refused()
    return Deed(_named("approve", request), approve_request, login, (request.number,), expect, plan.happen,
                kwargs={"posts": wanted}, acting_for=giver)  # fmt: skip


def _approved_lots(sim: Sim, request: Request) -> tuple[str | None, Movement | None, Taken]:
    """(refusal, the ASK booked first, the lots lent): what is pending, or what one that waits is given on the spot."""
    if not request.lacks_posts:
        return None, None, [(sim.desk.lots[number], posts) for number, posts in request.pending]
    refusal, answer, ask, taken = _chosen(sim, request, queued=False)
    if refusal is None and sim.desk.place_of(request, taken, answer) != request.place:
        refusal = "OTHER_PLACE"
    return refusal, ask, sorted(taken, key=lambda one: one[0].number)


def _giver_of(sim: Sim, login: str) -> str | None:
    """Somebody who once gave this person the right to act, be it in force or not."""
    givers = [one[0] for one in sim.desk.giving[-40:] if one[1] == login]
    return sim.dice.choice(givers) if givers and sim.dice.random() < 0.7 else None


class _Grant:
    """An approval: what is lent, what goes back, and the slots it makes."""

    def __init__(self, sim: Sim, request: Request, pending: Taken, granted: int, claim: Movement | None) -> None:
        self.sim, self.request, self.granted = sim, request, granted
        self.claim, self.pending = claim, pending
        self.held = sum(posts for _, posts in pending)
        self.lent, self.back, left = [], [], granted
        for lot, posts in pending:
            here = min(left, posts)
            left -= here
            self.lent += [(lot, here)] * bool(here)
            self.back += [(lot, posts - here)] * bool(posts - here)
        self.hands: set[str] = set()
        self.login = ""
        self.backing = 0

    def refused(self) -> str | None:
        desk = self.sim.desk
        if self.granted > self.held:
            return "MORE_THAN_ASKED"
        answer, self.backing = desk.judge(self.request, self.granted, self.lent)
        if answer not in PASSING:
            return answer
        # What bears the ASK bears the LEND: it only turns what is asked into what is borrowed.
        return None if self.claim else desk.book.refuses(self.movement())

    def movement(self) -> Movement:
        request = self.request
        lend = _shift("LEND", self.sim, request, self.lent, "pending", "lent")
        for lot, posts in self.lent:
            lend.moves += [
                (key("borrowed", request.unit, lot.partition, lot.purpose, lot.number), posts),
                (key("borrowed", lot.owner, lot.partition, lot.purpose, lot.number), -posts),
            ]  # fmt: skip
        return lend

    def happen(self, receipt: dict) -> None:
        sim, request, desk = self.sim, self.request, self.sim.desk
        if self.claim:
            _claimed(sim, request, self.claim, self.pending)
        lend = self.movement()
        lend.loan = receipt["loan"]
        seq = desk.book.post(lend)
        sim.same("movement", receipt["movement"], seq)
        sim.same("granted", (receipt["granted"], receipt["given_back"]), (self.granted, self.held - self.granted))
        if self.back:
            desk.book.post(_shift("DROP", sim, request, self.back, "pending", "idle"))
        due = months_on(sim.today, request.months)
        sim.same("due date", receipt["due_date"], due.isoformat())
        lots: list[Lot] = [lot for lot, posts in self.lent for _ in range(posts)]
        sim.same("number of slots", len(receipt["slots"]), len(lots))
        backed = min(self.granted, max(0, self.backing))
        loan = Loan(
            receipt["loan"], request.number, seq, request.unit, request.partition, request.purpose, due, 0, backed
        )
        desk.loans[loan.number] = loan
        for number, lot in zip(receipt["slots"], lots, strict=True):
            loan.slots.append(number)
            slot = Slot(number, loan.number, lot.number, lot.owner, "ISSUED", due, sim.today)
            desk.slots[number] = desk.live[number] = slot
        request.status, request.granted, request.loan, request.pending = "APPROVED", self.granted, loan.number, []
        request.decided_by = self.login
        request.deciders |= self.hands
        desk.waiting.pop(request.number)
        sim.touch_requests.add(request.number)
        sim.touch_slots |= set(loan.slots)
        sim.tell(request)


def refuse(sim: Sim) -> Deed | None:
    request = _some_request(sim, lambda one: one.status in WAITING)
    if request is None:
        return None
    login = sim.clerk("reviewer", request.unit)
    expect = _decision_refused(request, "refuse", {login})
    return _ended(sim, request, login, "refuse", refuse_request, "REFUSED", expect)


def withdraw_wish(sim: Sim) -> Deed | None:
    request = _some_request(sim, lambda one: one.status in ("DRAFT", *WAITING))
    if request is None:
        return None
    login = sim.clerk("officer", request.unit)
    expect = None if request.status in ("DRAFT", *WAITING) else "WRONG_STATUS"
    expect = "ALREADY_DECIDED" if request.decided_by is not None else expect
    expect = sim.closed_to(login, request.unit) or expect
    return _ended(sim, request, login, "withdraw_wish", withdraw_request, "WITHDRAWN", expect)


def _ended(sim: Sim, request: Request, login: str, name: str, use_case, status: str, expect: str | None) -> Deed:
    def happen(receipt) -> None:
        sim.same("movement", receipt["movement"], dropped(sim, request))
        request.status = status
        if status == "REFUSED":
            request.decided_by = login
            request.deciders.add(login)
            sim.tell(request)

    return Deed(_named(name, request), use_case, login, (request.number, "理由"), expect, happen)


def dropped(sim: Sim, request: Request) -> int | None:
    """What is pending goes back to its lots; returns the movement, if there is any."""
    desk = sim.desk
    lots = [(desk.lots[number], posts) for number, posts in request.pending]
    seq = desk.book.post(_shift("DROP", sim, request, lots, "pending", "idle")) if lots else None
    request.pending = []
    desk.waiting.pop(request.number, None)
    sim.touch_requests.add(request.number)
    return seq
