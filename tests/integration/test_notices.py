"""Notices to and from the neighbours: files and answers, attempts that wait longer each time, mails once a night."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import InputRejected, Misconfigured, Unavailable
from core.outbox import OutboxMail
from core.settings import Settings, load_settings
from night.notice_files import export_notices, hand_out, import_acknowledgements, notices_dir
from staffing.deliveries import FILE, Answer, acknowledge_all, hand_over, remind_waiting
from staffing.delivery_models import StaffDelivery
from staffing.notices import acknowledge_notice, notice_page
from staffing.service_entries import finish_papers
from staffing.service_exits import undo_exit
from tests.nightkit import person_id
from tests.staffkit import KEY, Gate, found_gate, notices

NUMBER = person_id(1)


@pytest.fixture
def gate(database_url) -> Gate:
    """Somebody entered A1; the three notices are sent."""
    made = found_gate(engine_for(database_url))
    made.opened("A1", 3, 1)
    made.plan("A1", 2)
    permit = made.permit("A1")
    made.slot_no = made.enter("A1", permit["permit_no"], 1)["slot"]
    made.do(finish_papers, "personnel", made.slot_no)
    return made


@pytest.fixture
def here(settings, database_url) -> Settings:
    return replace(settings, database_url=database_url, person_key=KEY)


def export(gate: Gate, here: Settings, receiver: str, login: str, form: str = "csv"):
    with writing(gate.engine) as session:
        return export_notices(session, gate.act(login), receiver, here, form, None)


def rows_of(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def answer_file(tmp_path, text_: str, name: str = "answer.csv"):
    path = tmp_path / name
    path.write_text(text_, encoding="utf-8")
    return path


def take(gate: Gate, path, login: str = "finance") -> dict[str, int]:
    with writing(gate.engine) as session:
        return import_acknowledgements(session, gate.act(login), path)


def states(gate: Gate) -> dict[str, str]:
    return {notice.receiver: notice.status for notice in notices(gate, kind="ENTRY")}


def test_finance_gets_the_number_in_full_and_personnel_its_mask_each_in_a_file_nobody_else_reads(gate, here):
    finance = export(gate, here, "FINANCE", "finance")
    personnel = export(gate, here, "PERSONNEL", "personnel")
    assert finance.parent == notices_dir(here) / "finance"
    assert (finance.name, oct(finance.stat().st_mode & 0o777)) == ("notices-finance-20261020-001.csv", "0o600")
    [row] = rows_of(finance)
    assert (row["证件号"], row["起薪或停薪月份"], row["第几次发送"]) == (NUMBER, "2026-10", "1")
    [row] = rows_of(personnel)
    assert (row["证件号"], row["收件方"]) == (f"{NUMBER[:6]}********{NUMBER[-4:]}", "人社")
    book = openpyxl.load_workbook(export(gate, here, "INSURANCE", "personnel", "xlsx"))
    assert [cell.value for cell in book.active[2]][10] == NUMBER
    with reading(gate.engine) as session:
        trail = [
            (event.actor, json.loads(event.details))
            for event in session.scalars(select(AuditEvent).where(AuditEvent.action == "staff_notices_handed_over"))
        ]
        assert not any(NUMBER in event.details for event in session.scalars(select(AuditEvent)))
    assert [(actor, said["numbers"], said.get("why")) for actor, said in trail] == [
        ("finance", 1, "NOTICE"), ("personnel", 0, None), ("personnel", 1, "NOTICE"),
    ]  # fmt: skip


def test_who_is_no_receiver_gets_nothing_and_another_county_neither(gate, here):
    for receiver, login in (("FINANCE", "personnel"), ("FINANCE", "finance3"), ("PERSONNEL", "officer-a1")):
        assert export(gate, here, receiver, login) is None
    with pytest.raises(InputRejected):
        export(gate, here, "POLICE", "finance")
    assert not notices_dir(here).exists()
    assert rows_of(export(gate, here, "FINANCE", "reviewer"))[0]["证件号"] == NUMBER


def test_a_file_is_sent_again_after_one_two_four_days_until_it_is_acknowledged(gate, here, tmp_path):
    tried = []
    for day in range(9):
        if (path := export(gate, here, "FINANCE", "finance")) is not None:
            tried.append((day, rows_of(path)[0]["第几次发送"]))
        gate.pass_days(1)
    assert tried == [(0, "1"), (1, "2"), (3, "3"), (7, "4")]
    number = rows_of(path or sorted(notices_dir(here).rglob("*.csv"))[0])[0]["通知单编号"]
    assert take(gate, answer_file(tmp_path, f"通知单编号,收件方\n{number},财政\n")) == {
        "acknowledged": 1, "already": 0, "withdrawn": 0,
    }  # fmt: skip
    assert states(gate)["FINANCE"] == "ACKNOWLEDGED"
    assert take(gate, answer_file(tmp_path, f"notice_id,receiver\n{number},FINANCE\n"))["already"] == 1
    gate.pass_days(30)
    assert export(gate, here, "FINANCE", "finance") is None


def test_a_file_written_before_a_commit_that_failed_is_written_again_under_its_name(gate, here):
    written = []

    def killed(use_case, *args):
        with writing(gate.engine) as session:
            written.append(use_case(session, *args))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        killed(export_notices, gate.act("finance"), "FINANCE", here, "csv", None)
    [lost] = written
    assert lost.exists()
    again = export(gate, here, "FINANCE", "finance")
    assert (again, rows_of(again)[0]["第几次发送"]) == (lost, "1")
    assert [path.name for path in again.parent.iterdir()] == [again.name]


def test_what_was_handed_over_and_undone_is_handed_over_once_more_as_withdrawn(gate, here, tmp_path):
    gate.pass_days(2)
    gate.leave(gate.slot_no, gate.today)
    first = {row["通知单"]: row for row in rows_of(export(gate, here, "FINANCE", "finance"))}
    assert first["减编通知单"]["状态"] == "已发送"
    gate.do(undo_exit, "director", gate.slot_no, "编委9号", "登记有误")
    [row] = rows_of(export(gate, here, "FINANCE", "finance"))
    assert (row["通知单"], row["状态"]) == ("减编通知单", "已撤回")
    said = f"通知单编号,收件方\n{row['通知单编号']},财政\n"
    assert take(gate, answer_file(tmp_path, said))["withdrawn"] == 1
    gate.pass_days(1)
    assert [row["通知单"] for row in rows_of(export(gate, here, "FINANCE", "finance"))] == ["入编通知单"]


@pytest.mark.parametrize(
    ("lines", "row", "column"),
    [
        ("编号,收件方\n1,财政\n", 1, "notice_id"),
        ("通知单编号\n1\n", 1, "receiver"),
        ("通知单编号,收件方\n{own},财政\n一,财政\n", 3, "notice_id"),
        ("通知单编号,收件方\n{own},财政\n{own},财政\n", 3, "notice_id"),
        ("通知单编号,收件方\n{own},财政\n9999,财政\n", 3, "notice_id"),
        ("通知单编号,收件方\n{own},财政\n{own},税务\n", 3, "receiver"),
        ("通知单编号,收件方\n{own},财政\n\n{other},财政\n", 4, "receiver"),
        ("通知单编号,收件方\n{own},财政\n{other},人社\n", 3, "receiver"),
    ],
)
def test_a_wrong_answer_names_file_row_and_column_and_nothing_is_taken(gate, tmp_path, lines, row, column):
    ids = {notice.receiver: notice.id for notice in notices(gate, kind="ENTRY")}
    path = answer_file(tmp_path, lines.format(own=ids["FINANCE"], other=ids["PERSONNEL"]))
    with pytest.raises(InputRejected) as caught:
        take(gate, path)
    details = caught.value.details
    assert (details["file"], details["row"], details["column"]) == ("answer.csv", row, column)
    assert caught.value.message.startswith(f"answer.csv 第 {row} 行")
    assert set(states(gate).values()) == {"SENT"}


def test_an_answer_may_be_a_workbook_and_one_that_is_none_is_refused(gate, tmp_path):
    [own] = notices(gate, kind="ENTRY", receiver="FINANCE")
    book = openpyxl.Workbook()
    for line in (("通知单编号", "收件方"), (own.id, "财政")):
        book.active.append(line)
    book.save(tmp_path / "answer.xlsx")
    for name, content in (("a.csv", b"\xff\xfe\x00"), ("b.xlsx", b"PK"), ("c.txt", b"x"), ("d.csv", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputRejected):
            take(gate, tmp_path / name)
    assert take(gate, tmp_path / "answer.xlsx")["acknowledged"] == 1


def test_the_receiver_is_mailed_what_it_left_unanswered_once_per_night(gate):
    mails = lambda: [
        (mail.recipient, mail.as_of, mail.subject)
        for mail in _all(gate, select(OutboxMail).where(OutboxMail.digest == "staff_waiting").order_by(OutboxMail.id))
    ]
    night = gate.today + timedelta(days=11)
    for _ in range(2):
        with writing(gate.engine) as session:
            remind_waiting(session, gate.today + timedelta(days=10), gate.now, "")
            remind_waiting(session, night, gate.now, "")
    assert mails() == [
        ("finance@example.org", night, "1 份通知单逾期未签收"),
        ("personnel2@example.org", night, "2 份通知单逾期未签收"),
        ("personnel@example.org", night, "2 份通知单逾期未签收"),
    ]


def _all(gate: Gate, query):
    with reading(gate.engine) as session:
        return list(session.scalars(query))


def test_attempts_are_kept_as_they_were(gate):
    with writing(gate.engine) as session:
        hand_over(session, gate.act("finance"), "FINANCE", FILE, "b", KEY)
    for verb in ("UPDATE staff_delivery SET attempt = 9", "DELETE FROM staff_delivery"):
        with pytest.raises(DBAPIError), writing(gate.engine) as session:
            session.execute(text(verb))
    assert [row.attempt for row in _all(gate, select(StaffDelivery))] == [1]


def test_answers_by_a_program_are_taken_whole_or_not_at_all(gate):
    ids = {notice.receiver: notice.id for notice in notices(gate, kind="ENTRY")}
    with pytest.raises(InputRejected), writing(gate.engine) as session:
        acknowledge_all(
            session, gate.act("personnel"), [Answer(ids["INSURANCE"], "INSURANCE"), Answer(ids["FINANCE"], "FINANCE")]
        )
    assert set(states(gate).values()) == {"SENT"}
    with writing(gate.engine) as session:
        both = [Answer(ids[name], name) for name in ("INSURANCE", "PERSONNEL")]
        assert acknowledge_all(session, gate.act("personnel"), both)["acknowledged"] == 2


def test_the_night_hands_over_what_is_due_where_the_settings_name_a_folder(gate, here, tmp_path):
    assert hand_out(here, gate.today, gate.now) == {}
    told = replace(here, notices=tmp_path / "exchange", notices_form="xlsx")
    assert hand_out(told, gate.today, gate.now) == {"PERSONNEL": 1, "FINANCE": 1, "INSURANCE": 1}
    assert hand_out(told, gate.today, gate.now) == {}
    files = sorted(path.relative_to(tmp_path / "exchange") for path in (tmp_path / "exchange").rglob("*.xlsx"))
    assert [str(path.parent) for path in files] == ["finance", "insurance", "personnel"]
    assert all((tmp_path / "exchange" / path).stat().st_mode & 0o777 == 0o600 for path in files)
    sheet = openpyxl.load_workbook(tmp_path / "exchange" / files[0]).active
    assert NUMBER in [cell.value for cell in sheet[2]]
    with reading(gate.engine) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "staff_notices_handed_over"))
        assert {(event.actor, json.loads(event.details)["numbers"]) for event in events} == {("night", 1), ("night", 0)}
        views, _ = notice_page(session, None, gate.today, 5, open_only=True)
    assert {(view.attempts, view.last, view.next) for view in views} == {
        (1, gate.today, gate.today + timedelta(days=1))
    }
    gate.do(acknowledge_notice, "finance", next(n.id for n in notices(gate) if n.receiver == "FINANCE"))
    gate.pass_days(1)
    assert hand_out(told, gate.today, gate.now) == {"PERSONNEL": 1, "INSURANCE": 1}


def test_a_folder_that_cannot_be_written_leaves_no_attempt_and_the_next_night_tries_again(gate, here, tmp_path):
    blocked = tmp_path / "exchange"
    blocked.write_text("a file where the folder should be")
    told = replace(here, notices=blocked)
    with pytest.raises(Unavailable):
        hand_out(told, gate.today, gate.now)
    with reading(gate.engine) as session:
        assert session.scalars(select(StaffDelivery)).all() == []
    blocked.unlink()
    assert sum(hand_out(told, gate.today, gate.now).values()) == 3


def test_the_settings_name_the_folder_and_the_form(tmp_path):
    keys = {f"BIANZHI_{name}_KEY": "k" * 40 for name in ("SECRET", "PERSON")}
    given = keys | {"BIANZHI_HOME": str(tmp_path), "BIANZHI_NOTICES": str(tmp_path / "out")}
    assert load_settings(keys | {"BIANZHI_HOME": str(tmp_path)}).notices is None
    assert load_settings(given).notices == notices_dir(load_settings(given)) == tmp_path / "out"
    with pytest.raises(Misconfigured, match="csv or xlsx"):
        load_settings(given | {"BIANZHI_NOTICES_FORM": "pdf"})
