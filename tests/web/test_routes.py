"""Every route is in the table, and the table is what the portal does."""

from __future__ import annotations

import pytest

from core.accounts import Role
from core.permissions import ALLOWED
from tests.web.conftest import Browser
from tests.web.seeding import GRANTS, NEWEST, flag_of
from web.app import create_app
from web.routes import ROUTES, TABLE, Door, Scoped

FLAG = flag_of("F09", "3701001")
# An address of each page that a person with the permission gets to see, within the scope of most roles.
ADDRESSES = {
    "overview": "/overview",
    "overview_chart": "/overview/chart.svg",
    "flags": "/flags",
    "flags_export": "/flags/export.csv",
    "flag": f"/flags/{FLAG}",
    "units": "/units",
    "unit": "/units/3701001",
    "nights": "/nights",
    "night": f"/nights/{NEWEST}",
    "night_held": f"/nights/{NEWEST}/held.csv",
    "mails": "/mails",
    "mail": "/mails/1",
    "mail_body": "/mails/1/body",
    "accounts": "/accounts",
    "account": "/accounts/officer",
    "me": "/me",
    "pool": "/pool",
    "pool_chart": "/pool/chart.svg",
    "pool_units": "/pool/units?page=1",
    "pool_unit": "/pool/units/3701001",
    "pool_ledger": "/pool/nodes/U:3701001/ledger",
    "pool_requests": "/pool/requests",
    "pool_wish": "/pool/requests/new",
    "pool_request": "/pool/requests/JB2026-000002",
    "pool_returns": "/pool/returns",
    "pool_loan": "/pool/loans/JY2025-000001",
    "pool_matrix": "/pool/matrix",
    "certificates": "/certificates",
    "certificate": "/certificates/3701001",
    "documents": "/documents",
    "document_new": "/documents/new",
    "staffing": "/staffing",
    "staffing_plans": "/staffing/plans",
    "staffing_plan_new": "/staffing/plans/new",
    "staffing_talks": "/staffing/consultations",
    "staffing_uses": "/staffing/applications",
    "staffing_use_new": "/staffing/applications/new",
    "staffing_slots": "/staffing/slots",
    "staffing_notices": "/staffing/notices",
    "staffing_blocks": "/staffing/blocks",
    "staffing_waivers": "/staffing/waivers",
    "staffing_differences": "/staffing/differences",
    "staffing_units": "/staffing/units?page=1",
    "staffing_unit": "/staffing/units/3701001",
    "pool_acts": "/pool/acts",
    "pool_act": "/pool/acts/grant",
    "pool_what_if": "/pool/what-if",
    "pool_delegations": "/pool/delegations",
    "desk": "/desk",
    "tip_offs": "/desk/tip-offs",
    "lookup_codes": "/desk/lookup-codes",
    "rectifications": "/desk/rectifications",
    "rectification": f"/desk/rectifications/{FLAG}",
    "referrals": "/desk/referrals",
    "reports": "/reports",
    "duties": "/duties",
    "duties_checks": "/duties/checks",
    "duties_standards": "/duties/standards",
    "duties_import": "/duties/import",
    "duties_template": "/duties/templates/items.csv",
    "duties_unit": "/duties/units/3701001",
    "duties_reforms": "/duties/reforms",
}
# Those that name something of the unit 3701001 (or its school).
OF_THE_UNIT = (
    "rectification", "flag", "unit", "pool_unit", "pool_ledger", "pool_request", "pool_loan", "certificate", "duties_unit",
    "staffing_unit",
)  # fmt: skip
# Who sees the unit 3701001 at all (a city unit).
BLIND = {"county", "other", "county_director", "province", "small"}
ONE_UNIT = {"other", "small"}
LOGINS = [login for login in GRANTS if login != "reviewer2"]


def roles_of(login: str) -> set[Role]:
    return {Role(grant.split(":")[0]) for grant in GRANTS[login]}


def test_every_rule_of_flask_is_in_the_table_and_the_other_way_round(app):
    served = {}
    for rule in app.url_map.iter_rules():
        served.setdefault((rule.endpoint, rule.rule), set()).update(rule.methods - {"HEAD", "OPTIONS"})
    assert served == {(route.endpoint, route.path): set(route.methods) for route in TABLE}


def test_no_endpoint_stands_twice():
    assert len(ROUTES) == len(TABLE)


def test_only_signing_in_documents_health_and_what_is_public_are_open():
    assert {route.endpoint for route in TABLE if route.door is Door.OPEN} == {
        "static", "login", "language", "healthz", "readyz", "metrics",
        "openapi.doc_url", "openapi.openapi", "openapi.static",
        "swagger.swagger", "swagger.static", "swagger.oauth2-redirect",
        "verify", "verify_code", "verify_key",
        "public", "public_unit", "public_data", "public_file", "public_schema", "tip_off", "tip_off_status", "own_record",
    }  # fmt: skip


def test_every_route_that_names_a_flag_unit_or_night_says_so():
    named = {
        "<key>": Scoped.FLAG, "code>": Scoped.UNIT, "<as_of>": Scoped.NIGHT, "<node>": Scoped.POOL_NODE,
        "<number>": Scoped.POOL_REQUEST, "<loan_no>": Scoped.POOL_LOAN, "<slot_no>": Scoped.POOL_SLOT,
        "seq>": Scoped.POOL_MOVEMENT, "<doc_no>": Scoped.DOCUMENT, "file_id>": Scoped.DOCUMENT_FILE,
        "<plan_no>": Scoped.STAFF_PLAN, "<talk_no>": Scoped.STAFF_TALK, "<use_no>": Scoped.STAFF_USE,
        "<post_no>": Scoped.STAFF_POST, "notice_id>": Scoped.STAFF_NOTICE, "block_id>": Scoped.STAFF_BLOCK,
    }  # fmt: skip
    for route in TABLE:
        for part, scoped in named.items():
            if part in route.path:
                # Whoever holds a certificate's code has the certificate: that address is anybody's.
                assert route.scoped is scoped or route.endpoint == "verify_code", route


def test_every_api_route_asks_for_a_permission():
    assert all(route.permission for route in TABLE if route.door is Door.TOKEN)


def test_a_stranger_is_sent_to_sign_in_from_every_page(app):
    client = app.test_client()
    for endpoint, address in ADDRESSES.items():
        answer = client.get(address)
        assert answer.status_code == 303, endpoint
        assert answer.headers["Location"].startswith("/login?next="), endpoint


@pytest.mark.parametrize("login", LOGINS)
def test_a_role_gets_the_pages_it_may_see_and_403_elsewhere(browser, login):
    person = browser(login)
    for endpoint, address in ADDRESSES.items():
        permission = ROUTES[endpoint].permission
        allowed = permission is None or bool(roles_of(login) & ALLOWED[permission])
        unseen = endpoint in OF_THE_UNIT and login in BLIND
        expected = 404 if allowed and unseen else 200 if allowed else 403
        if expected == 200 and endpoint in ("pool_units", "staffing_units") and login in ONE_UNIT:
            expected = 303  # straight to the one unit there is
        assert person.get(address).status_code == expected, (login, endpoint)


def test_a_route_missing_from_the_table_is_not_served(portal_settings, clock):
    app = create_app(portal_settings, clock)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    person = Browser(app.test_client())
    assert person.sign_in("auditor").status_code == 303
    answer = person.get("/forgotten")
    assert answer.status_code == 500
    assert b"secret" not in answer.data
