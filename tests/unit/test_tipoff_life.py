"""The tables of tip-offs, notices, referrals and reports: total, every status reached and left, roles as they say."""

from __future__ import annotations

from itertools import product

import pytest

from core.accounts import Role
from core.errors import Forbidden, Refused
from core.permissions import ALLOWED
from night.situation import REPORT_TURNS, ReportMove, ReportStatus, period_around
from night.situation import STATUS_LABELS as REPORT_LABELS
from reconcile.worklist_life import (
    NOTICE_LABELS,
    NOTICE_STEPS,
    OFFICE_LABELS,
    REFERRAL_LABELS,
    REFERRAL_STEPS,
    NoticeStatus,
    Office,
    ReferralStatus,
    Step,
    office_of,
    offices_answered,
    offices_seen,
    step_barred,
)
from staffing.tipoff_life import (
    KIND_LABELS,
    LIVE,
    OUTCOME_LABELS,
    STATUS_LABELS,
    TURNS,
    Outcome,
    TipOffKind,
    TipOffMove,
    TipOffStatus,
    barred,
    check_turn,
    target_of,
)


def test_every_word_is_in_its_table():
    assert set(TURNS) == set(TipOffMove)
    assert set(STATUS_LABELS) == set(TipOffStatus)
    assert set(KIND_LABELS) == set(TipOffKind)
    assert set(OUTCOME_LABELS) == set(Outcome)
    assert set(NOTICE_STEPS) | set(REFERRAL_STEPS) == set(Step)
    assert set(NOTICE_LABELS) == set(NoticeStatus)
    assert set(REFERRAL_LABELS) == set(ReferralStatus)
    assert set(OFFICE_LABELS) == set(Office)
    assert set(REPORT_TURNS) == set(ReportMove)
    assert set(REPORT_LABELS) == set(ReportStatus)


def test_every_status_is_reached_and_every_live_one_left():
    assert {target_of(m, s) for m in TURNS for s in TURNS[m].sources if s is not None} | {TipOffStatus.RECEIVED} == set(
        TipOffStatus
    )
    for status in LIVE:
        assert [m for m in TURNS if status in TURNS[m].sources and target_of(m, status) is not status], status
    assert not [m for m in TURNS if TipOffStatus.CLOSED in TURNS[m].sources]
    for table, statuses in ((NOTICE_STEPS, NoticeStatus), (REFERRAL_STEPS, ReferralStatus)):
        assert {row.target for row in table.values()} | {next(iter(statuses))} == set(statuses)


@pytest.mark.parametrize(("move", "status", "role"), list(product(TipOffMove, TipOffStatus, Role)))
def test_a_turn_is_allowed_exactly_where_the_table_says(move, status, role):
    row = TURNS[move]
    allowed = row.permission is not None and role in ALLOWED[row.permission] and status in row.sources
    assert (barred(move, status, "me", "me", {role}) is None) is allowed
    if row.by_handler and allowed:
        assert barred(move, status, "another", "me", {role}) == "NOT_HANDLER"


def test_the_sender_makes_the_senders_moves_and_no_other():
    for move, status in product(TipOffMove, TipOffStatus):
        row = TURNS[move]
        assert (barred(move, status, "me", None, set(Role)) is None) is (
            row.permission is None and status in row.sources
        )


def test_a_note_is_asked_for_where_it_is_needed():
    with pytest.raises(Refused):
        check_turn(TipOffMove.ASK, TipOffStatus.TAKEN, "me", "me", {Role.REVIEWER}, "  ")
    with pytest.raises(Forbidden):
        check_turn(TipOffMove.ASK, TipOffStatus.TAKEN, "me", "me", {Role.UNIT_OFFICER}, "x")


@pytest.mark.parametrize(("step", "status", "role"), list(product(NOTICE_STEPS, [None, *NoticeStatus], Role)))
def test_a_step_on_a_notice_is_allowed_exactly_where_the_table_says(step, status, role):
    row = NOTICE_STEPS[step]
    may = role in ALLOWED[row.permission] and status in row.sources
    assert (step_barred(row, status, roles={role}, login="me", reporter="other") is None) is may
    if may:
        assert step_barred(row, status, roles={role}, login="me", flag_live=False) == "FLAG_MOVED"
        assert (step_barred(row, status, roles={role}, login="me", reporter="me") == "SAME_PERSON") is row.second_person


@pytest.mark.parametrize(
    ("step", "status", "role", "office"), list(product(REFERRAL_STEPS, ReferralStatus, Role, Office))
)
def test_an_office_answers_for_itself_and_the_reviewer_for_those_without_an_account(step, status, role, office):
    row = REFERRAL_STEPS[step]
    may = role in ALLOWED[row.permission] and office in offices_answered({role}) and status in row.sources
    assert (step_barred(row, status, roles={role}, login="me", office=office) is None) is may


def test_who_answers_also_sees_and_an_officer_of_a_unit_sees_nothing():
    for role in Role:
        assert offices_answered({role}) <= offices_seen({role})
    assert not offices_seen({Role.UNIT_OFFICER, Role.SUPERVISOR, Role.FINANCE, Role.ADMINISTRATOR})
    assert offices_answered({Role.AUDITOR}) == {Office.DISCIPLINE, Office.AUDIT}
    assert offices_answered({Role.PERSONNEL}) == {Office.PERSONNEL}


@pytest.mark.parametrize(
    ("text", "office"),
    [("市纪委监委", "DISCIPLINE"), ("区审计局", "AUDIT"), ("市委组织部", "ORGANISATION"), ("人力资源和社会保障局", "PERSONNEL"),
     ("派驻纪检监察组", "DISCIPLINE"), ("公安局", "OTHER")],
)  # fmt: skip
def test_an_addressee_is_known_by_its_name(text, office):
    assert office_of(text) == office


@pytest.mark.parametrize(
    ("day", "kind", "code", "first", "last"),
    [("2026-11-25", "YEAR", "2026", "2026-01-01", "2026-12-31"), ("2026-11-25", "HALF", "2026-H2", "2026-07-01", "2026-12-31"),
     ("2026-03-31", "QUARTER", "2026-Q1", "2026-01-01", "2026-03-31"), ("2026-12-01", "MONTH", "2026-12", "2026-12-01", "2026-12-31"),
     ("2028-02-29", "MONTH", "2028-02", "2028-02-01", "2028-02-29")],
)  # fmt: skip
def test_a_period_is_the_one_its_day_falls_in(day, kind, code, first, last):
    from datetime import date

    found = period_around(date.fromisoformat(day), kind)
    assert found == (code, date.fromisoformat(first), date.fromisoformat(last))
