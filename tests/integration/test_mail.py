"""The outbox against real mail servers that work, refuse, hang up and die; senders that are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from core.db import engine_for, reading, writing
from core.errors import Misconfigured
from core.mail import message_id, parse_smtp_url, queue_mail, send_outbox
from core.outbox import OutboxMail
from demo.sink import HOST, Keeper, Sink, free_port, kept_mails

NOW = datetime(2026, 10, 16, 1, 0, tzinfo=UTC)
NIGHT = date(2026, 10, 15)
ROOT = Path(__file__).resolve().parents[2]


def mail(recipient: str, digest: str = "flags", as_of: date = NIGHT) -> OutboxMail:
    return OutboxMail(
        recipient=recipient, digest=digest, as_of=as_of, subject="不符项提示", text="超编：1 项", html="<p>超编：1 项</p>",
        message_id=message_id(recipient, digest, as_of, "http://portal"), queued_at=NOW,
    )  # fmt: skip


@pytest.fixture
def engine(database_url):
    return engine_for(database_url)


def queue(engine, count: int = 5) -> None:
    with writing(engine) as session:
        for number in range(count):
            assert queue_mail(session, mail(f"p{number}@example.org"))


def rows(engine):
    with reading(engine) as session:
        columns = (OutboxMail.recipient, OutboxMail.sent_at, OutboxMail.attempts, OutboxMail.last_error)
        return session.execute(select(*columns).order_by(OutboxMail.id)).all()


@contextmanager
def server(handler):
    port = free_port()
    controller = Controller(handler, hostname=HOST, port=port)
    controller.start()
    try:
        yield f"smtp://{HOST}:{port}"
    finally:
        controller.stop()


class Dying(Keeper):
    """Keeps each mail, and hangs up on the third before it says so."""

    count = 0

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        self.count += 1
        if self.count == 3:
            server.transport.abort()
        return answer


class Choosy(Keeper):
    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address == "p1@example.org":
            return f"550 no such person {address}"
        envelope.rcpt_tos.append(address)
        return "250 ok"


def test_every_mail_arrives_once_and_is_readable(engine, tmp_path):
    queue(engine)
    with Sink(tmp_path / "mails") as sink:
        assert send_outbox(engine, sink.url, NOW).sent == 5
        assert send_outbox(engine, sink.url, NOW).sent == 0
        kept = sink.mails()
    assert sorted(str(each["To"]) for each in kept) == [f"p{number}@example.org" for number in range(5)]
    assert kept[0]["Subject"] == "不符项提示"
    assert kept[0].get_body(["plain"]).get_content().strip() == "超编：1 项"
    assert "<p>超编" in kept[0].get_body(["html"]).get_content()


def test_a_mail_queued_twice_is_one_mail(engine):
    with writing(engine) as session:
        assert queue_mail(session, mail("a@example.org"))
        assert not queue_mail(session, mail("a@example.org"))
        assert queue_mail(session, mail("a@example.org", digest="books"))
        assert queue_mail(session, mail("a@example.org", as_of=date(2026, 10, 16)))


def test_a_server_that_dies_midway_is_tried_again_and_nobody_gets_two(engine, tmp_path):
    queue(engine)
    folder = tmp_path / "mails"
    with server(Dying(folder)) as url:
        first = send_outbox(engine, url, NOW)
    assert (first.sent, first.waiting, first.problem) == (2, 3, "SMTPServerDisconnected")
    assert len(kept_mails(folder)) == 3
    with Sink(folder) as sink:
        second = send_outbox(engine, sink.url, NOW)
    assert (second.sent, second.waiting, second.problem) == (3, 0, None)
    assert len(kept_mails(folder)) == 5
    assert [row.last_error for row in rows(engine)] == [None] * 5


def test_a_server_that_is_not_there_loses_nothing(engine, tmp_path):
    queue(engine, 2)
    counts = send_outbox(engine, f"smtp://{HOST}:{free_port()}", NOW)
    assert (counts.sent, counts.waiting, counts.problem) == (0, 2, "ConnectionRefusedError")
    with Sink(tmp_path / "mails") as sink:
        assert send_outbox(engine, sink.url, NOW).sent == 2


def test_a_refused_recipient_keeps_nobody_else_waiting_and_is_noted_without_its_address(engine, tmp_path):
    queue(engine)
    with server(Choosy(tmp_path / "mails")) as url:
        counts = send_outbox(engine, url, NOW)
    assert (counts.sent, counts.failed, counts.waiting, counts.problem) == (4, 1, 1, None)
    [refused] = [row for row in rows(engine) if row.sent_at is None]
    assert (refused.recipient, refused.attempts, refused.last_error) == (
        "p1@example.org",
        1,
        "SMTPRecipientsRefused 550",
    )


def test_without_a_server_mails_stay_queued(engine):
    queue(engine, 3)
    assert send_outbox(engine, None, NOW).waiting == 3
    assert {row.attempts for row in rows(engine)} == {0}


def test_two_senders_at_once_send_each_mail_once(engine, tmp_path):
    queue(engine, 20)
    with Sink(tmp_path / "mails") as sink:
        sent = []
        send = lambda: sent.append(send_outbox(engine, sink.url, NOW).sent)
        threads = [threading.Thread(target=send) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sum(sent) == 20
        assert len(sink.mails()) == 20
    assert {row.attempts for row in rows(engine)} == {1}


SENDER = """
import sys
from datetime import UTC, datetime
from core.db import engine_for
from core.mail import send_outbox
send_outbox(engine_for(sys.argv[1]), sys.argv[2], datetime.now(UTC))
"""


class Slow(Keeper):
    """Keeps a mail at once and takes its time to say so."""

    async def handle_DATA(self, server, session, envelope):
        import asyncio

        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(0.5)
        return answer


def test_a_sender_killed_between_the_mail_and_its_mark_sends_no_second_one(engine, database_url, tmp_path):
    queue(engine, 4)
    folder = tmp_path / "mails"
    with server(Slow(folder)) as url:
        sender = subprocess.Popen([sys.executable, "-c", SENDER, database_url, url], cwd=ROOT)
        deadline = time.monotonic() + 60
        while len(kept_mails(folder)) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        sender.send_signal(signal.SIGKILL)
        sender.wait(10)
    assert len([row for row in rows(engine) if row.sent_at is None and row.attempts]) == 1
    with Sink(folder) as sink:
        assert send_outbox(engine, sink.url, NOW).waiting == 0
    assert len(kept_mails(folder)) == 4


def test_an_smtp_url_is_read_and_its_password_never_shown():
    read = parse_smtp_url("smtps://u%40x:s%3Acret@mail.example.org?from=office@example.org")
    assert (read.host, read.port, read.tls, read.user, read.password, read.sender) == (
        "mail.example.org", 465, True, "u@x", "s:cret", "office@example.org",
    )  # fmt: skip
    assert "cret" not in repr(read)
    for wrong in ("http://x", "smtp://", "smtp://user:secret@h:notaport"):
        with pytest.raises(Misconfigured) as error:
            parse_smtp_url(wrong)
        assert "secret" not in str(error.value)


def test_a_password_is_not_sent_in_the_clear(engine, tmp_path):
    queue(engine, 1)
    with Sink(tmp_path / "mails") as sink, pytest.raises(Misconfigured, match="smtps"):
        # 127.1 reaches the same server, but does not read as a loopback address.
        send_outbox(engine, f"smtp://user:secret@127.1:{sink.port}", NOW)
    assert kept_mails(tmp_path / "mails") == []
