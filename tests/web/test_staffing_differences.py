"""与名册不同 on the web: what each side says, since when, what to do; in every language, within the scope."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.accounts import LOCALES, get_user
from night.own_difference import SCHEMA, Difference
from night.places import snapshot_dir
from reconcile.store import newest_run, night_run
from tests.web.pool_seeding import BUREAU, HEALTH
from tests.web.seeding import NEWEST, NIGHTS
from tests.web.test_pages import check
from tests.web.test_pool_pages import said

LEFT = Difference(
    "EXIT_UNREGISTERED", "370100", BUREAU, "ADMIN", "FULL", "2026-10-20", None, "key-one", "3701**********0011",
    NEWEST - timedelta(days=3), "roster.csv", 12,
)  # fmt: skip
QUOTA = Difference(
    "QUOTA_DIFFERS", "370100", BUREAU, "ADMIN", "FULL", "CERTIFICATE=85", "CERTIFICATE=86", file="e.csv", row=3
)
OTHER = Difference(
    "ENTRY_MISSING", "370100", HEALTH, "ADMIN", "FULL", None, "BZ2026-000009 2026-10-20", "k", "3701**********0022"
)


@pytest.fixture
def nights(db, portal_settings):
    """Two nights saw the exit, the newest alone the rest."""

    def write(run, rows) -> None:
        folder = snapshot_dir(portal_settings, run)
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.Table.from_pylist([vars(row) for row in rows], schema=SCHEMA), folder / "own_difference.parquet"
        )

    with db.read() as session:
        write(newest_run(session), [LEFT, QUOTA, OTHER])
        write(night_run(session, NIGHTS[-2]), [LEFT])


@pytest.mark.parametrize("locale", LOCALES)
def test_the_list_says_both_sides_since_when_and_what_to_do(browser, db, nights, locale):
    with db.write() as session:
        get_user(session, "reviewer").locale = locale
    person = browser("reviewer")
    page = said(person.get("/staffing/differences"))
    check(page, locale)
    for text in ("3701**********0011", "roster.csv", BUREAU, HEALTH, "P05", "Q07"):
        assert text in page
    assert "exit-person" in page
    assert "CERTIFICATE" not in page.split("<main")[1]


def test_a_difference_counts_from_the_first_night_that_saw_it(api, nights):
    items = api("reviewer").get("/api/v1/staffing/differences").json["items"]
    assert {row["kind"]: row["since"] for row in items} == {
        "EXIT_UNREGISTERED": str(NIGHTS[-2]), "QUOTA_DIFFERS": str(NEWEST), "ENTRY_MISSING": str(NEWEST),
    }  # fmt: skip
    assert all(row["to_do"] for row in items)


def test_a_unit_sees_its_own_differences_alone_and_its_page_leads_there(browser, nights):
    officer = browser("officer")
    page = said(officer.get("/staffing/differences"))
    assert BUREAU in page
    assert HEALTH not in page
    assert "报送的批次与用编登记有 2 处不同" in said(officer.get(f"/staffing/units/{BUREAU}"))
    for path in ("/staffing/differences?kind=QUOTA_DIFFERS", f"/staffing/differences?unit={BUREAU}&kind=QUOTA_DIFFERS"):
        assert "3701**********0011" not in said(officer.get(path))
    assert "没有不同之处" in said(officer.get(f"/staffing/differences?unit={HEALTH}"))
