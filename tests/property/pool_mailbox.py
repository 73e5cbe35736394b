"""Mails that are lost on the way: a server that turns some away, and one that takes them all."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from random import Random

from aiosmtpd.controller import Controller
from sqlalchemy import select

from core.db import reading
from core.mail import send_outbox
from core.outbox import OutboxMail
from demo.sink import HOST, free_port
from tests.property.pool_deed import Sim


class Box:
    """Counts what arrived by message id; loses some, and hangs up on others after taking them."""

    def __init__(self, dice: Random) -> None:
        self.dice, self.loses = dice, False
        self.arrived: Counter[str] = Counter()

    async def handle_DATA(self, server, _session, envelope):
        chance = self.dice.random() if self.loses else 1.0
        if chance < 0.2:
            return "451 try again later"
        found = [line for line in envelope.content.decode().splitlines() if line.startswith("Message-ID:")]
        self.arrived[found[0].partition(":")[2].strip()] += 1
        if chance < 0.22:
            server.transport.abort()
        return "250 OK"


@contextmanager
def _served(box: Box):
    port = free_port()
    controller = Controller(box, hostname=HOST, port=port)
    controller.start()
    try:
        yield f"smtp://{HOST}:{port}"
    finally:
        controller.stop()


def lose_mails(sim: Sim, box: Box) -> None:
    """One sending through a server that loses some."""
    box.loses = True
    with _served(box) as url:
        send_outbox(sim.province.engine, url, sim.province.now)


def deliver_all(sim: Sim, box: Box) -> None:
    """One sending through a server that works; then every mail has arrived, and what was decided or found was mailed once a day."""
    box.loses = False
    with _served(box) as url:
        send_outbox(sim.province.engine, url, sim.province.now)
    with reading(sim.province.engine) as session:
        rows = session.execute(
            select(OutboxMail.message_id, OutboxMail.sent_at, OutboxMail.digest, OutboxMail.as_of)
        ).all()
    sim.same("mails not sent", [row.message_id for row in rows if row.sent_at is None], [])
    sim.same("mails that never arrived", [row.message_id for row in rows if row.message_id not in box.arrived], [])
    told = {(row.digest, row.as_of) for row in rows if row.digest.startswith(("pool_decision_", "pool_claim_"))}
    sim.same("decisions and posts found, mailed", told, sim.told)
