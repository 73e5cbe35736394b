"""Certificates on both databases: renewed when what they say changed and only then; two renewals at once make one version;
tampered, altered, revoked and superseded ones are told apart."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import BytesIO
from threading import Barrier

import pypdfium2
import pytest
from pypdf import PdfReader, PdfWriter
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from core.audit import AuditEvent, broken_link
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.parameters import set_parameter
from pool.models import PoolBalance
from pool.service import cut_posts, grant_posts, transfer_posts
from pool.service_nodes import merge_nodes
from staffing import shelf
from staffing.certificate_content import claim_of, content_hash
from staffing.certificate_pdf import Press
from staffing.certificate_store import (
    Due,
    certificate_due,
    checks_missing,
    newest_of,
    public_keys,
    state_of,
    versions_of,
)
from staffing.certificates import record_check, record_fact, renew_certificate, renew_due, revoke_certificate
from staffing.copies import copies
from staffing.paper_models import Certificate
from staffing.signing import Signer
from staffing.verifying import Verdict, verify_code, verify_file, verify_offline, verify_scan
from tests.poolkit import FULL, Province, found_province

NOW_ON = date(2026, 10, 20)


@pytest.fixture
def province(database_url) -> Province:
    made = found_province(engine_for(database_url))
    made.grant("A1", 10)
    made.do(grant_posts, "reviewer", "U:A1", "SUPPORT", "FULL", 3, "编委〔2026〕1号")
    return made


@pytest.fixture
def press(tmp_path) -> Press:
    return Press(tmp_path / "papers", "https://portal.example", Signer.of("s" * 40))


def renewed(province: Province, press: Press, unit: str = "A1", login: str = "reviewer"):
    return province.do(renew_certificate, login, unit, press)


def file_of(province: Province, press: Press, unit: str = "A1", version: int | None = None) -> bytes:
    with reading(province.engine) as session:
        row = session.get(Certificate, (unit, version)) if version else newest_of(session, unit)
        return shelf.take(press.folder, row.file_sha256)


def verdict(province: Province, content: bytes) -> Verdict:
    with reading(province.engine) as session:
        return verify_file(session, content, province.today).verdict


def test_renewing_without_a_change_makes_no_version_and_a_change_supersedes_the_one_before(province, press):
    first = renewed(province, press)
    assert (first["version"], first["renewed"]) == (1, True)
    assert renewed(province, press) == first | {"renewed": False}
    province.grant("A1", 2)
    second = renewed(province, press)
    assert (second["version"], second["renewed"]) == (2, True)
    with reading(province.engine) as session:
        newest, older = versions_of(session, "A1")
        assert newest.previous_hash == older.content_hash == content_hash(json.loads(older.content))
        assert [state_of(session, row, province.today) for row in (newest, older)] == ["VALID", "SUPERSEDED"]
        quotas = {line["post_type"]: line["quota"] for line in json.loads(newest.content)["facts"]["quotas"]}
        assert quotas == {"INSTITUTION": 12, "SUPPORT": 3}
        documents = [line["doc_no"] for line in json.loads(newest.content)["facts"]["documents"]]
        assert documents == ["编委1", "编委〔2026〕1号"]
        acts = session.scalars(select(AuditEvent.action).where(AuditEvent.action == "certificate_issued")).all()
        assert len(acts) == 2
        assert broken_link(session) is None


def test_two_renewals_at_once_make_one_version(province, press):
    gate = Barrier(4)

    def run(_):
        gate.wait()
        return renewed(province, press)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(run, range(4)))
    assert sorted(answer["renewed"] for answer in answers) == [False, False, False, True]
    assert len({answer["code"] for answer in answers}) == 1
    with reading(province.engine) as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 1


def test_a_certificate_is_due_when_ledger_register_or_a_recorded_fact_says_otherwise(province, press):
    renewed(province, press)
    due = lambda on=None: _due(province, on)
    assert due() == {}
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 5, "编委〔2026〕2号", date(2026, 12, 1))
    assert due() == {}  # not in force yet
    assert due(date(2026, 12, 1)) == {"A1": Due.CHANGED}
    province.do(record_fact, "reviewer", "A1", "LEADER_POSTS", {"CHIEF": 1, "DEPUTY": "2"}, "编委〔2026〕3号")
    assert due() == {"A1": Due.CHANGED}
    with writing(province.engine) as session:
        assert [done["version"] for done in renew_due(session, press, province.now)] == [2]
    with writing(province.engine) as session:
        assert renew_due(session, press, province.now) == []
    assert due(date(2031, 10, 21)) == {"A1": Due.CHANGED}
    province.pass_days(60)
    renewed(province, press)
    assert due(date(2031, 12, 20)) == {"A1": Due.EXPIRED}


def _due(province: Province, on: date | None):
    with reading(province.engine) as session:
        return certificate_due(session, None, on or province.today)


def test_a_change_with_its_transfer_renews_both_units_and_no_third(province, press):
    province.grant("A2", 4)
    province.grant("A3", 4)
    for unit in ("A1", "A2", "A3"):
        renewed(province, press, unit)
    province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 2, "编委〔2026〕5号")
    with writing(province.engine) as session:
        assert {done["unit_code"] for done in renew_due(session, press, province.now)} == {"A1", "A2"}


def test_a_revoked_certificate_is_not_renewed_by_the_night_but_by_a_person(province, press):
    renewed(province, press)
    with pytest.raises(Forbidden):
        province.do(revoke_certificate, "reviewer", "A1", "有误")
    with pytest.raises(InputRejected):
        province.do(revoke_certificate, "director", "A1", " ")
    province.do(revoke_certificate, "director", "A1", "职责登记有误")
    with pytest.raises(Refused):
        province.do(revoke_certificate, "director", "A1", "再次撤销")
    province.grant("A1", 1)
    assert _due(province, None) == {}
    assert verdict(province, file_of(province, press)) is Verdict.REVOKED
    assert renewed(province, press)["version"] == 2
    assert verdict(province, file_of(province, press)) is Verdict.VALID
    assert verdict(province, file_of(province, press, version=1)) is Verdict.REVOKED


def test_a_merged_unit_loses_its_certificate_and_the_other_gets_a_new_version(province, press):
    province.grant("A2", 4)
    for unit in ("A1", "A2"):
        renewed(province, press, unit)
    province.do(merge_nodes, "director", "U:A2", "U:A1", "编委〔2026〕9号")
    assert _due(province, None) == {"A1": Due.CHANGED, "A2": Due.CLOSED}
    with writing(province.engine) as session:
        renew_due(session, press, province.now)
    assert _due(province, None) == {}
    assert verdict(province, file_of(province, press, "A2")) is Verdict.REVOKED
    assert {row.post_type: row.certificate for row in _copies(province)} == {"INSTITUTION": 14, "SUPPORT": 3}
    with pytest.raises(Refused):
        renewed(province, press, "A2")


def test_only_the_office_of_the_place_issues_and_only_of_an_open_ledger(province, press):
    with pytest.raises(Forbidden):
        renewed(province, press, login="officer-a1")
    with pytest.raises(Forbidden):
        renewed(province, press, login="auditor")
    with pytest.raises(NotFound):
        renewed(province, press, login="reviewer3")
    with pytest.raises(NotFound):
        renewed(province, press, "nowhere")
    with pytest.raises(Refused, match="尚未建账"):
        renewed(province, press, "A2")


def test_versions_events_and_checks_cannot_be_rewritten_in_the_database(province, press):
    renewed(province, press)
    province.do(record_check, "reviewer", "A1", 2026, "PASSED")
    for table, change in (
        ("certificate", "valid_until = '2099-01-01'"), ("certificate_event", "kind = 'VALID'"),
        ("certificate_check", "result = 'PASSED'"), ("certificate_key", "since = since"),
    ):  # fmt: skip
        for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError), writing(province.engine) as session:
                session.connection().exec_driver_sql(statement)


def test_a_yearly_check_is_missed_after_its_month_and_recorded_once(province, press):
    renewed(province, press)
    missing = lambda on: _missing(province, on)
    assert missing(date(2027, 3, 31)) == set()  # issued after the deadline of 2026; 2027's is not yet due
    assert missing(date(2027, 4, 1)) == {"A1"}
    with pytest.raises(InputRejected):
        province.do(record_check, "reviewer", "A1", 2027, "PASSED")
    province.now = province.now.replace(year=2027)
    assert province.do(record_check, "reviewer", "A1", 2027, "PASSED")["recorded"]
    assert not province.do(record_check, "reviewer", "A1", 2027, "PASSED")["recorded"]
    assert missing(date(2027, 12, 1)) == set()
    assert _due(province, None) == {}  # a check alone makes no new version
    province.grant("A1", 1)
    renewed(province, press)
    with reading(province.engine) as session:
        content = json.loads(newest_of(session, "A1").content)
    assert content["checks"] == [{"year": 2027, "result": "PASSED", "checked_on": "2027-10-20"}]


def _missing(province: Province, on: date):
    with reading(province.engine) as session:
        return checks_missing(session, {"A1", "A2"}, on)


def test_the_three_copies_agree_after_renewal_and_show_which_one_does_not(province, press):
    rows = lambda: _copies(province)
    assert [(row.ledger, row.certificate, row.database) for row in rows()] == [(10, None, 10), (3, None, 3)]
    renewed(province, press)
    assert all(row.agree for row in rows())
    province.do(cut_posts, "reviewer", "U:A1", *FULL, 4, "编委〔2026〕6号")
    assert [(row.ledger, row.certificate, row.database) for row in rows()] == [(6, 10, 6), (3, 3, 3)]
    renewed(province, press)
    assert all(row.agree for row in rows())
    with writing(province.engine) as session:
        session.execute(update(PoolBalance).where(PoolBalance.holder == "U:A1", PoolBalance.posts == 6).values(posts=7))
    assert [(row.ledger, row.certificate, row.database) for row in rows()] == [(6, 6, 7), (3, 3, 3)]


def _copies(province: Province):
    with reading(province.engine) as session:
        return copies(session, "A1", province.today)


def test_the_terms_are_dated_parameters(province, press):
    with writing(province.engine) as session:
        set_parameter(session, "certificate_months", "12", "990102", NOW_ON, actor="test", now=province.now)
        set_parameter(session, "certificate_office", "某区编办", "990102", NOW_ON, actor="test", now=province.now)
    renewed(province, press)
    with reading(province.engine) as session:
        row = newest_of(session, "A1")
        assert row.valid_until == date(2027, 10, 20)
        assert json.loads(row.content)["office"] == "某区编办"
        assert state_of(session, row, date(2027, 10, 20)) == "VALID"
        assert state_of(session, row, date(2027, 10, 21)) == "EXPIRED"


def resaved(content: bytes, change=lambda writer: None) -> bytes:
    """The file opened and saved by another program."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def with_other_attachment(writer: PdfWriter) -> None:
    for attached in writer.attachment_list:
        attached.content = b'{"facts": {"quotas": []}}'


def test_a_tampered_file_an_altered_code_and_an_old_version_are_told_apart(province, press):
    first = renewed(province, press)
    file = file_of(province, press)
    assert verdict(province, file) is Verdict.VALID
    for at in (0, 9, len(file) // 3, len(file) // 2, len(file) - 300, len(file) - 100, len(file) - 2):
        changed = bytearray(file)
        changed[at] ^= 0x20
        assert verdict(province, bytes(changed)) is Verdict.TAMPERED, at
    assert verdict(province, resaved(file)) is Verdict.TAMPERED
    assert verdict(province, resaved(file, with_other_attachment)) is Verdict.TAMPERED
    assert verdict(province, repainted(file)) is Verdict.TAMPERED
    assert verdict(province, b"%PDF-1.7 something else %%EOF") is Verdict.UNKNOWN
    assert verdict(province, b"") is Verdict.UNKNOWN
    again = resaved(file)
    for cut in range(0, len(again), len(again) // 12):  # broken files of strangers are answered, not fallen over
        assert verdict(province, again[:cut] + again[cut + 40 :]) in (Verdict.TAMPERED, Verdict.UNKNOWN)
    province.grant("A1", 1)
    renewed(province, press)
    assert verdict(province, file) is Verdict.SUPERSEDED
    _codes(province, first["code"])


def repainted(content: bytes) -> bytes:
    """The file with a page changed, saved by a third program."""
    document = pypdfium2.PdfDocument(content)
    document[0].set_rotation(180)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _codes(province: Province, code: str) -> None:
    with reading(province.engine) as session:
        assert verify_code(session, code.lower(), province.today).verdict is Verdict.SUPERSEDED
        other = ("0" if code[0] != "0" else "1") + code[1:]
        for bad in (other, code[:-1], "", "x" * 5000):
            assert verify_code(session, bad, province.today).verdict is Verdict.UNKNOWN


def test_a_file_signed_by_another_key_or_never_issued_here_is_not_believed(province, press, tmp_path):
    from staffing.certificate_pdf import certificate_file

    renewed(province, press)
    with reading(province.engine) as session:
        content = json.loads(newest_of(session, "A1").content)
    forged, _ = certificate_file(content, Press(tmp_path, "https://portal.example", Signer.of("f" * 40)))
    assert verdict(province, forged) is Verdict.TAMPERED
    other = content | {"code": "ZZZZ-ZZZZ-ZZZZ-ZZZZ"}
    assert verdict(province, certificate_file(other, press)[0]) is Verdict.UNKNOWN
    more = json.loads(json.dumps(content))
    more["facts"]["quotas"][0]["quota"] += 5
    assert verdict(province, certificate_file(more, press)[0]) is Verdict.TAMPERED


def test_the_qr_code_on_the_page_verifies_without_a_network(province, press):
    import zxingcpp

    renewed(province, press)
    file = file_of(province, press)
    document = pypdfium2.PdfDocument(file)
    codes = [code.text for page in document for code in zxingcpp.read_barcodes(page.render(scale=3).to_numpy())]
    with reading(province.engine) as session:
        publics, row = public_keys(session), newest_of(session, "A1")
        claim = claim_of(json.loads(row.content))
    assert len(codes) == 1
    answer = verify_scan(codes[0], publics, province.today)
    assert (answer.verdict, answer.about["content_hash"]) == (Verdict.GENUINE, claim.content_hash)
    assert (
        verify_scan(codes[0].replace(row.code, "ABCD-EFGH-JKMN-PQRS"), publics, province.today).verdict
        is Verdict.TAMPERED
    )
    assert verify_scan(codes[0], [Signer.of("f" * 40).public], province.today).verdict is Verdict.TAMPERED
    assert verify_scan(codes[0], publics, date(2031, 10, 21)).verdict is Verdict.EXPIRED
    assert verify_offline(file, publics, province.today).verdict is Verdict.GENUINE
    assert verify_offline(resaved(file), publics, province.today).verdict is Verdict.TAMPERED


def test_the_same_content_gives_the_same_file_and_it_carries_its_content(province, press):
    from staffing.certificate_pdf import certificate_file

    renewed(province, press)
    file = file_of(province, press)
    with reading(province.engine) as session:
        stored = newest_of(session, "A1").content
    assert certificate_file(json.loads(stored), press)[0] == file
    attached = {item.name: item.content for item in PdfReader(BytesIO(file)).attachment_list}
    assert attached == {"certificate.json": stored.encode()}
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(file))
    for piece in ("机构编制管理证", "单位A1", "编委〔2026〕1号", json.loads(stored)["code"]):
        assert piece in text.replace(" ", "")  # set with space between Chinese and Latin


def test_facts_are_read_strictly_and_hang_on_a_document(province, press):
    for kind, value in (
        ("DUTIES", " "), ("LEADER_POSTS", {"CHIEF": "一"}), ("LEADER_POSTS", {"BOSS": 1}), ("LEADER_POSTS", {"CHIEF": -1}),
        ("INNER_BODIES", "\n".join(map(str, range(101)))), ("OTHER", "x"),
    ):  # fmt: skip
        with pytest.raises(InputRejected):
            province.do(record_fact, "reviewer", "A1", kind, value, "编委〔2026〕7号")
    with pytest.raises(InputRejected):
        province.do(record_fact, "reviewer", "A1", "DUTIES", "主管", "")
    with pytest.raises(Forbidden):
        province.do(record_fact, "director", "A1", "DUTIES", "主管", "编委〔2026〕7号")
    assert province.do(record_fact, "reviewer", "A1", "INNER_BODIES", "办公室\n\n人事科\n办公室", "编委［2026］7号")[
        "recorded"
    ]
    assert not province.do(record_fact, "reviewer", "A1", "INNER_BODIES", ["办公室", "人事科"], "编委〔2026〕7号")[
        "recorded"
    ]
    renewed(province, press)
    with reading(province.engine) as session:
        facts = json.loads(newest_of(session, "A1").content)["facts"]
    assert facts["inner_bodies"] == ["办公室", "人事科"]
    assert "编委〔2026〕7号" in [line["doc_no"] for line in facts["documents"]]
