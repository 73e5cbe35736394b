"""The pages, each a function named by its endpoint; the ROUTE table gives them their addresses."""

from __future__ import annotations

from flask import Flask

from web.pages import (
    accounts,
    certificates,
    desk,
    documents,
    duties,
    flags,
    identities,
    mails,
    nights,
    overview,
    own_record,
    pool,
    pool_acts,
    pool_loans,
    pool_requests,
    public,
    reforms,
    reports,
    signing,
    staffing,
    staffing_differences,
    staffing_plans,
    staffing_slots,
    staffing_split,
    staffing_uses,
    tip_off_cases,
    tip_offs,
    trends,
    units,
    verifying,
    worklists,
)
from web.routes import ROUTES

MODULES = (
    signing,
    overview,
    flags,
    identities,
    units,
    pool,
    pool_acts,
    pool_requests,
    pool_loans,
    certificates,
    documents,
    verifying,
    staffing,
    staffing_plans,
    staffing_uses,
    staffing_slots,
    staffing_split,
    staffing_differences,
    trends,
    nights,
    mails,
    accounts,
    desk,
    public,
    tip_offs,
    tip_off_cases,
    own_record,
    reports,
    worklists,
    duties,
    reforms,
)


def register(app: Flask) -> None:
    """Give every page of the table its view."""
    for module in MODULES:
        for endpoint in module.ENDPOINTS:
            route = ROUTES[endpoint]
            view = getattr(module, f"show_{endpoint}")
            app.add_url_rule(route.path, endpoint, view, methods=list(route.methods))
