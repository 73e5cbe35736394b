"""What templates can say: words, numbers, dates and moments in the reader's language, and where they are."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import format_date, format_datetime, format_decimal
from flask_babel import gettext as _
from markupsafe import Markup

from core.permissions import Permission
from pool.models import PoolNode
from web import session as sessions
from web import words
from web.evidence import about
from web.i18n import TAGS, translate

# The bar at the top: endpoint, source string, permission. Shown to those who have the permission.
NAVIGATION = (
    ("overview", "今夜总览", Permission.SEE_FIGURES),
    ("flags", "不符项", Permission.SEE_FLAGS),
    ("units", "单位", Permission.SEE_FIGURES),
    ("pool", "周转池", Permission.SEE_POOL),
    ("staffing", "用编", Permission.SEE_STAFFING),
    ("certificates", "证书", Permission.SEE_PAPERS),
    ("trends", "趋势", Permission.SEE_FIGURES),
    ("nights", "夜次", Permission.SEE_NIGHTS),
    ("mails", "邮件", Permission.SEE_MAILS),
    ("accounts", "账号", Permission.MANAGE_ACCOUNTS),
    ("desk", "工作台", Permission.SEE_FIGURES),
    ("duties", "职责标准", Permission.SEE_DUTIES),
)
HOME_OF = {
    "flag": "flags", "unit": "units", "night": "nights", "mail": "mails", "account": "accounts",
    **dict.fromkeys(
        ("pool_units", "pool_unit", "pool_ledger", "pool_requests", "pool_wish", "pool_request", "pool_returns", "pool_loan",
         "pool_matrix", "pool_acts", "pool_act", "pool_what_if", "pool_delegations"), "pool",
    ),
    **dict.fromkeys(
        ("staffing_units", "staffing_unit", "staffing_plans", "staffing_plan_new", "staffing_plan", "staffing_talks",
         "staffing_talk", "staffing_uses", "staffing_use_new", "staffing_use", "staffing_slots", "staffing_slot",
         "staffing_notices", "staffing_blocks", "staffing_waivers", "staffing_new", "staffing_split",
         "staffing_differences"), "staffing",
    ),
    **dict.fromkeys(("certificate", "documents", "document_new", "document"), "certificates"),
    **dict.fromkeys(
        ("reports", "report_period", "report", "rectifications", "rectification", "rectification_notice", "referrals",
         "referral", "referral_letter", "tip_offs", "tip_off_case", "tip_off_contact", "lookup_codes"), "desk",
    ),
    **dict.fromkeys(
        ("duties_unit", "duties_checks", "duties_standards", "duties_import", "duties_reforms", "duties_reform"), "duties",
    ),
}  # fmt: skip


def register(app: Flask) -> None:
    """Filters and globals of every template."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        word=lambda identifier, vocabulary: words.word(vocabulary, identifier),
        spelled=words.spelled,
        about=about,
        number=number,
        day=day,
        moment=moment,
        rate=rate,
        said=translate,
        place=place,
    )
    app.jinja_env.globals.update(
        form_token=form_token, may=may, with_query=with_query, vocabularies=words.VOCABULARIES, language_tags=TAGS
    )
    app.context_processor(_surroundings)


def _surroundings() -> dict[str, Any]:
    items = [
        (endpoint, _(label), HOME_OF.get(request.endpoint or "", request.endpoint) == endpoint)
        for endpoint, label, permission in NAVIGATION
        if may(permission)
    ]
    return {"viewer": g.get("viewer"), "navigation": items}


def may(permission: Permission | str) -> bool:
    """Whether the person at the page has the permission anywhere."""
    scope = g.get("scope")
    return scope is not None and scope.may(Permission(permission))


def form_token() -> Markup:
    """The hidden field every form begins with."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(sessions.FORM_FIELD, sessions.csrf_token())


def place(node: PoolNode | None) -> str:
    """A node of the pool's tree: a unit by its name, a division by level and code."""
    if node is None:
        return "—"
    return node.name if node.kind == "UNIT" else f"{words.word('level', node.level)} {node.division_code}"


def number(value: int | None) -> str:
    """A count with its separators; unknown is a dash, never 0."""
    return "—" if value is None else format_decimal(value)


def rate(part: int | None, whole: int | None) -> str:
    """part ÷ whole in percent with one decimal; a dash where either is unknown or the whole is 0."""
    if part is None or not whole:
        return "—"
    return format_decimal(round(100 * part / whole, 1), format="#,##0.0") + "%"


def day(value: date | None) -> str:
    """A date as officials write it."""
    return "—" if value is None else format_date(value, "yyyy-MM-dd")


def moment(value: datetime | None) -> str:
    """An instant in the portal's time zone."""
    return "—" if value is None else format_datetime(value, "yyyy-MM-dd HH:mm")


def with_query(**changes: object) -> str:
    """This page's address with some query values changed; None and '' take one out."""
    values: dict[str, object] = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in values.items() if value not in (None, "")}
    return url_for(request.endpoint or "home", **(request.view_args or {}), **kept)
