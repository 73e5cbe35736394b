"""Every unit concerned sees a flag, and leads on people are for the two named reviewers alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from cli import main
from core.accounts import Grant, Role, User
from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import Forbidden, NotFound
from core.outbox import OutboxMail
from core.parameters import set_parameter
from core.permissions import scope_of
from night.proof import proofs
from night.reporting import level_reports
from night.steps import perform
from night.summary import night_lines
from reconcile import store
from reconcile.flags import acknowledge_flag
from reconcile.models import Concern, FindingRow, Flag, NightRun
from reconcile.notify import queue_digests
from reconcile.settle import Outcome
from reconcile.visibility import leads_seen_by_nobody
from tests.nightkit import House, deliver, good_books, person_id
from tests.settlekit import HOME, NOW, OFFICER, REVIEWER, Nights, act, finding, scope

A, B, C = date(2026, 10, 15), date(2026, 10, 16), date(2026, 10, 17)
EVIDENCE = json.dumps(
    {"roster": [{"unit": "U1", "exit": None, "seconded_to": None}], "payroll": [{"payer": "U2"}, {"payer": "U3"}]}
)
SHARED = finding("F05", "U1", "p1", evidence=EVIDENCE)
LEAD = finding("F06", "U1", "p2", evidence=EVIDENCE)
LOCAL = finding("Q01", "U1")


@pytest.fixture
def nights(database_url, tmp_path) -> Nights:
    made = Nights(engine_for(database_url), tmp_path)
    made.night(A, [SHARED, LEAD, LOCAL])
    return made


def keys(nights: Nights, seen_by) -> set[str]:
    with reading(nights.engine) as session:
        run = store.night_run(session, A)
        items = store.night_flags(session, run, seen_by)
        assert len(items) == store.night_flag_count(session, run, seen_by) == store.live_flag_count(session, seen_by)
        return {item.key for item in items}


def test_a_unit_that_only_the_evidence_names_sees_the_flag_and_may_not_act_on_it(nights):
    payer = scope("payer", Role.UNIT_OFFICER, "U2")
    assert keys(nights, payer) == {SHARED["key"]}
    assert keys(nights, scope("stranger", Role.UNIT_OFFICER, "U4")) == set()
    with reading(nights.engine) as session:
        assert store.flag_of(session, SHARED["key"], payer).unit_code == "U1"
        with pytest.raises(NotFound):
            store.flag_of(session, LOCAL["key"], payer)
    with writing(nights.engine) as session, pytest.raises(Forbidden):
        acknowledge_flag(session, SHARED["key"], act(nights, payer, SHARED["key"]), None)


def test_leads_exist_for_the_two_named_reviewers_alone(nights):
    assert keys(nights, OFFICER) == keys(nights, REVIEWER) == {SHARED["key"], LOCAL["key"]}
    named = replace(REVIEWER, leads=True)
    assert LEAD["key"] in keys(nights, named)
    with reading(nights.engine) as session:
        assert store.flag_of(session, LEAD["key"], named)
        with pytest.raises(NotFound):
            store.flag_of(session, LEAD["key"], REVIEWER)
    with writing(nights.engine) as session, pytest.raises(NotFound):
        acknowledge_flag(session, LEAD["key"], act(nights, REVIEWER, LEAD["key"]), None)


def test_a_lead_on_a_look_alike_is_not_told_by_the_mask_of_another_person(nights):
    """SHARED and LEAD are of two people with one mask."""

    def shown(seen_by, day: date = A) -> dict[str, str | None]:
        with reading(nights.engine) as session:
            run = store.night_run(session, day)
            return {item.key: item.person for item in store.night_flags(session, run, seen_by)}

    mask = SHARED["person_mask"]
    assert shown(OFFICER)[SHARED["key"]] == shown(replace(REVIEWER, leads=True))[SHARED["key"]] == mask
    assert shown(replace(REVIEWER, leads=True))[LEAD["key"]] == f"{mask}(p2)"
    other = finding("F05", "U1", "p3", evidence=EVIDENCE)
    nights.night(B, [SHARED, LEAD, LOCAL, other])
    assert shown(OFFICER, B)[SHARED["key"]] == f"{mask}(p1)"
    assert shown(OFFICER, B)[other["key"]] == f"{mask}(p3)"


def test_what_is_not_evaluable_for_a_lead_without_a_day_is_told_to_the_two_named_reviewers_alone(settings):
    house = House(settings)
    lead = {"kind": "出境", "person_id": person_id(0), "date": "2026-10", "source": "边检"}
    deliver(house.inbox, A, "990102", **good_books(), leads=[lead])
    assert house.night() == 0
    ((run,),) = house.query(select(NightRun.id))
    assert ("F06", "007", "leads") in {(row["rule"], row["unit_code"], row["book"]) for row in house.not_evaluable()}

    def told(seen_by) -> set[str]:
        with reading(engine_for(settings.database_url)) as session:
            return {row.unit_code for row in store.not_evaluable(session, run, seen_by) if row.rule == "F06"}

    reviewer = scope("office", Role.REVIEWER, "007")
    assert told(reviewer) == set()
    assert told(replace(reviewer, leads=True)) == {"007"}
    with reading(engine_for(settings.database_url)) as session:
        reports = level_reports(session, settings, session.get(NightRun, run))
    assert not [row for report in reports.values() for row in report.not_evaluable if row[0] == "F06"]
    before = perform("detect", run, settings=settings)["not_evaluable"]
    assert before == len(house.not_evaluable()) - 1


@pytest.mark.parametrize(("role", "day", "named"), [
    (Role.REVIEWER, A, True), (Role.AUDITOR, A, False), (Role.REVIEWER, date(2026, 9, 30), False), (Role.REVIEWER, None, False),
])  # fmt: skip
def test_who_is_named_is_a_dated_parameter_and_must_be_a_reviewer(nights, role, day, named):
    with writing(nights.engine) as session:
        user = name(session, "ann", "bob")["ann"]
        user.grants[0].role = role
        session.flush()
        assert scope_of(session, user, day).leads is named


def name(session, *logins: str, level: str = "COUNTY") -> dict[str, User]:
    """Reviewers of HOME at a level, named for leads from October on."""
    users = {
        login: User(
            login=login, email=f"{login}@example.org", display_name=login, created_at=NOW, active=True,
            grants=[Grant(role=Role.REVIEWER, division_code=HOME, level=level)],
        )
        for login in logins
    }  # fmt: skip
    session.add_all(users.values())
    session.flush()
    set_parameter(session, "lead_reviewers", ",".join(logins), "*", date(2026, 10, 1), actor="t", now=NOW)
    return users


def test_leads_are_counted_as_seen_by_nobody_until_one_who_is_named_reaches_them(nights):
    with writing(nights.engine) as session:
        assert leads_seen_by_nobody(session, A) == 1
        users = name(session, "ann", "bob", level="TOWNSHIP")
        assert leads_seen_by_nobody(session, A) == 1
        users["bob"].grants.append(Grant(role=Role.REVIEWER, division_code=HOME, level="COUNTY"))
        session.flush()
        assert leads_seen_by_nobody(session, A) == 0
        users["bob"].active = False
        assert leads_seen_by_nobody(session, A) == 1
    nights.night(B, [SHARED, LOCAL])
    with reading(nights.engine) as session:
        assert leads_seen_by_nobody(session, B) == 0  # closed by the data


def test_what_is_counted_of_a_night_leaves_leads_out(nights):
    again = nights.night(B, [SHARED, LEAD, LOCAL])
    assert (again.findings, again.moves) == (2, {"SEE": 2})
    assert nights.night(C, [SHARED, LOCAL]).moves == {"SEE": 2}  # the lead is closed
    with reading(nights.engine) as session:
        runs = session.scalars(select(NightRun).order_by(NightRun.as_of)).all()
        assert [run.new_flag_count for run in runs] == [2, 0, 0]
        settled = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "night_settled").order_by(AuditEvent.seq)
        )
        first, *_ = (json.loads(event.details) for event in settled)
        assert (first["findings"], first["moves"]) == (2, {"OPEN": 2})


def test_a_jump_is_measured_by_what_is_shown_of_it(nights):
    with writing(nights.engine) as session:
        for parameter, value in (("jump_floor", "1"), ("jump_ratio", "1")):
            set_parameter(session, parameter, value, "*", date(2026, 10, 1), actor="t", now=NOW)
    leads = [finding("F06", "U1", f"q{number}") for number in range(9)]
    assert nights.night(B, [SHARED, LOCAL, *leads]).outcome is Outcome.SETTLED
    jump = [finding("Q01", f"U{number}") for number in range(2, 7)]
    assert nights.night(C, [SHARED, LOCAL, *jump, finding("F06", "U1", "more")]).outcome is Outcome.PARKED
    with reading(nights.engine) as session:
        assert store.night_run(session, C).new_flag_count == len(jump)


def test_a_digest_counts_a_shared_flag_once_for_each_reader_it_concerns(nights):
    with writing(nights.engine) as session:
        for login, unit in (("own", "U1"), ("payer", "U2"), ("third", "U3"), ("stranger", "U4")):
            user = User(login=login, email=f"{login}@example.org", display_name=login, created_at=NOW, active=True)
            user.grants = [Grant(role=Role.UNIT_OFFICER, unit_code=unit)]
            session.add(user)
        both = User(login="both", email="both@example.org", display_name="both", created_at=NOW, active=True)
        both.grants = [Grant(role=Role.UNIT_OFFICER, unit_code=unit) for unit in ("U2", "U3")]
        session.add(both)
        session.flush()
        queue_digests(session, session.scalars(select(NightRun)).one(), "http://portal", NOW)
        texts = {mail.recipient.split("@")[0]: mail.text for mail in session.scalars(select(OutboxMail))}
    assert set(texts) == {"own", "payer", "third", "both"}
    assert "一人多薪" in texts["own"]
    assert "超编" in texts["own"]
    assert texts["payer"] == texts["third"] == texts["both"]
    assert "超编" not in texts["payer"]
    assert not any("吃空饷" in text for text in texts.values())


def test_what_a_finding_concerns_goes_with_it(nights):
    with writing(nights.engine) as session:
        assert {row.unit_code for row in session.scalars(select(Concern))} == {"U2", "U3"}
        for row in session.scalars(select(FindingRow)):
            session.delete(row)
        session.flush()
        assert not session.scalars(select(Concern)).all()


def test_a_lead_on_a_person_is_in_no_count_of_a_step_and_no_line_of_the_command(settings, monkeypatch):
    house = House(settings)
    lead = {"kind": "服刑", "person_id": person_id(0), "date": "2026-01-01", "source": "法院"}
    deliver(house.inbox, A, "990102", **good_books(), leads=[lead])
    assert house.night() == 0
    assert [row["rule"] for row in house.flags()] == ["F06"]
    ((run,),) = house.query(select(NightRun.id))
    counts = perform("detect", run, settings=house.settings)
    assert counts == {"findings": 0, "not_evaluable": counts["not_evaluable"]}
    with reading(engine_for(house.settings.database_url)) as session:
        lines = night_lines(session, house.settings, A)
        assert session.scalars(select(NightRun.new_flag_count)).all() == [0]
    assert "  没有不符项" in lines
    assert "F06" not in "".join(lines)
    for name, value in (
        ("HOME", house.settings.home), ("SECRET_KEY", house.settings.secret_key), ("PERSON_KEY", house.settings.person_key),
        ("DATABASE_URL", house.settings.database_url),
    ):  # fmt: skip
        monkeypatch.setenv(f"BIANZHI_{name}", str(value))
    verified = CliRunner().invoke(main, ["verify"])
    assert verified.exit_code == 0, verified.output
    assert "疑点线索 1 条无人可见：请用 bianzhi parameter set lead_reviewers" in verified.output
    assert "0 条入库，0 条发现" in verified.output
    with writing(engine_for(house.settings.database_url)) as session:
        session.scalars(select(Flag)).one().grain += " "
    with reading(engine_for(house.settings.database_url)) as session:
        broken = [proof.detail for proof in proofs(session, house.settings) if not proof.holds]
    assert broken == ["首个：一条线索"]
