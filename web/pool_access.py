"""Who acts in the pool, for whom, and what of it an address may name: elsewhere it does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app, g, request

from core.accounts import find_user
from core.errors import Forbidden, Refused
from core.permissions import Scope, scope_of
from pool import lists
from pool.acting import Act, may_act_for

NO_DELEGATION = "没有有效的委托，不能代为办理。"


def acting_for() -> Scope | None:
    """The scope of the person acted for: the header `Acting-For`, or the field `acting_for` of a page.

    Errors: Forbidden without a delegation in force.
    """
    login = request.headers.get("Acting-For", "") if g.by_token else request.values.get("acting_for", "")
    if not login.strip():
        return None
    if "pool_acting" not in g:
        giver = find_user(g.db, login)
        if giver is None or not may_act_for(g.db, giver.login, g.user.login, act_of("").today):
            raise Forbidden(NO_DELEGATION, answer="NO_DELEGATION")
        g.pool_acting = scope_of(g.db, giver)
    return g.pool_acting


def view_scope() -> Scope:
    """Whose reach decides what is shown."""
    return acting_for() or g.scope


def act_of(client_id: str, giver: Scope | None = None) -> Act:
    """The act of this request under an idempotency key."""
    return Act(g.scope, g.now, client_id, giver, portal=current_app.config["SETTINGS"].portal_url)


def act_now(client_id: str) -> Act:
    """As `act_of`, for whomever the request names."""
    return act_of(client_id, acting_for())


def named_in(refused: Refused | None) -> set[str]:
    """Nodes a refusal names: who holds the posts, whose they are, where something would have to change."""
    details = refused.details if refused else {}
    named = {each["node"] for name in ("remedies", "holders", "pending") for each in details.get(name, ())}
    return named | {each["owner"] for each in details.get("lots", ())}


def load_node(named: Mapping[str, Any]) -> None:
    g.node = lists.seen_node(g.db, view_scope(), named["node"])


def load_request(named: Mapping[str, Any]) -> None:
    g.wish = lists.seen_request(g.db, view_scope(), named["number"])


def load_loan(named: Mapping[str, Any]) -> None:
    g.loan = lists.seen_loan(g.db, view_scope(), named["loan_no"])


def load_slot(named: Mapping[str, Any]) -> None:
    g.slot = lists.seen_slot(g.db, view_scope(), named["slot_no"])


def load_movement(named: Mapping[str, Any]) -> None:
    g.movement = lists.seen_movement(g.db, view_scope(), named["seq"])
