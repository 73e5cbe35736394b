"""The outbox, for the administrator: what was queued, what left, and one mail as its reader sees it."""

from __future__ import annotations

from flask import Response, g, make_response, render_template
from sqlalchemy import func, select

from core.errors import NotFound
from core.outbox import OutboxMail
from web.errors import SENTENCES
from web.pages.flags import page_asked
from web.security import MAIL_CSP

ENDPOINTS = ("mails", "mail", "mail_body")
PAGE = 50


def show_mails() -> str:
    """The newest first."""
    page = page_asked()
    total = g.db.scalar(select(func.count(OutboxMail.id)))
    waiting = g.db.scalar(select(func.count(OutboxMail.id)).where(OutboxMail.sent_at.is_(None)))
    listed = g.db.scalars(select(OutboxMail).order_by(OutboxMail.id.desc()).limit(PAGE).offset((page - 1) * PAGE)).all()
    return render_template(
        "mails.html", mails=listed, total=total, waiting=waiting, page=page, page_count=max(1, -(-total // PAGE))
    )


def show_mail(mail_id: int) -> str:
    """One mail: its envelope here, its body in a frame of its own."""
    return render_template("mail.html", mail=_mail(mail_id))


def show_mail_body(mail_id: int) -> Response:
    """The body as delivered, in a sandbox: no script, no form, nothing loaded from elsewhere."""
    response = make_response(_mail(mail_id).html)
    response.headers["Content-Security-Policy"] = MAIL_CSP
    return response


def _mail(mail_id: int) -> OutboxMail:
    mail = g.db.get(OutboxMail, mail_id)
    if mail is None:
        raise NotFound(SENTENCES[404])
    return mail
