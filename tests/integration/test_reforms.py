"""Reform plans on both databases: tasks set once, worked on, finished when booked as planned, reminded of once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from core.db import reading, writing
from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.outbox import OutboxMail
from pool.service import cut_posts, grant_posts, transfer_posts
from pool.service_reversal import reverse_movement
from staffing.duty_models import ReformTask
from staffing.reform_store import effects_of, seen_task, steps_of, tasks_seen
from staffing.reforms import remind_tasks, step_task
from tests.integration.test_duties import OTHER, PAPER, VERSION, bring, count, province  # noqa: F401 (fixture)
from tests.poolkit import FULL, Province

TASKS = """单位编码,任务,期限,责任人账号,领导职数变化,编制类型,经费形式,编制变化
A1,划转办学许可职能,2026-11-30,officer-a1,,事业,全额拨款,-2
A2,承接办学许可职能,2026-11-30,reviewer,,事业,全额拨款,+2
"""


def plan(province: Province, text: str = TASKS, **more) -> dict:  # noqa: F811
    return bring(province, "reform", text, **({"document_no": PAPER, "title": "机构改革方案"} | more))


def step(province: Province, login: str, number: str, move: str, **more) -> str:  # noqa: F811
    with reading(province.engine) as session:
        version = session.get(ReformTask, number).version
    return province.do(step_task, login, number, move, version, **more)["status"]


def test_a_task_ends_when_the_movements_linked_to_it_are_what_was_planned(province):  # noqa: F811
    province.grant("A1", 6)
    made = plan(province)
    assert made["plan"] == "GG2026-000001"
    assert plan(province)["unchanged"] == 2
    with pytest.raises(Refused):
        plan(province, TASKS.replace("-2", "-3"))
    first = "GG2026-000001-001"
    assert step(province, "officer-a1", first, "START") == "UNDERWAY"
    assert step(province, "officer-a1", first, "REPORT", note="已划转") == "REPORTED"
    with pytest.raises(Refused, match="与计划不符"):
        step(province, "reviewer", first, "FINISH")
    wrong = province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 1, OTHER)["movement"]
    step(province, "reviewer", first, "LINK", document_no=OTHER)
    with pytest.raises(Refused, match="已经关联"):
        step(province, "reviewer", first, "LINK", document_no=OTHER)
    with pytest.raises(Refused):
        step(province, "reviewer", first, "FINISH")
    province.do(reverse_movement, "director", wrong, "编委12")
    province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 2, OTHER)
    assert step(province, "reviewer", first, "FINISH") == "DONE"
    with reading(province.engine) as session:
        rows = tasks_seen(session, province.act("reviewer").by)
        planned, booked = effects_of(session, rows)[first]
        assert planned.cells == booked.cells == {FULL: -2}
        assert [each.move for each in steps_of(session, first)] == ["SET", "START", "REPORT", "LINK", "FINISH"]
        with pytest.raises(NotFound):
            seen_task(session, province.act("officer-a2").by, first)


def test_a_cut_and_a_grant_by_the_linked_document_count_too(province):  # noqa: F811
    province.grant("A1", 6)
    plan(province)
    for number in ("GG2026-000001-001", "GG2026-000001-002"):
        step(province, "reviewer", number, "LINK", document_no=PAPER)
    province.do(cut_posts, "reviewer", "U:A1", *FULL, 2, PAPER)
    province.do(grant_posts, "reviewer", "U:A2", *FULL, 2, PAPER)
    with reading(province.engine) as session:
        effects = effects_of(session, tasks_seen(session, province.act("reviewer").by))
        assert all(planned.cells == booked.cells for planned, booked in effects.values())


def test_a_step_of_the_wrong_person_or_on_an_old_page_is_refused(province):  # noqa: F811
    plan(province)
    first = "GG2026-000001-001"
    with pytest.raises(Forbidden):
        step(province, "reviewer", first, "START")
    with pytest.raises(NotFound):
        step(province, "officer-a2", first, "START")
    with pytest.raises(Refused, match="另一人"):
        province.do(step_task, "officer-a1", first, "START", 9)
    step(province, "officer-a1", first, "START")
    with pytest.raises(InputRejected):
        step(province, "officer-a1", first, "REPORT")
    with pytest.raises(InputRejected, match="没有这个文号"):
        step(province, "reviewer", first, "LINK", document_no="没有的号")
    assert step(province, "director", first, "DROP", note="方案调整") == "DROPPED"


def test_a_plan_needs_a_registered_document_and_people_who_exist(province):  # noqa: F811
    with pytest.raises(InputRejected, match="没有登记这份文件"):
        plan(province, document_no="编委〔2026〕77号")
    with pytest.raises(InputRejected, match="没有这个账号"):
        plan(province, TASKS.replace("officer-a1", "nobody"))
    assert count(province, ReformTask) == 0


def remind(province: Province, on: date) -> int:  # noqa: F811
    with writing(province.engine) as session:
        return remind_tasks(session, on, province.now, "https://portal.example.org")


def test_a_task_is_reminded_of_once(province):  # noqa: F811
    plan(province)
    due = date(2026, 11, 30)
    assert remind(province, due - timedelta(16)) == 0
    assert remind(province, due - timedelta(15)) == 2
    assert remind(province, due - timedelta(15)) == 0
    assert remind(province, due + timedelta(30)) == 0
    with reading(province.engine) as session:
        mails = session.scalars(select(OutboxMail).where(OutboxMail.digest.startswith("reform_"))).all()
        assert sorted(mail.recipient for mail in mails) == [
            "officer-a1@example.org", "officer-a2@example.org", "reviewer@example.org",
        ]  # fmt: skip


def test_the_leader_posts_of_linked_versions_count(province):  # noqa: F811
    bring(province, "determinations", VERSION)
    plan(province, TASKS.replace("officer-a1,,", "officer-a1,-1,"), document_no=PAPER)
    first = "GG2026-000001-001"
    step(province, "reviewer", first, "LINK", document_no=OTHER)
    later = VERSION.replace(PAPER, OTHER).replace("2026-10-01", "2026-10-10").replace("领导职数,,1,2", "领导职数,,1,1")
    bring(province, "determinations", later)
    with reading(province.engine) as session:
        planned, booked = effects_of(session, [session.get(ReformTask, first)])[first]
        assert planned.leader_posts == booked.leader_posts == -1
