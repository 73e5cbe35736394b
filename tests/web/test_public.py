"""Pages for everybody: what is on them, what is never on them, how they are kept and when copies stop holding."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.accounts import LOCALES
from core.parameters import ALWAYS, set_parameter
from core.settings import load_settings
from pool.models import PoolNode
from reconcile.models import CellFigure, NightRun
from tests.web.conftest import ENVIRON
from tests.web.seeding import CELLS, NEWEST, NOW, UNITS
from tests.web.test_pages import check
from web.app import create_app
from web.public_cache import READS
from web.public_files import COLUMNS, schema

PAGES = ("/public", "/public?q=zzz", "/public?level=COUNTY&division=370102", "/public/units/3701001", "/public/data")
FILES = ("/public/data/units.csv", "/public/data/units.json", "/public/data/pool.csv", "/public/data/pool.json")
CHINESE = {"Accept-Language": "zh-CN"}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("address", PAGES)
def test_a_public_page_is_well_made_in_every_language(app, address, locale):
    client = app.test_client()
    client.get(f"/language?to={locale}&next=/public")
    check(client.get(address).get_data(as_text=True), locale)


def test_choosing_a_language_on_a_public_page_leads_back_to_it(app):
    answer = app.test_client().get("/language?to=en&next=/public/units/3701001")
    assert answer.headers["Location"] == "/public/units/3701001"


def test_the_page_shows_every_unit_with_its_posts_and_the_day_they_are_of(app):
    page = app.test_client().get("/public").get_data(as_text=True)
    assert f"数字日期 {NEWEST}" in page
    for _, name, *_ in UNITS:
        assert name in page
    unit = app.test_client().get("/public/units/3701001").get_data(as_text=True)
    assert "86" in unit
    assert "84" in unit


def test_totals_add_like_with_like_and_an_unknown_quota_is_a_dash(app):
    page = app.test_client().get("/public").get_data(as_text=True)
    known = [cell for cell in CELLS if cell[0] != "3701031"]
    assert f"<dt>编制数</dt><dd>{sum(cell[3] for cell in known)}</dd>" in page
    assert f"<dt>实有人数</dt><dd>{sum(cell[4] for cell in known)}</dd>" in page
    row = re.search(r'division=370103">370103</a></th>(.*?)</tr>', page)[1]
    assert re.findall(r">([^<>]+)</td>", row) == ["1", "—", "—", "—"]


def test_no_flag_no_paid_figure_and_no_person_is_on_any_page_or_file(app):
    for address in (*PAGES, *FILES):
        text = app.test_client().get(address).get_data(as_text=True)
        for word in ("不符项", "疑点", "超编", "供养", "370102********1234", "F09", "同志"):
            assert word not in text, (address, word)


def test_a_signed_in_person_is_not_greeted_by_a_page_that_all_may_keep(browser):
    page = browser("officer").get("/public").get_data(as_text=True)
    assert "officer" not in page
    assert "退出" not in page


def test_no_cookie_is_set(app):
    for address in (*PAGES, *FILES):
        assert "Set-Cookie" not in app.test_client().get(address).headers


def test_the_csv_has_a_bom_quotes_every_code_and_counts_nothing_twice(app):
    content = app.test_client().get("/public/data/units.csv").data
    assert content.startswith(b"\xef\xbb\xbf")
    assert b'"3701001"' in content
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert list(rows[0]) == [column.name for column in COLUMNS["units"]]
    assert {(r["unit_code"], r["post_type"], r["fund_form"], r["quota"], r["in_post"]) for r in rows} == {
        (unit, kind, form, "" if quota is None else str(quota), str(in_post))
        for unit, kind, form, quota, in_post, _ in CELLS
    }


def test_the_json_is_what_its_schema_says(app):
    said = json.loads(app.test_client().get("/public/data/schema.json").data)
    assert said == json.loads(json.dumps(schema()))
    import jsonschema

    for book in ("units", "pool"):
        held = json.loads(app.test_client().get(f"/public/data/{book}.json").data)
        jsonschema.validate(held, {**said, "$ref": f"#/$defs/{book}"})
        assert held[book], book


def test_a_formula_in_a_name_is_harmless(app, db):
    from core.units import UnitVersion

    with db.write() as session:
        session.scalar(select(UnitVersion).where(UnitVersion.unit_code == "3701003")).unit_name = "=HYPERLINK(1)"
    assert b'"\'=HYPERLINK(1)"' in app.test_client().get("/public/data/units.csv").data


@pytest.mark.parametrize("address", [*PAGES, *FILES])
def test_who_has_a_copy_is_told_that_it_still_holds(app, address):
    client = app.test_client()
    first = client.get(address, headers=CHINESE)
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert first.headers["Last-Modified"]
    again = client.get(address, headers={**CHINESE, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert not again.data
    other = client.get(address, headers={"Accept-Language": "en", "If-None-Match": first.headers["ETag"]})
    assert other.status_code == (304 if address in FILES else 200)


def settle_another_night(session, state: str = "SETTLED") -> None:
    """A night after the newest one, in which a unit has one person more."""
    day = NEWEST + timedelta(days=1)
    run = NightRun(
        as_of=day, run_no=1, fingerprint="n" * 64, inbox="inbox", opened_at=NOW, state=state, settled_at=NOW,
        concluded_at=NOW, red_reasons="[]",
    )  # fmt: skip
    session.add(run)
    session.flush()
    for kind, form in (("ADMIN", "FULL"), ("", "")):
        session.add(
            CellFigure(run_id=run.id, division_code="370100", unit_code="3701001", post_type=kind, fund_form=form,
                       quota=86, allowed=86, in_post=8585, paid=85)
        )  # fmt: skip


def test_a_night_that_settles_is_seen_at_once_and_a_parked_one_never(app, db):
    client = app.test_client()
    before = client.get("/public/units/3701001", headers=CHINESE)
    with db.write() as session:
        settle_another_night(session, "PARKED")
    asked = {**CHINESE, "If-None-Match": before.headers["ETag"]}
    assert client.get("/public/units/3701001", headers=asked).status_code == 304
    with db.write() as session:
        session.scalar(select(NightRun).where(NightRun.state == "PARKED")).state = "SETTLED"
    after = client.get("/public/units/3701001", headers=asked)
    assert after.status_code == 200
    assert "8,585" in after.get_data(as_text=True)
    assert b"8585" in client.get("/public/data/units.csv").data


def test_a_division_that_decides_not_to_publish_is_gone_at_once(app, db):
    client = app.test_client()
    assert client.get("/public/units/3701021").status_code == 200
    with db.write() as session:
        set_parameter(session, "publish_figures", "false", "370102", ALWAYS, actor="test", now=NOW)
    assert client.get("/public/units/3701021").status_code == 404
    assert client.get("/public/units/3701001").status_code == 200
    assert b"3701021" not in client.get("/public/data/units.csv").data


def test_in_production_nothing_is_public_until_the_office_says_so(portal_settings, clock, db, tmp_path):
    environ = {**ENVIRON, "BIANZHI_HOME": str(portal_settings.home), "BIANZHI_ENV": "production"}
    environ["BIANZHI_KEYS"] = str(tmp_path / "keys")
    client = create_app(load_settings(environ), clock).test_client()
    assert "还没有区划决定公布" in client.get("/public").get_data(as_text=True)
    assert client.get("/public/units/3701001").status_code == 404
    with db.write() as session:
        set_parameter(session, "publish_figures", "true", "370100", ALWAYS, actor="test", now=NOW)
    assert client.get("/public/units/3701001").status_code == 200


def test_a_switched_unit_has_its_quota_from_the_ledger(app, db):
    with db.write() as session:
        session.scalar(select(PoolNode).where(PoolNode.unit_code == "3701001")).switched_on = NEWEST
    rows = json.loads(app.test_client().get("/public/data/units.json").data)["units"]
    sources = {row["unit_code"]: row["source"] for row in rows}
    assert sources["3701001"] == "LEDGER"
    assert sources["3701021"] == "NIGHT"


def test_one_address_may_not_read_without_end(app, clock):
    client = app.test_client()
    for _ in range(READS):
        assert client.get("/public/data/schema.json").status_code == 200
    answer = client.get("/public/data/schema.json")
    assert answer.status_code == 429
    assert answer.headers["Cache-Control"] == "no-store"
    clock.now += timedelta(minutes=6)
    assert client.get("/public/data/schema.json").status_code == 200


def test_an_unknown_unit_is_404(app):
    assert app.test_client().get("/public/units/000").status_code == 404
    assert app.test_client().get("/public/data/units.xlsx").status_code == 404
