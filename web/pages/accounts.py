"""Accounts, for the administrator: who may get in, with which roles over what."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from core.accounts import (
    GrantSpec,
    Role,
    User,
    change_grants,
    checked_grant,
    create_user,
    disable,
    enable,
    get_user,
    grant_specs,
    set_password,
)
from core.types import Level

ENDPOINTS = ("accounts", "account", "account_act")


def show_accounts() -> Response | str:
    """Everybody with an account, and the form for one more."""
    if request.method == "GET":
        people = g.db.scalars(select(User).order_by(User.login)).all()
        grants = {user.id: grant_specs(user) for user in people}
        return render_template("accounts.html", people=people, grants=grants, roles=list(Role), levels=list(Level))
    user = create_user(
        g.db,
        login=request.form.get("login", ""),
        email=request.form.get("email", ""),
        display_name=request.form.get("display_name", ""),
        password=request.form.get("password") or None,
        grants=[_grant_of_form()],
        actor=g.user.login,
        now=g.now,
    )
    flash(_("账号已建立。"), "done")
    return redirect(url_for("account", login=user.login), code=303)


def show_account(login: str) -> str:
    """One account."""
    user = get_user(g.db, login)
    return render_template("account.html", account=user, grants=grant_specs(user), roles=list(Role), levels=list(Level))


def show_account_act(login: str, act: str) -> Response:
    """One change to an account; each ends the person's sessions where it must."""
    user, who = get_user(g.db, login), {"actor": g.user.login, "now": g.now}
    if act == "enable":
        enable(g.db, user, **who)
    elif act == "disable":
        disable(g.db, user, **who)
    elif act == "password":
        set_password(g.db, user, request.form.get("password", ""), **who)
    elif act == "grant":
        change_grants(g.db, user, [*grant_specs(user), _grant_of_form()], **who)
    else:
        kept = [grant for grant in grant_specs(user) if grant.text != request.form.get("grant")]
        change_grants(g.db, user, kept, **who)
    flash(_("已保存。"), "done")
    return redirect(url_for("account", login=user.login), code=303)


def _grant_of_form() -> GrantSpec:
    fields = {name: request.form.get(name, "").strip() or None for name in ("division_code", "level", "unit_code")}
    return checked_grant(GrantSpec(request.form.get("role", ""), **fields))
