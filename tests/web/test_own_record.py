"""The own record: proven by number, name and a code that opens once; one answer to everything else; nothing kept."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, update

from core.accounts import LOCALES
from core.audit import AuditEvent
from core.identity import keyed, mask_id, normalise_name
from core.keys import key_mark
from night.own_record import LookupCode
from reconcile.models import NightRun
from tests.nightkit import person_id
from tests.web.seeding import NEWEST, NIGHTS
from tests.web.test_pages import check

ME, OTHER, NAME = person_id(7, place="370102"), person_id(8, place="370102"), "欧阳若兰"
PROOF = {"id_type": "RESIDENT", "number": ME, "name": NAME}
WRONG = "没有查到。请核对证件号、姓名和查询码；查询码只能用一次，过期作废。"


def roster_row(key: str, number: str, name: str, **changes) -> dict:
    return {
        "person_key": keyed(key, number), "person_mask": mask_id(number), "name_key": keyed(key, normalise_name(name)),
        "unit_code": "3701001", "post_type": "ADMIN", "fund_form": "FULL", "status": "IN_SERVICE", "entry_form": "EXAM",
        "entry_date": date(2015, 3, 1), "exit_date": None, "seconded_to": None, "permit_no": "用编〔2015〕3号",
        "slot_no": None, "loan_no": None, "leader_tier": None, **changes,
    }  # fmt: skip


@pytest.fixture
def rosters(portal_settings):
    """The seeded nights' rosters."""
    write_rosters(portal_settings)


def write_rosters(portal_settings):
    """Two persons; on the first night one of them was lent out."""
    for day, run_no in ((NIGHTS[0], 1), (NIGHTS[1], 2), (NIGHTS[1], 1), (NEWEST, 1)):
        folder = portal_settings.snapshots_dir / day.isoformat() / str(run_no)
        folder.mkdir(parents=True, exist_ok=True)
        key = portal_settings.person_key
        status = {"status": "SECONDED_OUT", "seconded_to": "3701003"} if day == NIGHTS[0] else {}
        rows = [roster_row(key, ME, NAME, **status), roster_row(key, OTHER, "司徒文", unit_code="3701031")]
        schema = pa.Table.from_pylist(rows).schema
        for at, field in enumerate(schema):
            if pa.types.is_null(field.type):
                schema = schema.set(at, pa.field(field.name, pa.date32() if field.name == "exit_date" else pa.string()))
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "roster.parquet")


def issue(person, **changes):
    return person.post("/desk/lookup-codes", PROOF | changes)


def code_for(browser, login: str = "reviewer") -> str:
    answer = issue(browser(login))
    page = answer.get_data(as_text=True)
    check(page)
    return re.search(r'class="secret code">([^<]+)<', page)[1]


def look(browser, code: str, **changes):
    return browser().post("/my-record", {**PROOF, "code": code, **changes}, token_from="/my-record")


def test_the_record_shows_post_unit_entry_and_what_changed(browser, rosters):
    page = look(browser, code_for(browser)).get_data(as_text=True)
    check(page)
    for word in (
        "市教育局",
        "行政",
        "全额",
        "考录",
        "2015-03-01",
        "用编〔2015〕3号",
        "借调",
        "市机关事务服务中心",
        mask_id(ME),
    ):
        assert word in page, word
    assert ME not in page
    assert NAME not in page


def test_a_code_opens_once_and_not_after_its_day(browser, rosters, clock):
    code = code_for(browser)
    assert look(browser, code.lower().replace("-", " ")).status_code == 200
    assert look(browser, code).status_code == 409
    late = code_for(browser)
    clock.now += timedelta(days=15)
    assert look(browser, late).status_code == 409


def test_everything_that_does_not_fit_has_one_answer(browser, rosters):
    code = code_for(browser)
    wrong = [
        look(browser, "AAAA-AAAA-AAAA"),
        look(browser, code, number=OTHER),
        look(browser, code, number=person_id(99)),
        look(browser, code, name="司徒文"),
    ]
    assert {answer.status_code for answer in wrong} == {409}
    pages = {re.sub(r"[0-9a-f]{64}", "", answer.get_data(as_text=True)) for answer in wrong}
    assert len(pages) == 1
    assert WRONG in pages.pop()
    assert look(browser, code).status_code == 200


def test_neither_number_nor_name_nor_code_is_kept_or_told(browser, rosters, portal_settings, db):
    code = code_for(browser)
    look(browser, code)
    look(browser, "BBBB", number=OTHER)
    content = b"".join(path.read_bytes() for path in portal_settings.home.glob("bianzhi.db*"))
    person = keyed(portal_settings.person_key, ME)
    for word in (ME, OTHER, NAME, code, code.replace("-", ""), person):
        assert word.encode() not in content
    with db.read() as session:
        events = {event.action: event for event in session.scalars(select(AuditEvent).order_by(AuditEvent.seq))}
        assert events["lookup_code_issued"].actor == "reviewer"
        assert events["own_record_shown"].subject.startswith("lookup code ")
        assert events["own_record_refused"].details == "{}"
        assert len(session.scalars(select(LookupCode)).one().proof) == 64


def test_a_person_and_an_address_may_not_be_tried_without_end(browser, rosters, clock):
    code = code_for(browser)
    for _ in range(5):
        assert look(browser, "AAAA").status_code == 409
    assert look(browser, code).status_code == 429  # of this person, the right code too
    for number in range(20, 24):
        assert look(browser, "AAAA", number=person_id(number)).status_code == 409
    assert look(browser, "AAAA", number=person_id(50)).status_code == 429  # of this address
    clock.now += timedelta(hours=2)
    assert look(browser, code).status_code == 200


REKEYED, EARLIER = "密钥刚更换，须待下一次每夜核对后才能查询", "更早的夜次是用另一把密钥记录的"


def test_between_a_change_of_the_key_and_the_next_night_both_pages_say_so_to_everybody(browser, rosters, db):
    code = code_for(browser)
    with db.write() as session:
        session.execute(update(NightRun).values(key_mark="another"))
    answers = [
        look(browser, code),
        look(browser, "AAAA"),
        look(browser, code, number=person_id(99)),
        issue(browser("reviewer")),
    ]
    for answer in answers:
        page = answer.get_data(as_text=True)
        check(page)
        assert answer.status_code == 503
        assert REKEYED in page
    with db.write() as session:
        session.execute(update(NightRun).values(key_mark=None))
    assert look(browser, code).status_code == 200


def test_the_history_says_that_earlier_nights_are_under_another_key(browser, rosters, portal_settings, db):
    assert EARLIER not in look(browser, code_for(browser)).get_data(as_text=True)
    with db.write() as session:
        session.execute(update(NightRun).values(key_mark="another"))
        now = key_mark(portal_settings.person_key)
        session.execute(update(NightRun).where(NightRun.as_of == NEWEST).values(key_mark=now))
    page = look(browser, code_for(browser)).get_data(as_text=True)
    check(page)
    assert EARLIER in page
    assert f"{NEWEST}</strong>" in page
    assert not [day for day in NIGHTS[:2] if f"{day}</strong>" in page]


def test_a_code_is_issued_only_for_people_of_ones_own_units(browser, rosters):
    person = browser("reviewer2")
    for claim in ({"number": OTHER, "name": "司徒文"}, {"number": person_id(60)}, {"name": "别名"}):
        answer = issue(person, **claim)
        assert answer.status_code == 404
        assert "没有查到这个人" in answer.get_data(as_text=True)
    assert issue(browser("personnel")).status_code == 200
    assert issue(browser("officer")).status_code == 403
    assert issue(browser("auditor")).status_code == 403


@pytest.mark.parametrize("locale", LOCALES)
def test_the_form_is_well_made_in_every_language(app, locale):
    client = app.test_client()
    client.get(f"/language?to={locale}&next=/my-record")
    check(client.get("/my-record").get_data(as_text=True), locale)
