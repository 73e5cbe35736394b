"""How findings and the three numbers went over the nights: per rule, level and unit, over days one may choose."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from reconcile.models import FindingCount, NightRun
from reconcile.trends import count_findings
from tests.web.seeding import NEWEST, NIGHTS

EDUCATION = "3701001"


@pytest.fixture
def counted(db):
    """The findings of every run counted, as settling does; in the newest night a lead as well."""
    with db.write() as session:
        runs = session.scalars(select(NightRun).order_by(NightRun.id)).all()
        for run in runs:
            count_findings(session, run.id)
        lead = {"rule": "F06", "severity": "S1", "division_code": "370100", "unit_code": EDUCATION, "findings": 9}
        session.add(FindingCount(run_id=runs[-1].id, **lead))
    return runs


def test_a_unit_has_its_findings_rule_by_rule_and_no_lead_among_them(api, browser, counted):
    points = api("officer").get(f"/api/v1/units/{EDUCATION}/trend").json["points"]
    assert points[-1]["as_of"] == NEWEST.isoformat()
    assert points[-1]["by_rule"] == {"F01": 1, "F09": 1, "Q02": 1, "Q03": 1}
    assert points[-1]["findings"] == 4
    page = browser("officer").get(f"/units/{EDUCATION}").get_data(as_text=True)
    assert "各规则每夜的不符项数" in page
    assert "三数不符</span></th>" in page


def test_a_level_has_the_findings_of_its_units(api, counted):
    answer = api("auditor").get("/api/v1/trends").json
    newest = {row["level"]: row["findings"] for row in answer["levels"] if row["as_of"] == NEWEST.isoformat()}
    # Of the city's: four, sixty and two of the school, one of the services; counties: one, one, one.
    assert newest == {"CITY": 67, "COUNTY": 3, "TOWNSHIP": 0}
    assert "F06" not in answer["nights"][-1]["findings"]
    school = api("auditor").get("/api/v1/units/3701002/trend").json["points"][-1]["by_rule"]
    assert school == {"F02": 61, "F05": 1}


def test_the_days_may_be_chosen_and_the_charts_follow(api, browser, counted):
    day = NIGHTS[1].isoformat()
    nights = api("auditor").get(f"/api/v1/trends?since={day}&until={day}").json["nights"]
    assert [(night["as_of"], night["run_no"]) for night in nights] == [(day, 2)]
    unit = api("auditor").get(f"/api/v1/units/{EDUCATION}/trend?until={day}").json["points"]
    assert [point["as_of"] for point in unit] == [NIGHTS[0].isoformat(), day]
    page = browser("auditor").get(f"/trends?since={day}&until={day}").get_data(as_text=True)
    assert f"{day} 至 {day}，共 1 夜" in page
    assert f"since={day}&amp;until={day}" in page
    assert "这段时间没有结转过的夜次" in browser("auditor").get("/trends?until=2020-01-01").get_data(as_text=True)


@pytest.mark.parametrize(("asked", "sentence"), [
    ("since=2026-11-22&until=2026-11-20", "止日早于起日"), ("since=yesterday", "日期须写成 YYYY-MM-DD"),
])  # fmt: skip
def test_days_that_make_no_sense_are_refused_in_words(browser, asked, sentence):
    for path in ("/trends", "/trends/chart.svg"):
        answer = browser("auditor").get(f"{path}?{asked}")
        assert answer.status_code == 422
        assert sentence in answer.get_data(as_text=True)
