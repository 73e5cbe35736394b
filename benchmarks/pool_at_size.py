"""A ledger of any size written in bulk, valid in every proof, and how long the proof and a page of usable() take on it."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import Engine, insert

from benchmarks.pool_lives import DOCUMENT, FORM, PURPOSE, TYPE, live, lot_row
from core.audit import AuditEvent
from core.db import WRITE, engine_for, reading, writing
from core.migrate import upgrade
from pool import entries
from pool.ledger import Cell, Entry, Key, Lot
from pool.models import (
    PoolBalance,
    PoolDocument,
    PoolEntry,
    PoolLoan,
    PoolLot,
    PoolMovement,
    PoolNode,
    PoolRequest,
    PoolRequestStep,
    PoolSlot,
    PoolSlotEvent,
    PoolSum,
)
from pool.posting import GENESIS, movement_hash
from pool.proof import prove_pool
from pool.store import cell_figures
from pool.tree import Node, surpluses

FIRST = datetime(2020, 1, 6, 2, 0, tzinfo=UTC)
CELL = (TYPE, FORM)
BATCH = 20_000
PAGE = 100


@dataclass
class Bulk:
    """Rows waiting to be written, and what they add up to."""

    rows: dict[type, list[dict]] = field(default_factory=lambda: defaultdict(list))
    balance: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    seq: int = 0
    previous: str = GENESIS

    def move(self, kind: str, legs: list[Entry], posts: int, day: date, **columns: object) -> int:
        """One movement with its entries and its audit event."""
        self.seq += 1
        row = dict.fromkeys(
            ("from_holder", "to_holder", "document_no", "central_no", "source", "request_no", "loan_no", "slot_no",
             "rests_on", "reverses")
        )  # fmt: skip
        row |= {"seq": self.seq, "kind": kind, "effective_date": day, "booked_at": FIRST, "actor": "bulk",
                "post_type": TYPE, "fund_form": FORM, "purpose": "", "posts": posts} | columns  # fmt: skip
        row["previous_hash"], row["hash"] = self.previous, movement_hash(self.previous, row, legs)
        self.previous = row["hash"]
        self.rows[PoolMovement].append(row)
        for line, (key, count) in enumerate(legs, 1):
            self.balance[key] += count
            self.rows[PoolEntry].append(
                {**key._asdict(), "movement_seq": self.seq, "line": line, "posts": count, "effective_date": day}
            )
        if "request_no" not in columns:
            self.trail(f"pool_{kind.lower()}", f"pool movement {self.seq}")
        return self.seq

    def trail(self, action: str, subject: str) -> None:
        number = len(self.rows[AuditEvent]) + self.written.get(AuditEvent, 0) + 1
        self.rows[AuditEvent].append({
            "seq": number, "at": FIRST, "actor": "bulk", "action": action, "subject": subject, "details": "{}",
            "previous_hash": f"{number - 1:064d}", "hash": f"{number:064d}",
        })  # fmt: skip

    written: dict[type, int] = field(default_factory=dict)

    def flush(self, connection) -> None:
        """Write what waits, parents first."""
        order = (PoolDocument, PoolNode, PoolRequest, PoolMovement, PoolEntry, PoolLot, PoolRequestStep, PoolLoan, PoolSlot,
                 PoolSlotEvent, AuditEvent, PoolBalance, PoolSum)  # fmt: skip
        for table in order:
            rows = self.rows[table]
            if rows:
                connection.execute(insert(table.__table__), rows)
                self.written[table] = self.written.get(table, 0) + len(rows)
                rows.clear()


def _nodes(bulk: Bulk, units: int) -> list[str]:
    """A province of twenty counties and its units."""
    row = {"unit_code": None, "parent_id": None, "created_on": FIRST.date(), "kind": "DIVISION"}
    bulk.rows[PoolNode].append(
        row | {"id": "PROVINCE:990000", "level": "PROVINCE", "division_code": "990000", "name": "省"}
    )
    for county in range(20):
        bulk.rows[PoolNode].append(row | {
            "id": f"COUNTY:9901{county:02d}", "level": "COUNTY", "division_code": f"9901{county:02d}", "name": "县",
            "parent_id": "PROVINCE:990000",
        })  # fmt: skip
    for number in range(units):
        bulk.rows[PoolNode].append({
            "id": f"U:V{number}", "kind": "UNIT", "unit_code": f"V{number}", "level": "COUNTY", "created_on": FIRST.date(),
            "division_code": f"9901{number % 20:02d}", "name": "单位", "parent_id": f"COUNTY:9901{number % 20:02d}",
        })  # fmt: skip
    return [f"U:V{number}" for number in range(units)]


def write_ledger(engine: Engine, units: int, movements: int) -> int:
    """Bulk rows of a whole history; returns how many movements."""
    bulk, day = Bulk(), FIRST.date()
    bulk.rows[PoolDocument].append(
        {"doc_no": DOCUMENT, "doc_date": day, "registered_by": "bulk", "registered_at": FIRST}
    )
    holders, lots = _nodes(bulk, units), {}
    with engine.execution_options(**{WRITE: True}).begin() as connection:
        for holder in holders:
            legs = entries.grant(Cell(holder, *CELL), 40, 20)
            bulk.move("GRANT", legs, 40, day, to_holder=holder, document_no=DOCUMENT)
        for county in range(20):
            node = f"COUNTY:9901{county:02d}"
            lot = Lot(bulk.seq + 1, Cell(node, *CELL), PURPOSE)
            bulk.move("DEPOSIT", entries.deposit(None, lot, 100_000), 100_000, day, to_holder=node, document_no=DOCUMENT,
                      source="TOTAL_SLICE", purpose=PURPOSE)  # fmt: skip
            bulk.rows[PoolLot].append(lot_row(lot, node, "TOTAL_SLICE", day))
            lots |= {holder: lot for number, holder in enumerate(holders) if number % 20 == county}
        for _ in live(bulk, holders, lots, movements, FIRST):
            if len(bulk.rows[PoolEntry]) > BATCH:
                bulk.flush(connection)
        bulk.rows[PoolBalance] = [{**key._asdict(), "posts": posts} for key, posts in bulk.balance.items()]
        bulk.rows[PoolSum] = _sums(bulk, holders)
        bulk.flush(connection)
    return bulk.seq


def _sums(bulk: Bulk, holders: list[str]) -> list[dict]:
    rows = []
    for purpose in ("", PURPOSE):
        own: dict[str, int] = defaultdict(int)
        for key, posts in bulk.balance.items():
            if key.account in ("idle", "lent"):
                own[key.holder] += posts
            if key.account == "borrowed" and posts > 0:
                own[key.holder] -= posts
        tree = {"PROVINCE:990000": Node("PROVINCE:990000", None)}
        for county in range(20):
            node = f"COUNTY:9901{county:02d}"
            tree[node] = Node(node, "PROVINCE:990000", own[node])
        for number, holder in enumerate(holders):
            tree[holder] = Node(holder, f"COUNTY:9901{number % 20:02d}", own[holder], 0)
        rows += [
            {"node_id": node, "post_type": CELL[0], "fund_form": CELL[1], "purpose": purpose, "own": own[node], "lends": 0,
             "surplus": surplus} for node, surplus in surpluses(tree).items()
        ]  # fmt: skip
    return rows


def proof_seconds(url: str) -> float:
    """How long the proof takes in this process, its code loaded. A process of its own, as the night and `bianzhi verify`
    are: the one that wrote the ledger keeps its memory."""
    with reading(engine_for(url)) as session:
        start = time.perf_counter()
        proofs = prove_pool(session)
        seconds = time.perf_counter() - start
    broken = [f"{proof.name}: {proof.broken}" for proof in proofs if not proof.holds]
    assert not broken, broken
    return seconds


def measure_size(engine: Engine, units: int, movements: int) -> Iterator[str]:
    """Lines of figures: the proof (twice), and usable() of a page."""
    upgrade(engine)
    start = time.perf_counter()
    count = write_ledger(engine, units, movements)
    yield f"{units} units, {count} movements written in {time.perf_counter() - start:.0f} s"
    with writing(engine) as session:
        session.connection().exec_driver_sql("ANALYZE")
    if engine.dialect.name == "sqlite":  # written in one go, all of it lies in the log; an office's ledger never does
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    url = engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        for turn in ("cold", "warm"):
            yield f"proof of {count} movements, {turn}: {beside.submit(proof_seconds, url).result():.1f} s"
    on, times = date(2026, 10, 20), []
    for turn in range(20):
        page = [f"U:V{(turn * PAGE + number) % units}" for number in range(PAGE)]
        start = time.perf_counter()
        with reading(engine) as session:
            assert len(cell_figures(session, page, on)) == PAGE
        times.append(time.perf_counter() - start)
    yield f"usable() of {PAGE} cells: median {statistics.median(times) * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms"
