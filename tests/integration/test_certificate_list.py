"""The list of certificates on both databases: a page at a time, by state, and counted."""

from __future__ import annotations

from datetime import date

from core.accounts import get_user
from core.db import reading
from core.permissions import scope_of
from pool.service import grant_posts
from staffing.certificate_lists import Listing, certificate_counts, certificate_page
from staffing.certificate_store import Due, checks_missing
from staffing.certificates import revoke_certificate
from tests.integration.test_certificates import press, province, renewed  # noqa: F401  (fixtures)
from tests.poolkit import FULL, Province


def listed(place: Province, on: date, which: Listing | None = None, **page) -> tuple[list[tuple], int]:
    with reading(place.engine) as session:
        scope = scope_of(session, get_user(session, "reviewer"))
        rows, total = certificate_page(session, scope, on, which=which, **page)
        return [(row.unit.unit_code, row.state and row.state.value, row.due, row.check_missing) for row in rows], total


def test_the_list_is_paged_filtered_and_counted_by_the_database(province, press):  # noqa: F811
    for unit in ("A2", "A3"):
        province.grant(unit, 2)
        renewed(province, press, unit)
    renewed(province, press)
    province.do(revoke_certificate, "director", "A3", "登记有误")
    province.grant("B1", 1, login="reviewer3")
    province.do(grant_posts, "reviewer", "U:A2", *FULL, 1, "编委9号")
    today, late = province.today, date(2040, 1, 1)
    everything = [("A1", "VALID", None, False), ("A2", "VALID", Due.CHANGED, False), ("A3", "REVOKED", None, False)]
    assert listed(province, today) == (everything, 3)
    assert listed(province, today, limit=1, offset=1) == (everything[1:2], 3)
    assert listed(province, today, Listing.DUE) == (everything[1:2], 1)
    assert listed(province, today, Listing.REVOKED) == (everything[2:], 1)
    assert listed(province, today, text="单位A1") == (everything[:1], 1)
    assert [row[0] for row in listed(province, late, Listing.EXPIRED)[0]] == ["A1", "A2"]
    assert [row[0] for row in listed(province, late, Listing.CHECK)[0]] == ["A1", "A2", "A3"]
    with reading(province.engine) as session:
        scope = scope_of(session, get_user(session, "reviewer"))
        assert certificate_counts(session, scope, late) == {
            Listing.EXPIRED: 2, Listing.CHECK: 3, Listing.NONE: 0, Listing.REVOKED: 1,
        }  # fmt: skip
    assert checks_missing_of(province, late) == {"A1", "A2", "A3"}


def checks_missing_of(place: Province, on: date) -> set[str]:
    with reading(place.engine) as session:
        return checks_missing(session, {"A1", "A2", "A3"}, on)
