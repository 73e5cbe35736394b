"""Certificates: the list with its states, one unit's certificate with its versions, and the notice of a movement."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.permissions import Permission, may
from core.types import LeaderTier
from staffing import shelf
from staffing.certificate_content import Change, changes_between
from staffing.certificate_lists import Listing, certificate_counts, certificate_page
from staffing.certificate_pdf import certificate_number
from staffing.certificate_store import (
    Certificate,
    certificate_due,
    checks_missing,
    checks_of,
    events_of,
    facts_of,
    state_of,
    version_of,
    versions_of,
)
from staffing.copies import copies
from staffing.documents import registered_among
from staffing.forms import quota_notice
from staffing.labels import CHECK_RESULTS
from staffing.quota_notices import quota_notice_of
from web.pages.flags import PAGE, TEXT_LIMIT
from web.papers import certificate_step, download, folder, paper_act
from web.words import word

ENDPOINTS = ("certificates", "certificate", "certificate_pdf", "certificate_step", "pool_notice")


def show_certificates() -> str:
    """Every unit of the scope with a ledger or a certificate: state, what is due, what is missing."""
    today, asked = paper_act().today, request.args.get("state")
    text = (request.args.get("q") or "").strip()[:TEXT_LIMIT]
    chosen = Listing(asked) if asked in set(Listing) else None
    page = max(request.args.get("page", 1, int), 1)
    listed, total = certificate_page(
        g.db, g.scope, today, which=chosen, text=text, limit=PAGE, offset=(page - 1) * PAGE
    )
    return render_template(
        "certificates.html", listed=listed, total=total, page=page, page_count=max(1, -(-total // PAGE)), text=text,
        chosen=chosen, counts=certificate_counts(g.db, g.scope, today),
    )  # fmt: skip


def show_certificate(code: str) -> str:
    """One unit's certificate: content, versions and what changed between them, the three copies, and what may be done."""
    today, versions = paper_act().today, versions_of(g.db, code)
    asked = request.args.get("version", type=int)
    shown = next((row for row in versions if row.version == asked), versions[0] if versions else None)
    facts = facts_of(g.db, [code], today).get(code)
    contents = {row.version: json.loads(row.content) for row in versions}
    pending = []
    if facts is not None and versions:
        pending = changes_between(contents[versions[0].version]["facts"], facts.plain())
    return render_template(
        "certificate.html", unit=g.unit, versions=versions, shown=shown, today=today,
        content=contents[shown.version] if shown else None, opened=facts is not None,
        states={row.version: state_of(g.db, row, today) for row in versions},
        changes={row.version: _changes(contents, row) for row in versions}, pending=pending,
        due=certificate_due(g.db, [code], today).get(code), check_missing=bool(checks_missing(g.db, [code], today)),
        checks=checks_of(g.db, code), events=events_of(g.db, code)[::-1], copies=copies(g.db, code, today),
        registered=registered_among(g.db, g.scope, _numbers(contents[shown.version]) if shown else ()),
        rights=_rights(), tiers=list(LeaderTier), results=list(CHECK_RESULTS), spelled=spelled_change, facts=facts,
    )  # fmt: skip


def _numbers(content: dict[str, Any]) -> list[str]:
    return [line["doc_no"] for line in content["facts"]["documents"]]


def _changes(contents: dict[int, dict[str, Any]], row: Certificate) -> list[Change]:
    before = contents.get(row.version - 1)
    return changes_between(before["facts"], contents[row.version]["facts"]) if before else []


def _rights() -> dict[str, bool]:
    """Per step, whether this person may take it for this unit."""
    roles = g.scope.roles_for(g.unit.unit_code, g.unit.division_code)
    asks = {
        "renew": Permission.RENEW_CERTIFICATE, "check": Permission.KEEP_CERTIFICATE,
        "record": Permission.KEEP_CERTIFICATE, "revoke": Permission.REVOKE_CERTIFICATE,
    }  # fmt: skip
    return {step: may(roles, permission) for step, permission in asks.items()}


def spelled_change(change: Change) -> dict[str, str]:
    """A difference in words: what, before, after."""
    what = word("certificate_field", change.what)
    if change.post_type:
        what = f"{word('post_type', change.post_type)} · {word('fund_form', change.fund_form)} {what}"
    if change.tier:
        what = f"{what} {word('leader_tier', change.tier)}"
    return {"what": what, "before": _value(change, change.before), "after": _value(change, change.after)}


def _value(change: Change, value: Any) -> str:
    if value is None or value == []:
        return "—"
    if isinstance(value, list):
        return "、".join(map(str, value))
    return word(change.what, value) if change.what in ("unit_kind", "level") else str(value)


def show_certificate_step(code: str, step: str) -> Response:
    """Renew, check, record or revoke."""
    done = certificate_step(step, code, request.form)
    if done.get("renewed") is False:
        flash(_("内容没有变化，现行版本仍然有效，没有换发。"), "done")
    else:
        flash(_("已办理。"), "done")
    return redirect(url_for("certificate", code=code), code=303)


def show_certificate_pdf(code: str) -> Response:
    """A version as it was issued, to the byte."""
    row = version_of(g.db, code, request.args.get("version", type=int))
    name = f"机构编制管理证-{certificate_number(json.loads(row.content))}.pdf"
    return download(shelf.take(folder(), row.file_sha256), name, "application/pdf")


def show_pool_notice(seq: int) -> Response:
    """核定编制通知单 of a movement."""
    notice = quota_notice_of(g.db, g.movement)
    return download(quota_notice(notice), f"核定编制通知单-{notice.notice_no}.pdf", "application/pdf")
