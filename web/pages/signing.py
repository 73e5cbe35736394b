"""Coming and going: sign in, sign out, language, and one's own account."""

from __future__ import annotations

from flask import Response, current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.accounts import LOCALES, ApiToken, issue_token, revoke_token, set_password, verify_password
from core.audit import record
from core.errors import InputRejected
from core.permissions import Permission
from web import session as sessions
from web.auth import SignInRefused, safe_next, sign_in
from web.i18n import COOKIE
from web.templating import may

ENDPOINTS = ("login", "logout", "language", "home", "me", "my_language")
LANGUAGE_AGE = 365 * 24 * 3600
# Pages anybody may see: a visitor who chooses a language there stays there.
OPEN_PAGES = ("/verify", "/public", "/tip-off", "/my-record")


def show_home() -> Response:
    """Where a person starts: those who see figures at the overview, an administrator at the nights."""
    return redirect(url_for("overview" if may(Permission.SEE_FIGURES) else "nights"), code=303)


def show_login() -> Response | tuple[str, int]:
    """The form, and the answer to it. A visitor already signed in goes on."""
    target = safe_next(request.args.get("next"))
    if request.method == "GET":
        if g.user is not None:
            return redirect(target or url_for("home"), code=303)
        return _login_form(target, "", None), 200
    sessions.check_form()
    login, password = request.form.get("login", "")[:64], request.form.get("password", "")
    throttle, address = current_app.extensions["bianzhi_throttle"], request.remote_addr or "-"
    throttle.admit(address, g.now)
    try:
        _user, sid = sign_in(current_app.extensions["bianzhi_engine"], login, password, g.now)
    except SignInRefused as error:
        return _login_form(target, login, _(error.message)), error.http_status
    throttle.forgive(address)
    g.new_visit = None
    response = make_response(redirect(target or url_for("home"), code=303))
    sessions.keep_cookie(response, sid)
    return response


def _login_form(target: str | None, typed: str, problem: str | None) -> str:
    return render_template("login.html", next=target, typed=typed, problem=problem)


def show_logout() -> Response:
    """End this session in the table, so that a copy of the cookie is worth nothing."""
    sessions.end(g.db, g.visit, g.now)
    record(g.db, actor=g.user.login, action="signed_out", subject=g.user.login, now=g.now)
    response = make_response(redirect(url_for("login"), code=303))
    sessions.drop_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def show_language() -> Response:
    """A visitor's language; a signed-in person's is part of the account."""
    chosen = request.args.get("to", "")
    target = safe_next(request.args.get("next"))
    stays = target is not None and any(target == page or target.startswith(f"{page}/") for page in OPEN_PAGES)
    response = make_response(redirect(target if stays else url_for("login", next=target), code=303))
    if chosen in LOCALES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(COOKIE, chosen, max_age=LANGUAGE_AGE, secure=secure, httponly=True, samesite="Lax")
    return response


def show_my_language() -> Response:
    """Change the language of one's pages and mails."""
    chosen = request.form.get("locale", "")
    if chosen not in LOCALES:
        raise InputRejected("没有这种界面语言")
    g.user.locale = chosen
    return redirect(safe_next(request.form.get("next")) or url_for("home"), code=303)


def show_me() -> Response | str:
    """One's own account: password, mail, tokens."""
    if request.method == "GET":
        return _my_page()
    act = request.form.get("act", "")
    if act == "password":
        return _change_password()
    if act == "mail":
        g.user.wants_mail = request.form.get("wants_mail") == "yes"
        flash(_("已保存。"), "done")
    elif act == "token":
        token = issue_token(g.db, g.user, label=request.form.get("label", ""), actor=g.user.login, now=g.now)
        return _my_page(token=token)
    elif act == "revoke":
        revoke_token(g.db, g.user, request.form.get("token_id", 0, int), actor=g.user.login, now=g.now)
        flash(_("令牌已作废。"), "done")
    else:
        raise InputRejected("没有这一项操作。")
    return redirect(url_for("me"), code=303)


def _my_page(token: str | None = None) -> str:
    tokens = g.db.query(ApiToken).filter_by(user_id=g.user.id, revoked_at=None).order_by(ApiToken.id).all()
    return render_template("me.html", user=g.user, tokens=tokens, token=token)


def _change_password() -> Response:
    """Needs the present password; every other session of the person ends, this one goes on under a new id."""
    if not verify_password(g.user, request.form.get("present", "")):
        raise InputRejected("现在的密码不正确。")
    if request.form.get("password", "") != request.form.get("again", ""):
        raise InputRejected("两次输入的新密码不一致。")
    set_password(g.db, g.user, request.form["password"], actor=g.user.login, now=g.now)
    response = make_response(redirect(url_for("me"), code=303))
    sessions.keep_cookie(response, sessions.start(g.db, g.user, g.now))
    flash(_("密码已更改，其他地方的登录已全部退出。"), "done")
    return response
