"""Years of a province's pool in minutes: `python -m tests.property.pool_simulator --steps N --database sqlite|postgresql`.

The real service in real transactions, against a model of its own; a seed replays. `--plant NAME` plants a known bug, which
must be found (exit 1 = found). Exit 0: no difference.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom

from sqlalchemy import Engine, event

from core.db import engine_for, writing
from core.errors import InputRejected, Refused
from core.migrate import upgrade
from pool.housekeeping import keep_pool
from tests.postgres_server import administrate, running_server
from tests.property import pool_deeds_loans as loans
from tests.property import pool_deeds_posts as posts
from tests.property import pool_deeds_slots as slots
from tests.property import pool_deeds_undone as undone
from tests.property.pool_checks import check_everything, check_figures, check_proposals, check_step
from tests.property.pool_deed import Deed, Difference, Sim, key
from tests.property.pool_desk import REQUEST_DAYS, Desk
from tests.property.pool_mailbox import Box, deliver_all, lose_mails
from tests.property.pool_model import Book, Movement
from tests.property.pool_plants import PLANTS, planted
from tests.property.pool_province import AUDITOR, NIGHT, Founding, Province, found_province

EVERY = 1000
NIGHTLY = "night"
DEEDS = {
    loans.ask: 22, loans.ask_to_wait: 3, loans.submit: 1, loans.endorse: 6, loans.review: 13, loans.approve: 13,
    loans.approve_waiting: 3, loans.refuse: 2, loans.withdraw_wish: 2, slots.fill: 14, slots.leave: 4, slots.give_back: 4, slots.give_back_some: 2, slots.swap: 3,
    slots.take_back: 2, slots.renew: 3, slots.recall: 2, slots.recalled_back: 4, slots.entrust: 1, posts.grant: 4, posts.cut: 3,
    posts.transfer: 4, posts.deposit: 5, posts.withdraw: 3, posts.convert: 1, posts.reserve: 4, posts.from_reserve: 5,
    posts.vacate: 5, undone.reverse: 6, undone.take_return_back: 5, undone.take_swap_back: 2,
    undone.take_renewal_back: 2, posts.limits: 3, posts.reparent: 0.3, posts.merge: 0.3, posts.abolish: 0.1,
}  # fmt: skip
NIGHT_CHANCE, REPLAY, OTHER_BODY, STRANGER, KILL, BAD_NUMBER = 0.03, 0.03, 0.01, 0.02, 0.004, 0.01
BAD_NUMBERS = (0, -1, 1.5, "1e3", "１２", "²", 2**63, True, "", None, "-3")


class Simulator:
    """One run. founded: a province founded before, of which the engine's database is a copy."""

    def __init__(self, engine: Engine, seed: int, founded: tuple[Province, Founding] | None = None) -> None:
        self.engine, self.seed = engine, seed
        first, founding = founded or found_province(engine, seed)
        self.province = replace(first, engine=engine)
        self.sim = Sim(self.province, found_desk(self.province, founding), Random(seed))
        self.box, self.keys, self.seen = Box(Random(seed + 1)), 0, Counter()
        self.step = 0
        self.past: list[tuple[Deed, str, dict]] = []
        for _ in range(25):
            self._do(posts.deposit(self.sim))
        check_everything(self.sim)

    def run(self, steps: int) -> None:
        """Errors: Difference, with the step at which the two parted."""
        makers, weights = list(DEEDS), list(DEEDS.values())
        for number in range(1, steps + 1):
            self.step = number
            since = self.sim.desk.book.seq
            try:
                self._step(makers, weights)
                check_step(self.sim, since)
                if number % EVERY == 0 or number == steps:
                    check_everything(self.sim, last=number == steps)
                    lose_mails(self.sim, self.box)
            except Exception as error:
                raise Difference(f"seed {self.seed} step {number}: {type(error).__name__}: {error}") from error
        deliver_all(self.sim, self.box)

    def _step(self, makers, weights) -> None:
        dice = self.sim.dice
        chance = dice.random()
        if chance < NIGHT_CHANCE:
            return self._pass_days()
        chance -= NIGHT_CHANCE
        if self.past and chance < REPLAY:
            return self._replay(other=False)
        if self.past and chance < REPLAY + OTHER_BODY:
            return self._replay(other=True)
        deed = None
        while deed is None:
            deed = dice.choices(makers, weights)[0](self.sim)
        if dice.random() < STRANGER and not deed.early and deed.name != "entrust" and deed.acting_for is None:
            deed = replace(deed, login=AUDITOR, expect="Forbidden", name="stranger")
        elif dice.random() < BAD_NUMBER and deed.name == "grant":
            bad = (*deed.args[:3], dice.choice(BAD_NUMBERS), *deed.args[4:])
            deed = replace(deed, args=bad, expect="InputRejected", name="bad number")
        return self._do(deed)

    def _do(self, deed: Deed) -> None:
        self.keys += 1
        name = f"key-{self.keys}"
        killed = self.sim.dice.random() < KILL
        if killed:
            self._kill(deed, name, self.sim.dice.randint(1, 70))
        receipt, answer = self._call(deed, name)
        self.seen[f"{deed.name} {answer or 'passes'}"] += 1
        self.seen["killed"] += killed
        self.sim.same(f"{deed.name} {deed.args} {deed.kwargs} by {deed.login}", answer, deed.expect)
        if answer is None:
            deed.happen(receipt)
            self.past = [*self.past[-200:], (deed, name, receipt)]
            self._figures()

    def _figures(self) -> None:
        last = self.sim.desk.book.movements.get(self.sim.desk.book.seq)
        if last is not None and last.claimant and self.sim.dice.random() < 0.3:
            check_figures(self.sim, last.claimant)

    def _call(self, deed: Deed, name: str) -> tuple[dict, str | None]:
        """(receipt, None), or ({}, the refusal's answer)."""
        try:
            with writing(self.engine) as session:
                act = self.province.act(deed.login, name, deed.acting_for)
                return deed.use_case(session, act, *deed.args, **deed.kwargs), None
        except (Refused, InputRejected) as error:
            return {}, str(error.details.get("answer") or type(error).__name__)

    def _replay(self, other: bool) -> None:
        """The same key again: the same body gets the same answer, another body is refused; nothing moves."""
        deed, name, receipt = self.sim.dice.choice(self.past)
        if other:
            twin = replace(deed, use_case=posts.grant_posts, args=("U:P990000-01", "INSTITUTION", "FULL", 1, "编委99"),
                           kwargs={})  # fmt: skip
            if deed.login not in ("top-director", "top-reviewer") or deed.use_case is posts.grant_posts:
                return
            self.sim.same("another body under the key", self._call(twin, name)[1], "OTHER_BODY")
        else:
            self._again(deed, name, receipt)
        self.seen["replayed"] += 1

    def _again(self, deed: Deed, name: str, receipt: dict) -> None:
        theirs, answer = self._call(deed, name)
        # Who may act for another, and where, is asked before the key: what lapsed since is no replay.
        if answer in ("NO_DELEGATION", "NotFound", "Forbidden"):
            return
        self.sim.same(f"replay of {deed.name}", (theirs, answer), (receipt, None))

    def _kill(self, deed: Deed, name: str, statement: int) -> None:
        """A child process does the step and dies at its n-th statement, or after its commit and before it answered."""
        self.province.act(deed.login, name, deed.acting_for)
        self.engine.dispose()
        child = os.fork()
        if child == 0:
            try:
                event.listen(self.engine, "before_cursor_execute", _dying(statement))
                self._call(deed, name)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)

    def _pass_days(self) -> None:
        """The clock, and the night's housekeeping; twice for the same day now and then."""
        sim, desk = self.sim, self.sim.desk
        self.province.pass_days(sim.dice.choice([1, 1, 1, 1, 2, 3, 9, 31]))
        desk.book.today = self.province.today
        desk.book.forget()
        lapsed = claimed = home = 0
        for _ in range(1 + (sim.dice.random() < 0.1)):
            with writing(self.engine) as session:
                kept = keep_pool(session, sim.today, self.province.now)
            lapsed, claimed, home = lapsed + kept.lapsed, claimed + kept.claimed, home + kept.home
        desk.turn_due()
        ours = self._lapse(), slots.homeward_by_night(sim), loans.claim_waiting(sim)
        sim.same("requests lapsed, posts gone home, requests given posts", (lapsed, home, claimed), ours)
        self.seen["gone home by the night"] += home
        self.seen["given posts by the night"] += claimed
        sim.touch_slots |= set(desk.live)
        check_proposals(sim)
        over = sorted({desk.loans[slot.loan].unit for slot in desk.live.values() if slot.status == "OVERDUE"})
        if over:
            check_figures(sim, sim.dice.choice(over))
        self.seen[NIGHTLY] += 1

    def _lapse(self) -> int:
        """Requests nobody decided in time, those that wait for posts among them."""
        sim = self.sim
        late = [one for one in sim.desk.waiting.values() if (sim.today - one.submitted).days > REQUEST_DAYS]
        for request in sorted(late, key=lambda one: (one.submitted, one.unit[2:], one.number)):
            self.seen["lapsed waiting" if request.lacks_posts else "lapsed"] += 1
            loans.dropped(sim, request)
            request.status = "LAPSED"
            sim.tell(request)
        return len(late)


def _dying(statement: int):
    left = [statement]

    def count(*_arguments) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def found_desk(province: Province, founding: Founding) -> Desk:
    """The model of a province that has just opened its books."""
    drawn = province.drawn
    parent: dict[str, str | None] = {}
    division, level = {}, {}
    for node, office in drawn.offices.items():
        parent[node], division[node], level[node] = _above(office.level, office.code), office.code, office.level
    for code, office in drawn.units.items():
        parent[f"U:{code}"], division[f"U:{code}"], level[f"U:{code}"] = office.node, office.code, office.level
    book = Book(parent, division, province.today)
    for code, *cell, quota, people in sorted(founding.opening):
        holder, cell = f"U:{code}", tuple(cell)
        moves = [
            (key("authority", "AUTHORITY", cell), -quota), (key("home", holder, cell), quota - people),
            (key("in_use", holder, cell), people),
        ]  # fmt: skip
        book.post(Movement("GRANT", NIGHT, [move for move in moves if move[1]], holders=(holder,), debt=True))
    retiring: dict = {}
    for code, kind, form, month, count in founding.retiring:
        retiring.setdefault((f"U:{code}", (kind, form)), []).extend([month] * count)
    return Desk(book, level, frozenset(f"U:{code}" for code in drawn.supervised), retiring, dict(founding.totals))


def _above(level: str, code: str) -> str | None:
    if level == "TOWNSHIP":
        return f"COUNTY:{code[:6]}"
    if level == "COUNTY":
        return f"CITY:{code[:4]}00"
    return "PROVINCE:990000" if level == "CITY" else None


def relaxed(connection, _record) -> None:
    """Nobody needs a throw-away database after a power cut; a killed process loses nothing by it."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def throwaway(kind: str):
    """An engine on a fresh migrated database that nobody needs to survive a power cut."""
    with tempfile.TemporaryDirectory(prefix="bianzhi-sim-") as folder:
        if kind == "sqlite":
            engine = engine_for(f"sqlite:///{Path(folder) / 'pool.db'}")
            event.listen(engine, "connect", relaxed)
            upgrade(engine)
            yield engine
            engine.dispose()
            return
        with running_server() as server:
            administrate(server, "CREATE DATABASE simulator")
            engine = engine_for(server.url("simulator"))
            upgrade(engine)
            yield engine
            engine.dispose()


def main() -> int:
    """Run, print the figures; on a difference print how to replay it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    parser.add_argument("--plant", choices=sorted(PLANTS))
    parser.add_argument("--counts", action="store_true", help="print how often each step passed or was refused")
    given = parser.parse_args()
    print(f"{given.steps} steps on {given.database} from seed {given.seed}", flush=True)
    with throwaway(given.database) as engine, planted(given.plant):
        try:
            simulator = Simulator(engine, given.seed)
            begun, worked = time.perf_counter(), time.process_time()
            simulator.run(given.steps)
        except Difference as difference:
            print(f"{difference}\nreplay: --steps {given.steps} --database {given.database} --seed {given.seed}")
            return 1
        seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    if given.counts:
        sim = simulator.sim
        print(f"{sim.gone_home:8} recalled posts gone home\n{sim.waited_for_home:8} times one had to wait for it")
        print("\n".join(f"{count:8} {name}" for name, count in sorted(simulator.seen.items())))
    days, book = (simulator.sim.today - NIGHT).days, simulator.sim.desk.book
    print(
        f"no difference: {book.seq} movements, {days} days, {given.steps / seconds:.0f} steps/s, {seconds:.0f} s "
        f"({worked:.0f} s of this process's own time)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
