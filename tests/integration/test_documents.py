"""Documents on both databases: registered once, their files told by content, seen by those concerned, and what hangs on them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.parameters import set_parameter
from pool.models import PoolDocument, PoolMovement
from pool.service import grant_posts, transfer_posts
from staffing import shelf
from staffing.certificate_pdf import Press
from staffing.certificates import renew_certificate
from staffing.documents import (
    Registration,
    add_file,
    document_page,
    hanging_on,
    register_document,
    seen_document,
    seen_file,
    unregistered,
)
from staffing.forms import quota_notice
from staffing.paper_models import Document, DocumentFile
from staffing.quota_notices import quota_notice_of
from staffing.signing import Signer
from tests.poolkit import FULL, Province, found_province

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF"
GIVEN = Registration("编委［2026］8号", date(2026, 10, 1), "关于核定编制的批复", "第三次会议", ("A1",))
NUMBER = "编委〔2026〕8号"


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def scope(province: Province, login: str):
    return province.act(login).by


def test_a_document_is_registered_once_under_its_one_spelling(province):
    assert province.do(register_document, "reviewer", GIVEN) == {"doc_no": NUMBER, "registered": True}
    assert province.do(register_document, "reviewer", GIVEN)["registered"] is False
    with pytest.raises(Refused):
        province.do(register_document, "reviewer", Registration(NUMBER, GIVEN.doc_date, "另一标题"))
    with reading(province.engine) as session:
        assert session.get(PoolDocument, NUMBER).doc_date == GIVEN.doc_date
        assert session.scalar(select(func.count()).select_from(Document)) == 1
        assert session.scalar(select(func.count()).where(AuditEvent.action == "document_registered")) == 1


def test_two_registering_at_once_make_one_document(province):
    gate = Barrier(2)

    def run(title: str):
        gate.wait()
        try:
            return province.do(register_document, "reviewer", Registration(NUMBER, GIVEN.doc_date, title))
        except Refused:
            return None

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(run, ("甲", "乙")))
    assert sorted(answer is None for answer in answers) == [False, True]
    with reading(province.engine) as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 1


@pytest.mark.parametrize(
    "bad",
    [
        Registration("", GIVEN.doc_date, "标题"), Registration("a/b", GIVEN.doc_date, "标题"), Registration("a", GIVEN.doc_date, " "),
        Registration("a", date(2026, 10, 21), "标题"), Registration("a" * 201, GIVEN.doc_date, "标题"),
    ],
)  # fmt: skip
def test_a_statement_that_cannot_be_is_refused(province, bad):
    with pytest.raises((InputRejected, Refused)):
        province.do(register_document, "reviewer", bad)


def test_only_an_office_registers_and_only_for_units_it_sees(province):
    with pytest.raises(Forbidden):
        province.do(register_document, "officer-a1", Registration("a", GIVEN.doc_date, "标题"))
    with pytest.raises(Forbidden):
        province.do(register_document, "auditor", Registration("a", GIVEN.doc_date, "标题"))
    with pytest.raises(NotFound):
        province.do(register_document, "reviewer", Registration("a", GIVEN.doc_date, "标题", units=("B1",)))
    with pytest.raises(NotFound):
        province.do(register_document, "reviewer", Registration("a", GIVEN.doc_date, "标题", units=("nowhere",)))


def test_files_are_kept_by_content_and_the_same_one_once(province, tmp_path):
    province.do(register_document, "reviewer", GIVEN)
    first = province.do(add_file, "reviewer", NUMBER, "../../批复.pdf", PDF, tmp_path / "papers")
    assert province.do(add_file, "reviewer", NUMBER, "另名.pdf", PDF, tmp_path / "papers") == first | {"added": False}
    with reading(province.engine) as session:
        row = seen_file(session, scope(province, "officer-a1"), first["file"])
        assert (row.name, row.media_type, row.size) == ("批复.pdf", "application/pdf", len(PDF))
        assert shelf.take(tmp_path / "papers", row.sha256) == PDF
        assert session.scalar(select(func.count()).select_from(DocumentFile)) == 1
    assert not (tmp_path / "批复.pdf").exists()


def test_two_adding_the_same_file_at_once_keep_it_once(province, tmp_path):
    province.do(register_document, "reviewer", GIVEN)
    gate = Barrier(3)

    def run(number: int):
        gate.wait()
        return province.do(add_file, "reviewer", NUMBER, f"{number}.pdf", PDF, tmp_path)

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(run, range(3)))
    assert sorted(answer["added"] for answer in answers) == [False, False, True]


def test_a_file_that_is_not_what_it_says_or_too_big_is_refused_and_nothing_is_kept(province, tmp_path):
    province.do(register_document, "reviewer", GIVEN)
    with writing(province.engine) as session:
        set_parameter(session, "document_megabytes", "1", "990102", date(2026, 1, 1), actor="test", now=province.now)
    for name, content in (
        ("a.pdf", b"MZ\x90"),
        ("a.exe", PDF),
        ("a.pdf", PDF + b"0" * 2**20),
        ("", PDF),
        ("a.pdf", b""),
    ):
        with pytest.raises(InputRejected):
            province.do(add_file, "reviewer", NUMBER, name, content, tmp_path / "papers")
    assert not (tmp_path / "papers").exists()
    with pytest.raises(Forbidden):
        province.do(add_file, "officer-a1", NUMBER, "a.pdf", PDF, tmp_path / "papers")
    with pytest.raises(NotFound):
        province.do(add_file, "reviewer3", NUMBER, "a.pdf", PDF, tmp_path / "papers")


def test_those_see_a_document_who_see_its_office_or_a_unit_it_concerns(province):
    province.do(register_document, "reviewer", GIVEN)
    province.do(register_document, "reviewer", Registration("无单位1号", GIVEN.doc_date, "内部通知"))
    province.do(grant_posts, "reviewer3", "U:B1", *FULL, 2, NUMBER)
    seen = lambda login: _seen(province, login)
    assert seen("reviewer") == {NUMBER, "无单位1号"}
    assert seen("auditor") == {NUMBER, "无单位1号"}
    assert seen("officer-a1") == {NUMBER}
    assert seen("officer-b1") == {NUMBER}  # a movement of its posts names it
    assert seen("reviewer3") == {NUMBER}
    assert seen("officer-a2") == set()
    assert seen("citydirector") == set()
    with reading(province.engine) as session, pytest.raises(NotFound):
        seen_document(session, scope(province, "officer-a2"), NUMBER)


def _seen(province: Province, login: str) -> set[str]:
    with reading(province.engine) as session:
        rows, total = document_page(session, scope(province, login))
        assert total == len(rows)
        return {row.doc_no for row in rows}


def test_what_hangs_on_a_document_is_shown_as_far_as_it_is_seen(province, tmp_path):
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 6, NUMBER)
    province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 2, "编委 [2026] 8号")
    province.do(grant_posts, "reviewer3", "U:B1", *FULL, 2, NUMBER)
    with reading(province.engine) as session:
        assert [row.doc_no for row in unregistered(session, scope(province, "reviewer"))] == [NUMBER]
    province.do(register_document, "reviewer", GIVEN)
    press = Press(tmp_path, "https://portal.example", Signer.of("s" * 40))
    province.do(renew_certificate, "reviewer", "A1", press)
    with reading(province.engine) as session:
        office = hanging_on(session, scope(province, "reviewer"), NUMBER)
        assert [row.kind for row in office.movements] == ["TRANSFER", "GRANT"]
        assert [(row.unit_code, row.version) for row in office.certificates] == [("A1", 1)]
        assert office.units == ["A1"]
        other = hanging_on(session, scope(province, "officer-a2"), NUMBER)
        assert ([row.kind for row in other.movements], other.certificates, other.units) == (["TRANSFER"], [], [])
        assert unregistered(session, scope(province, "reviewer")) == []


def test_documents_cannot_be_rewritten_in_the_database(province, tmp_path):
    province.do(register_document, "reviewer", GIVEN)
    province.do(add_file, "reviewer", NUMBER, "a.pdf", PDF, tmp_path)
    for statement in (
        "UPDATE document SET title = 'x'", "DELETE FROM document_file", "DELETE FROM document_unit",
        "UPDATE document_file SET sha256 = 'x'",
    ):  # fmt: skip
        with pytest.raises(DBAPIError), writing(province.engine) as session:
            session.connection().exec_driver_sql(statement)


def test_a_quota_notice_says_what_one_movement_changed_whatever_was_booked_later(province):
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 6, NUMBER)
    seq = province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 2, NUMBER)["movement"]
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 9, NUMBER)
    with reading(province.engine) as session:
        notice = quota_notice_of(session, session.get(PoolMovement, seq))
        assert [(line.unit_code, line.before, line.after) for line in notice.lines] == [("A2", 0, 2), ("A1", 6, 4)]
        assert quota_notice(notice).startswith(b"%PDF-")
        reserve = PoolMovement(seq=99, kind="RESERVE", source=None)
        with pytest.raises(Refused):
            quota_notice_of(session, reserve)
