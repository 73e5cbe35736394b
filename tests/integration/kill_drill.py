"""Every step of a night killed with SIGKILL midway, then run again: the same flags, the same mails, no more.

`python -m tests.integration.kill_drill [SEED]`: a process of its own, because a fork must not inherit threads.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from core.account_import import import_accounts
from core.audit import AuditEvent
from core.db import engine_for, writing
from core.outbox import OutboxMail
from core.settings import load_settings
from core.units import UnitVersion
from demo.sink import Sink
from night.steps import ORDER, begin, perform
from pool.models import PoolSlotEvent, Strength
from pool.service_opening import plant_tree
from reconcile.models import FlagEvent, NightRun
from tests.nightkit import A, House, deliver, good_books, person_id
from tests.poolkit import Province

ACCOUNTS = """login,email,display_name,password,role,division_code,level,unit_code
shenhe,shenhe@example.org,审核,,REVIEWER,990102,COUNTY,
jingban,jingban@example.org,经办,,UNIT_OFFICER,,,007
zhuren,zhuren@example.org,主任,,DIRECTOR,990100,CITY,
"""


def make_house(tmp_path: Path, sink: Sink) -> House:
    settings = load_settings(
        {
            "BIANZHI_HOME": str(tmp_path), "BIANZHI_SECRET_KEY": "drill-secret-key" * 3,
            "BIANZHI_PERSON_KEY": "drill-person-key" * 3, "BIANZHI_SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
        }
    )  # fmt: skip
    tmp_path.mkdir(parents=True, exist_ok=True)
    house = House(settings)
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(ACCOUNTS, encoding="utf-8")
    with writing(engine_for(settings.database_url)) as session:
        import_accounts(session, accounts, actor="test", now=datetime.now(UTC))
    books = good_books(400)
    books["payroll"] = books["payroll"][:390]
    books["roster"][0]["person_id"] = person_id(0)[:15] + "000"
    deliver(house.inbox, A, "990102", **books)
    lend_one(house)
    return house


def lend_one(house: House) -> None:
    """A post borrowed that falls due soon: the night has a letter to write and a slot to turn."""
    desk = Province(engine_for(house.settings.database_url), now=datetime(2026, 9, 25, 2, tzinfo=UTC))
    with writing(desk.engine) as session:
        session.add(UnitVersion(
            unit_code="007", unit_name="单位007", division_code="990102", level="COUNTY", unit_kind="ORGAN",
            delivers="PERSONS", delivered_by="990102", seen_on=desk.today,
        ))  # fmt: skip
    desk.do(plant_tree, "shenhe")
    desk.pool("COUNTY:990102", 1, "TALENT", "shenhe", partition=("ADMIN", "FULL"))
    desk.lend(
        "007", 1, director="zhuren", reviewer="shenhe", login="jingban", post_type="ADMIN", purpose="TALENT", months=1
    )


def in_child(call) -> int:
    """Fork, do it, say how it ended. The parent must not have used Arrow's or DuckDB's threads before."""
    child = os.fork()
    if child == 0:
        try:
            engine_for.cache_clear()  # a connection must not be carried over a fork
            call()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return child


def killed_midway(call, after: float) -> None:
    child = in_child(call)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def finish(call) -> float:
    start = time.monotonic()
    _, status = os.waitpid(in_child(call), 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return time.monotonic() - start


def outcome(house: House) -> tuple:
    runs = house.query(select(NightRun.run_no, NightRun.state, NightRun.red_reasons))
    events = house.query(select(FlagEvent.flag_key, FlagEvent.move).order_by(FlagEvent.flag_key, FlagEvent.id))
    mails = house.query(select(OutboxMail.recipient, OutboxMail.digest, OutboxMail.sent_at.is_not(None)))
    slots = house.query(select(PoolSlotEvent.slot_no, PoolSlotEvent.move).order_by(PoolSlotEvent.id))
    kept = house.query(select(AuditEvent.details).where(AuditEvent.action == "pool_kept"))
    strength = house.query(select(Strength.unit_code, Strength.month, Strength.people, Strength.as_of))
    return house.keys(), *(sorted(map(tuple, rows)) for rows in (runs, events, mails, slots, kept, strength))


def load() -> None:
    """Load what takes seconds once, so that every child starts at its work."""
    import expectations.validation  # noqa: F401
    from core.parameters import DEFINITIONS
    from reconcile.engine import compiled_plan
    from reconcile.rules.tables import Night

    # Waited for: a fork must not inherit the thread that spells it.
    assert compiled_plan(Night.of(A, DEFINITIONS["allowed_post_types"].default)).outputs


def drill(tmp_path: Path, seed: int) -> None:
    """One undisturbed night, one with every step killed midway and run again: the outcomes must be equal."""
    chance = random.Random(seed)
    load()
    with Sink(tmp_path / "mails-a") as sink:
        calm = make_house(tmp_path / "calm", sink)
        run = begin(A, calm.inbox, calm.settings)
        took = [finish(lambda step=step: perform(step[0], run, step[1], calm.settings)) for step in ORDER]
        calm_mails = len(sink.mails())
        assert ("ZZ2026-000001", "REMIND") in outcome(calm)[4]
    with Sink(tmp_path / "mails-b") as sink:
        hard = make_house(tmp_path / "hard", sink)
        run = begin(A, hard.inbox, hard.settings)
        for step, seconds in zip(ORDER, took, strict=True):
            call = lambda step=step: perform(step[0], run, step[1], hard.settings)
            killed_midway(call, chance.random() * seconds)
            finish(call)
        assert len(sink.mails()) == calm_mails > 0
    assert outcome(hard) == outcome(calm)


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1_000_000)
    with tempfile.TemporaryDirectory() as name:
        drill(Path(name), number)
    print(f"seed {number}: as an undisturbed night")
