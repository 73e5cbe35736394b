"""What people do to flags, on both databases: who may, in which order, and who comes second."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.accounts import Role
from core.audit import AuditEvent, broken_link
from core.db import engine_for, reading, writing
from core.errors import Forbidden, NotFound, Refused
from reconcile.flags import (
    Act,
    acknowledge_flag,
    close_flag,
    confirm_explanation,
    explain_flag,
    move_decisions,
    refer_flag,
    reject_explanation,
    start_rectifying,
)
from reconcile.lifecycle import Move
from tests.settlekit import DIRECTOR, HOME, KEY, NOW, OFFICER, OTHER, REVIEWER, Nights, do, finding, flag, moves, scope

D1 = date(2026, 10, 15)
D2, D3, D4 = (D1 + timedelta(days=days) for days in (1, 2, 3))
BLIND = [("Q01", HOME, "*", "roster")]


@pytest.fixture
def nights(database_url: str, tmp_path: Path) -> Nights:
    return Nights(engine_for(database_url), tmp_path / "snapshots")


def explained(nights: Nights, until: date = D3) -> None:
    nights.night(D1, [finding()])
    do(nights, acknowledge_flag, OFFICER)
    do(nights, explain_flag, OFFICER, reason="军转安置", evidence="试编〔2026〕3号", until=until)


def test_an_explanation_waits_for_a_second_person(nights):
    explained(nights)
    assert flag(nights).status == "ACKNOWLEDGED"
    writer = scope("officer", Role.REVIEWER)
    with pytest.raises(Refused, match="须由另一人"):
        do(nights, confirm_explanation, writer)
    with pytest.raises(Forbidden, match="不能办理“确认说明”"):
        do(nights, confirm_explanation, scope("second", Role.UNIT_OFFICER))
    assert do(nights, confirm_explanation, REVIEWER).status == "EXPLAINED"
    assert moves(nights) == ["OPEN", "ACKNOWLEDGE", "EXPLAIN", "CONFIRM"]
    with reading(nights.engine) as session:
        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq)).all()
        assert actions == ["night_settled", "flag_acknowledge", "flag_explain", "flag_confirm"]
        assert broken_link(session) is None
        assert "军转" not in "".join(session.scalars(select(AuditEvent.details)))


def test_a_rejected_explanation_is_written_anew(nights):
    explained(nights)
    assert do(nights, reject_explanation, REVIEWER, reason="文号不符").explanation is None
    assert do(nights, explain_flag, OFFICER, reason="安置", evidence="甲号", until=D3).status == "ACKNOWLEDGED"


def test_an_explanation_in_force_survives_nights_and_reopens_the_day_after_it_ends(nights):
    explained(nights, until=D3)
    do(nights, confirm_explanation, REVIEWER)
    nights.night(D3, [finding()])
    assert flag(nights).status == "EXPLAINED"
    assert nights.night(D4, [finding()]).moves == {"EXPIRE": 1}
    again = flag(nights)
    assert (again.status, again.explanation, again.last_seen) == ("OPEN", None, D4)


def test_an_explanation_expires_even_where_nothing_was_covered(nights):
    explained(nights, until=D3)
    do(nights, confirm_explanation, REVIEWER)
    assert nights.night(D4, not_evaluable=BLIND).moves == {"EXPIRE": 1}
    assert flag(nights).last_seen == D1


def test_rectifying_referring_and_closing_by_decision(nights):
    nights.night(D1, [finding()])
    do(nights, acknowledge_flag, OFFICER)
    with pytest.raises(Refused, match="整改期限"):
        do(nights, start_rectifying, REVIEWER, reason="限期清理", deadline=date(2026, 10, 16))
    do(nights, start_rectifying, REVIEWER, reason="限期清理", deadline=D4)
    do(nights, refer_flag, REVIEWER, to="审计局", reason="疑似冒领")
    with pytest.raises(Refused, match="请填写理由"):
        do(nights, close_flag, DIRECTOR, reason=" ")
    assert do(nights, close_flag, DIRECTOR, reason="已退款").closed_by == "DECISION"
    nights.night(D2, [finding()])
    assert flag(nights).status == "OPEN"


def test_the_writer_of_an_explanation_cannot_close_the_flag(nights):
    nights.night(D1, [finding()])
    do(nights, acknowledge_flag, REVIEWER)
    do(nights, explain_flag, REVIEWER, reason="安置", evidence="甲号", until=D3)
    with pytest.raises(Refused, match="须由另一人"):
        do(nights, close_flag, REVIEWER, reason="了结")
    assert do(nights, close_flag, OTHER, reason="了结").status == "CLOSED"


def test_a_flag_outside_the_scope_looks_unknown(nights):
    nights.night(D1, [finding()])
    stranger = scope("stranger", Role.REVIEWER, "U9")
    with pytest.raises(NotFound):
        do(nights, acknowledge_flag, stranger)
    with pytest.raises(NotFound), writing(nights.engine) as session:
        acknowledge_flag(session, "Q01-nothing", Act(REVIEWER, 1, NOW))


def test_who_comes_second_is_told_who_decided(nights):
    nights.night(D1, [finding()])
    do(nights, acknowledge_flag, OFFICER)
    with pytest.raises(Refused, match="已由 officer 办理“签收”"):
        do(nights, acknowledge_flag, REVIEWER, version=1)


def test_two_people_at_once_one_decides(nights):
    nights.night(D1, [finding()])
    gate, answers = threading.Barrier(4), []

    def attempt(login: str) -> None:
        gate.wait()
        try:
            with writing(nights.engine) as session:
                acknowledge_flag(session, KEY, Act(scope(login, Role.REVIEWER), 1, NOW))
            answers.append("done")
        except Refused:
            answers.append("refused")

    threads = [threading.Thread(target=attempt, args=(f"p{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["done", "refused", "refused", "refused"]
    with reading(nights.engine) as session:
        assert broken_link(session) is None


def test_the_buttons_say_why_a_move_is_barred(nights):
    nights.night(D1, [finding()])
    answers = move_decisions(flag(nights), OFFICER, NOW)
    assert answers[Move.ACKNOWLEDGE].allowed
    assert answers[Move.EXPLAIN].sentence == "当前状态是“待签收”，不能办理“说明”。"
    assert answers[Move.REFER].sentence == "您的角色不能办理“移送”。"
