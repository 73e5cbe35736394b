"""Sending the outbox: one SMTP client, exactly once as far as SMTP allows.

What that means. Only one sender works at a time (a lock the operating system or PostgreSQL frees when its holder dies).
A row is claimed and committed before its mail is handed over, and marked sent in a second transaction after the server
said 250. A sender killed between the two leaves a claimed row: nobody can know whether the server took the mail, so it
is handed over again *with the same Message-ID*. The demo's sink and most mail stores keep one of two mails with one
Message-ID; a server that does not would show the mail twice, in that case only. A mail is never lost and never skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from ipaddress import ip_address
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Engine, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db import reading, writing
from core.errors import Misconfigured, Unavailable
from core.outbox import OutboxMail

SENDER_LOCK = 0x6D61696C
TIMEOUT_SECONDS = 30
LOCK_SECONDS = 120
DEFAULT_SENDER = "bianzhi@localhost"
SERVICE_CLOSING = 421
# Errors about one mail; every other one is the server's, and ends the run.
ABOUT_ONE_MAIL = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError,
)


@dataclass(frozen=True)
class Server:
    """Where mail goes. Never printed: it holds a password."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    sender: str

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


@dataclass(frozen=True)
class SendCounts:
    """sent: taken by the server now. failed: refused now, tried again next time. waiting: left in the outbox.

    problem: why sending stopped before its end (class of the error only), None when it did not.
    """

    sent: int = 0
    failed: int = 0
    waiting: int = 0
    problem: str | None = None


def parse_smtp_url(url: str) -> Server:
    """`smtp[s]://[user:password@]host[:port][?from=address]`. Errors: Misconfigured, without the URL."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == -1:
        raise Misconfigured("BIANZHI_SMTP_URL must look like smtp://host:port or smtps://user:password@host:port")
    tls = parts.scheme == "smtps"
    return Server(
        host=parts.hostname,
        port=port or (465 if tls else 25),
        tls=tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        sender=parse_qs(parts.query).get("from", [DEFAULT_SENDER])[0],
    )


def message_id(recipient: str, digest: str, as_of: date, deployment: str) -> str:
    """The same for the same mail, whoever sends it and however often. `deployment`: the portal's address."""
    mark = hashlib.sha256("\n".join([recipient, digest, as_of.isoformat(), deployment]).encode()).hexdigest()
    return f"<{mark[:32]}@bianzhi>"


def queue_mail(session: Session, mail: OutboxMail) -> bool:
    """Insert a mail unless (recipient, digest, as_of) has one; returns whether it was new. Caller's transaction."""
    columns = ("recipient", "digest", "as_of", "subject", "text", "html", "message_id", "queued_at")
    values = {name: getattr(mail, name) for name in columns} | {"attempts": 0}
    dialect = session.get_bind().dialect.name
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(OutboxMail).values(**values)
    unique = statement.on_conflict_do_nothing(index_elements=["recipient", "digest", "as_of"])
    return session.execute(unique.returning(OutboxMail.id)).one_or_none() is not None


def send_outbox(engine: Engine, smtp_url: str | None, now: datetime) -> SendCounts:
    """Hand over every waiting mail, the least often tried and oldest first. Without a URL mails stay queued.

    A refused recipient is recorded and the next one tried; a server that does not answer, or dies midway, ends the run
    (`problem`). Errors: Misconfigured; Unavailable when another sender keeps working for LOCK_SECONDS.
    """
    if smtp_url is None:
        return SendCounts(waiting=_waiting_count(engine))
    server = parse_smtp_url(smtp_url)
    counts = SendCounts()
    with sole_sender(engine), ExitStack() as closing:
        try:
            client: smtplib.SMTP | None = None
            for mail_id in _waiting(engine):
                client = client or _connect(server, closing)
                if _hand_over(engine, client, server.sender, mail_id, now):
                    counts = replace(counts, sent=counts.sent + 1)
                else:
                    counts = replace(counts, failed=counts.failed + 1)
        except OSError as error:
            counts = replace(counts, problem=_reason(error))
    return replace(counts, waiting=_waiting_count(engine))


@contextmanager
def sole_sender(engine: Engine) -> Iterator[None]:
    """Hold the one sender's lock. It is freed when its holder dies, so a claimed row met while holding it was left by
    a dead sender. Errors: Unavailable after LOCK_SECONDS."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            take = text("SELECT pg_try_advisory_lock(:key)")
            _wait(lambda: connection.scalar(take, {"key": SENDER_LOCK}))
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": SENDER_LOCK})
        return
    if not engine.url.database or engine.url.database == ":memory:":
        yield
        return
    with Path(f"{engine.url.database}.sending").open("w") as file:
        _wait(lambda: _try_file(file))
        yield


def _try_file(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(attempt: Callable[[], bool | None]) -> None:
    until = time.monotonic() + LOCK_SECONDS
    while not attempt():
        if time.monotonic() > until:
            raise Unavailable("another process is sending mail; try again later")
        time.sleep(0.2)


def _waiting(engine: Engine) -> list[int]:
    with reading(engine) as session:
        query = select(OutboxMail.id).where(OutboxMail.sent_at.is_(None))
        return list(session.scalars(query.order_by(OutboxMail.attempts, OutboxMail.id)))


def _waiting_count(engine: Engine) -> int:
    return len(_waiting(engine))


def _hand_over(engine: Engine, client: smtplib.SMTP, sender: str, mail_id: int, now: datetime) -> bool:
    """Claim, send, mark. False when this mail was refused; OSError when the server is the trouble."""
    with writing(engine) as session:
        mail = session.get_one(OutboxMail, mail_id)
        mail.claimed_at, mail.attempts = now, mail.attempts + 1
        message, recipient = _message(mail, sender), mail.recipient
    try:
        client.send_message(message, sender, [recipient])
    except OSError as error:
        _write(engine, mail_id, last_error=_reason(error))
        if isinstance(error, ABOUT_ONE_MAIL) and getattr(error, "smtp_code", None) != SERVICE_CLOSING:
            return False
        raise
    _write(engine, mail_id, sent_at=now, last_error=None)
    return True


def _write(engine: Engine, mail_id: int, **values: object) -> None:
    with writing(engine) as session:
        session.execute(update(OutboxMail).where(OutboxMail.id == mail_id).values(**values))


def _reason(error: OSError) -> str:
    """The kind of error and the server's code; its words may repeat an address or worse."""
    codes = [str(error.smtp_code)] if isinstance(error, smtplib.SMTPResponseException) else []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in error.recipients.values()})
    return " ".join([type(error).__name__, *codes])


def _connect(server: Server, closing: ExitStack) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.tls:
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    closing.callback(_quit, client)
    client.ehlo()
    if not server.tls and client.has_extn("starttls"):
        client.starttls(context=context)
        client.ehlo()
    elif not server.tls and server.user is not None and not _is_local(server.host):
        raise Misconfigured("the mail server offers no encryption; a password is not sent in the clear: use smtps://")
    if server.user is not None:
        client.login(server.user, server.password or "")
    return client


def _quit(client: smtplib.SMTP) -> None:
    with suppress(OSError):
        client.quit()


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _message(mail: OutboxMail, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("编制核对", addr_spec=sender)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = mail.queued_at
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="base64")
    message.add_alternative(mail.html, subtype="html", cte="base64")
    return message
