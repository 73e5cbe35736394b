"""The full identity number behind a flag: for a reviewer, on a reason, once per asking."""

from __future__ import annotations

from flask import current_app, g, render_template, request

from reconcile.identities import show_identity

ENDPOINTS = ("flag_identity",)


def show_flag_identity(key: str) -> str:
    """The numbers, on a page that no cache keeps; the guard has asked for the form's token, the trail has its event."""
    settings = current_app.config["SETTINGS"]
    numbers = show_identity(g.db, key, g.scope, request.form.get("reason", ""), settings.person_key, g.now)
    return render_template("identity.html", flag=g.flag, numbers=numbers)
