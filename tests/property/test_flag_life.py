"""Random lives of flags, by nights and people, against a model of a dozen lines; seeds are printed on failure."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from core.accounts import Role
from core.audit import broken_link
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.permissions import Reach, Scope
from reconcile.flags import Act, acknowledge_flag, close_flag, confirm_explanation, explain_flag
from reconcile.models import Flag, FlagEvent, FlagStatus
from tests.databases import migrate
from tests.settlekit import HOME, Nights, finding, unit

UNITS = ("U1", "U2", "U3")
KEYS = {finding(unit=code)["key"]: code for code in UNITS}
START = date(2026, 1, 1)
CODES = frozenset(UNITS)
SOME = st.sets(st.sampled_from(UNITS))


def person(login: str) -> Scope:
    return Scope(1, login, frozenset({Role.REVIEWER}), (Reach(Role.REVIEWER, CODES, codes=CODES),), frozenset())


class Flags(RuleBasedStateMachine):
    """The model: key → (status, first seen, last seen, last good day of an explanation)."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        url = f"sqlite:///{Path(self.folder.name) / 'flags.db'}"
        migrate(url)
        self.nights = Nights(engine_for(url), Path(self.folder.name))
        self.model: dict[str, list] = {}
        self.today = START

    def teardown(self) -> None:
        self.nights.engine.dispose()
        self.folder.cleanup()

    @rule(seen=SOME, blind=SOME, quarantined=SOME, division_blind=st.booleans(), gap=st.integers(0, 3))
    def night(self, seen, blind, quarantined, division_blind, gap) -> None:
        """A night `gap` days on; 0 runs the same date again."""
        self.today += timedelta(days=gap)
        rows = [("Q01", HOME, code, "roster") for code in sorted(blind)]
        rows += [("Q01", HOME, "*", "roster")] if division_blind else []
        self.nights.night(
            self.today, [finding(unit=code) for code in sorted(seen)], not_evaluable=rows,
            units=[unit(code) for code in UNITS], quarantined=[("roster", HOME, code) for code in sorted(quarantined)],
        )  # fmt: skip
        for key, code in KEYS.items():
            known = self.model.get(key)
            if code in seen:
                self._seen(key, known)
            elif known and known[0] != "CLOSED":
                covered = not (division_blind or code in blind or code in quarantined)
                if covered:
                    known[0] = "CLOSED"
                elif self._expired(known):
                    known[0], known[3] = "OPEN", None

    def _seen(self, key: str, known: list | None) -> None:
        if known is None:
            self.model[key] = ["OPEN", self.today, self.today, None]
            return
        if known[0] == "CLOSED" or self._expired(known):
            known[0], known[3] = "OPEN", None
        known[2] = self.today

    def _expired(self, known: list) -> bool:
        return known[0] == "EXPLAINED" and known[3] < self.today

    @rule(seen=SOME, back=st.integers(1, 9))
    def backfill(self, seen, back) -> None:
        """A date before the newest night moves nothing."""
        if (
            self.model
            and not self.nights.night(
                self.today - timedelta(days=back), [finding(unit=c) for c in sorted(seen)]
            ).backfill
        ):
            raise AssertionError("a past night was not a backfill")

    @rule(key=st.sampled_from(sorted(KEYS)))
    def acknowledge(self, key) -> None:
        self._try(key, {"OPEN": "ACKNOWLEDGED"}, lambda s, act: acknowledge_flag(s, key, act), "a")

    @rule(key=st.sampled_from(sorted(KEYS)), days=st.integers(1, 5))
    def explain_and_confirm(self, key, days) -> None:
        until = self.today + timedelta(days=days)
        waits = {"ACKNOWLEDGED": "ACKNOWLEDGED"}
        if self._try(key, waits, lambda s, act: explain_flag(s, key, act, reason="r", evidence="e", until=until), "a"):
            self._try(key, {}, lambda s, act: confirm_explanation(s, key, act), "a")
            self._try(key, {"ACKNOWLEDGED": "EXPLAINED"}, lambda s, act: confirm_explanation(s, key, act), "b")
            self.model[key][3] = until

    @rule(key=st.sampled_from(sorted(KEYS)))
    def close(self, key) -> None:
        ends = {"ACKNOWLEDGED": "CLOSED", "EXPLAINED": "CLOSED"}
        self._try(key, ends, lambda s, act: close_flag(s, key, act, reason="r"), "c")

    def _try(self, key: str, allowed: dict[str, str], use_case, login: str) -> bool:
        if key not in self.model:
            return False
        now = datetime.combine(self.today, datetime.min.time(), UTC)
        before = self.model[key][0]
        try:
            with writing(self.nights.engine) as session:
                use_case(session, Act(person(login), session.get_one(Flag, key).version, now))
        except Refused:
            assert before not in allowed
            return False
        assert before in allowed
        self.model[key][0] = allowed[before]
        return True

    @invariant()
    def the_flags_are_as_the_model_says(self) -> None:
        with reading(self.nights.engine) as session:
            rows = session.execute(select(Flag.key, Flag.status, Flag.first_seen, Flag.last_seen)).all()
            assert {row.key: list(row[1:]) for row in rows} == {key: known[:3] for key, known in self.model.items()}

    @invariant()
    def histories_are_whole_and_end_where_the_flag_is(self) -> None:
        with reading(self.nights.engine) as session:
            assert broken_link(session) is None
            last: dict[str, str | None] = {}
            for event in session.scalars(select(FlagEvent).order_by(FlagEvent.id)):
                assert event.from_status == last.get(event.flag_key)
                last[event.flag_key] = event.to_status
            assert last == {key: FlagStatus(known[0]).value for key, known in self.model.items()}


Flags.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=15,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
test_flag_life = Flags.TestCase
