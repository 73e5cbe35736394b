"""Documents, certificates and the public verification page, through the portal and the API."""

from __future__ import annotations

import base64
import re
from io import BytesIO

import pytest

from core.accounts import LOCALES, get_user
from core.audit import AuditEvent
from core.parameters import set_parameter
from pool.models import PoolMovement
from pool.service import grant_posts
from tests.web.pool_seeding import Office
from tests.web.seeding import NEWEST, NOW
from tests.web.test_pages import check

UNIT, FOREIGN = "3701001", "3701031"
PDF = b"%PDF-1.7\n1 0 obj\n%%EOF"
NUMBER = "编委〔2026〕31号"


def issue(person, unit: str = UNIT):
    return person.post(f"/certificates/{unit}/renew", token_from=f"/certificates/{unit}")


def pdf_of(person, unit: str = UNIT) -> bytes:
    answer = person.get(f"/certificates/{unit}/certificate.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    return answer.data


def code_of(person, unit: str = UNIT) -> str:
    return re.search(r"/verify/([0-9A-Z-]{19})", person.get(f"/certificates/{unit}").get_data(as_text=True))[1]


def register(person, number: str = NUMBER, **more):
    fields = {
        "doc_no": number,
        "doc_date": "2026-11-01",
        "title": "关于调整编制的通知",
        "meeting": "第五次会议",
        "units": UNIT,
    }
    return person.post("/documents/new", fields | more, token_from="/documents/new", content_type="multipart/form-data")


def answer_of(client, content: bytes) -> str:
    page = client.post("/verify", data={"file": (BytesIO(content), "a.pdf")}, content_type="multipart/form-data")
    assert page.status_code == 200
    return re.search(r'id="answer-title">([^<]+)<', page.get_data(as_text=True))[1]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_of_papers_is_well_made(browser, db, locale):
    with db.write() as session:
        get_user(session, "reviewer").locale = locale
        get_user(session, "auditor").locale = locale
    office = browser("reviewer")
    issue(office)
    issue(office, "3701021")
    register(office, file=(BytesIO(PDF), "批复.pdf"))
    office.post(f"/certificates/{UNIT}/record", {"kind": "LEADER_POSTS", "CHIEF": "1", "document_no": NUMBER},
                token_from=f"/certificates/{UNIT}")  # fmt: skip
    paths = (
        "/certificates", "/certificates?state=DUE", "/certificates?q=zzz", f"/certificates/{UNIT}", "/certificates/3701002",
        "/documents", "/documents?q=zzz", f"/documents/{NUMBER}", f"/units/{UNIT}", f"/pool/units/{UNIT}",
        f"/pool/nodes/U:{UNIT}/ledger",
    )  # fmt: skip
    for person in (office, browser("auditor")):
        for path in paths:
            answer = person.get(path)
            assert answer.status_code == 200, path
            check(answer.get_data(as_text=True), locale)
    check(office.get("/documents/new").get_data(as_text=True), locale)


def test_the_verification_page_is_well_made_for_anybody(app, browser):
    office = browser("reviewer")
    issue(office)
    client = app.test_client()
    for path in ("/verify", "/verify?code=zzz", f"/verify/{code_of(office)}", "/verify?code=%F0%A0%AE%B7"):
        answer = client.get(path)
        assert answer.status_code == 200
        check(answer.get_data(as_text=True))


def test_a_certificate_is_issued_seen_and_verified_by_a_stranger(app, browser, db):
    office, stranger = browser("reviewer"), app.test_client()
    assert issue(office).status_code == 303
    page = stranger.get(f"/verify/{code_of(office).lower()}").get_data(as_text=True)
    for piece in ("有效", "市教育局", UNIT, "第 1 版"):
        assert piece in page
    assert "reviewer" not in page
    assert answer_of(stranger, pdf_of(office)) == "有效"
    issue(office)  # nothing changed
    assert "第 2 版" not in office.get(f"/certificates/{UNIT}").get_data(as_text=True)
    with db.read() as session:
        assert session.query(AuditEvent).filter_by(action="certificate_issued").count() == 1


def test_the_verification_page_tells_tampered_altered_superseded_and_revoked_apart(app, browser, db):
    office, stranger = browser("reviewer"), app.test_client()
    issue(office)
    file, code = pdf_of(office), code_of(office)
    changed = bytearray(file)
    changed[len(file) // 2] ^= 1
    assert answer_of(stranger, bytes(changed)) == "被篡改"
    assert answer_of(stranger, PDF) == "不存在"
    other = ("0" if code[0] != "0" else "1") + code[1:]
    assert "不存在" in stranger.get(f"/verify/{other}").get_data(as_text=True)
    with db.write() as session:  # behind the doors, which would renew the certificate with the grant
        Office(session).do(grant_posts, "reviewer", NOW, f"U:{UNIT}", "ADMIN", "FULL", 1, NUMBER)
    assert answer_of(stranger, file) == "内容有变，待换发"
    assert "内容有变，待换发" in office.get("/certificates").get_data(as_text=True)
    issue(office)
    assert answer_of(stranger, file) == "已被新版本取代"
    director = browser("director")
    assert (
        director.post(
            f"/certificates/{UNIT}/revoke", {"reason": "登记有误"}, token_from=f"/certificates/{UNIT}"
        ).status_code
        == 303
    )
    assert answer_of(stranger, pdf_of(office)) == "已撤销"


def test_verifying_is_limited_per_address(app):
    stranger = app.test_client()
    codes = [stranger.get("/verify/AAAA-BBBB-CCCC-DDDD").status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]
    assert stranger.get("/verify").status_code == 200


def test_too_large_a_file_is_refused_before_it_is_looked_at(app):
    stranger = app.test_client()
    for size in (4 * 2**20 + 1, 6 * 2**20):
        data = {"file": (BytesIO(b"%PDF-" + b"0" * size), "a.pdf")}
        answer = stranger.post("/verify", data=data, content_type="multipart/form-data")
        assert answer.status_code in (413, 422)
    assert stranger.post("/verify", data={}).status_code == 422


def test_the_public_key_is_there_once_a_certificate_is(app, browser):
    assert app.test_client().get("/verify/key.pem").status_code == 404
    issue(browser("reviewer"))
    assert app.test_client().get("/verify/key.pem").data.startswith(b"-----BEGIN PUBLIC KEY-----")


def test_a_certificate_lies_in_the_scope_of_its_unit_and_steps_ask_for_the_office(browser):
    issue(browser("reviewer"))
    officer = browser("officer")
    assert "核发" in officer.get(f"/certificates/{UNIT}").get_data(as_text=True)
    assert officer.get(f"/certificates/{UNIT}/certificate.pdf").status_code == 200
    for step, values in (
        ("renew", {}),
        ("check", {"year": "2026", "result": "PASSED"}),
        ("revoke", {"reason": "不要了"}),
    ):
        answer = officer.post(f"/certificates/{UNIT}/{step}", values, token_from=f"/certificates/{UNIT}")
        assert answer.status_code == 403, step
    other = browser("other")
    assert other.get(f"/certificates/{UNIT}").status_code == 404
    assert other.get(f"/certificates/{UNIT}/certificate.pdf").status_code == 404
    assert browser("admin").get("/certificates").status_code == 403
    assert UNIT not in other.get("/certificates").get_data(as_text=True)


def test_a_document_is_registered_with_its_file_and_shows_what_hangs_on_it(browser, db):
    office = browser("reviewer")
    assert NUMBER in office.get("/documents").get_data(as_text=True)  # named by the ledger, not registered
    answer = register(office, file=(BytesIO(PDF), "../../批复.pdf"))
    assert answer.status_code == 303
    page = office.get(f"/documents/{NUMBER}").get_data(as_text=True)
    for piece in ("关于调整编制的通知", "批复.pdf", "第五次会议", "市教育局", "历下区民政局"):
        assert piece in page
    file = re.search(r"/documents/files/\d+", page)[0]
    kept = office.get(file)
    assert (kept.data, kept.headers["Content-Type"]) == (PDF, "application/pdf")
    assert kept.headers["Content-Disposition"].startswith("attachment")
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    assert browser("officer").get(file).status_code == 200
    assert browser("other").get(file).status_code == 404
    assert browser("other").get(f"/documents/{NUMBER}").status_code == 404
    notice = re.search(r"/pool/movements/\d+/notice.pdf", page)[0]
    assert office.get(notice).data.startswith(b"%PDF-")
    assert browser("other").get(notice).status_code == 404


def test_a_wrong_or_too_big_file_is_refused_with_its_sentence_and_nothing_is_registered(browser, db):
    office = browser("reviewer")
    refused = register(office, file=(BytesIO(b"MZ"), "批复.pdf"))
    assert (refused.status_code, "文件内容与扩展名不符" in refused.get_data(as_text=True)) == (422, True)
    assert office.get(f"/documents/{NUMBER}").status_code == 404
    with db.write() as session:
        set_parameter(session, "document_megabytes", "1", "*", NEWEST, actor="test", now=NOW)
    refused = register(office, file=(BytesIO(PDF + b"0" * 2**20), "批复.pdf"))
    assert (refused.status_code, "单个文件不得超过 1 MB" in refused.get_data(as_text=True)) == (422, True)


def test_the_api_gives_the_same_and_takes_the_same(api):
    office = api("reviewer")
    body = {"doc_no": NUMBER, "doc_date": "2026-11-01", "title": "通知", "units": [UNIT]}
    assert office.post("/api/v1/documents", json=body).json == {"doc_no": NUMBER, "registered": True}
    assert office.post("/api/v1/documents", json=body).json["registered"] is False
    file = {"name": "批复.pdf", "content": base64.b64encode(PDF).decode()}
    added = office.post(f"/api/v1/documents/{NUMBER}/files", json=file).json
    assert added["added"] is True
    assert office.get(f"/api/v1/documents/files/{added['file']}").data == PDF
    assert office.post(f"/api/v1/documents/{NUMBER}/files", json=file | {"content": "***"}).status_code == 422
    done = office.post(f"/api/v1/certificates/{UNIT}/renew", json={}).json
    assert (done["version"], done["renewed"]) == (1, True)
    fact = {"kind": "LEADER_POSTS", "CHIEF": 1, "DEPUTY": 3, "document_no": NUMBER}
    assert office.post(f"/api/v1/certificates/{UNIT}/record", json=fact).json["recorded"] is True
    seen = api("officer").get(f"/api/v1/certificates/{UNIT}").json
    assert [(c["what"], c["tier"], c["after"]) for c in seen["pending"]] == [
        ("leader_posts", "CHIEF", 1),
        ("leader_posts", "DEPUTY", 3),
    ]
    assert (seen["due"], seen["copies"][0]["agree"]) == ("CHANGED", True)
    assert office.post(f"/api/v1/certificates/{UNIT}/renew", json={}).json["version"] == 2
    assert api("officer").get(f"/api/v1/certificates/{UNIT}/pdf?version=1").data.startswith(b"%PDF-")
    assert api("officer").get(f"/api/v1/documents/{NUMBER}").json["certificates"] == [f"{UNIT}-002", f"{UNIT}-001"]
    assert api("other").get(f"/api/v1/certificates/{UNIT}").status_code == 404
    assert api("officer").post(f"/api/v1/certificates/{UNIT}/renew", json={}).status_code == 403
    listed = {item["unit_code"]: item for item in office.get("/api/v1/certificates").json["items"]}
    assert (listed[UNIT]["state"], listed[UNIT]["due"], listed["3701002"]["state"]) == ("VALID", None, None)


def test_an_opening_balance_makes_no_quota_notice(browser, db):
    with db.read() as session:
        seq = session.query(PoolMovement).filter_by(source="OPENING").first().seq
    answer = browser("reviewer").get(f"/pool/movements/{seq}/notice.pdf")
    assert answer.status_code == 409
