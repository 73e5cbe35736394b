"""Reading a long ledger in two processes: two threads would wait for each other at the interpreter's lock."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.db import WRITE, engine_for, reading
from pool.models import PoolMovement
from pool.proof_stretch import Stretch, read_stretch

STRETCH = 50_000
ALONE = 150_000  # movements read in the time another process takes to start


@contextmanager
def read_stretches(session: Session, alone: int, length: int) -> Iterator[tuple[int, Callable[[], list[Stretch]]]]:
    """Gives the last number, and a function to call for every movement up to the last, in stretches, in order; until it is called another
    process reads them by itself. alone: up to so many movements, no other process takes part. length: of a stretch."""
    seq = PoolMovement.seq
    last, count = session.execute(select(func.coalesce(func.max(seq), 0), func.count(seq))).one()
    bounds = [(start, min(start + length - 1, last)) for start in range(1, max(1, last) + 1, length)]
    if last > 2 * count + length:  # numbers far apart: most stretches would be empty
        bounds = [(1, last)]
    if last <= alone or not _is_committed(session):
        yield last, lambda: [read_stretch(session, *bound) for bound in bounds]
        return
    url = session.get_bind().url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        given = [beside.submit(_read_beside, url, *bound) for bound in bounds]
        yield last, lambda: _shared(session, given, bounds)


def _shared(session: Session, given: list[Future[Stretch]], bounds: list[tuple[int, int]]) -> list[Stretch]:
    """This process takes from the end what the other has not begun."""
    mine = {}
    for number in reversed(range(len(bounds))):
        if given[number].cancel():
            mine[number] = read_stretch(session, *bounds[number])
    return [mine.get(number) or _taken(session, given[number], bound) for number, bound in enumerate(bounds)]


def _read_beside(url: str, start: int, end: int) -> Stretch:
    with reading(engine_for(url)) as session:
        return read_stretch(session, start, end)


def _taken(session: Session, given: Future[Stretch], bound: tuple[int, int]) -> Stretch:
    """What the other process read; what it could not is read here, where it fails for all to see."""
    return read_stretch(session, *bound) if given.exception() else given.result()


def _is_committed(session: Session) -> bool:
    """Whether another process sees the same movements: they only grow, and this transaction has added none."""
    engine = session.get_bind()
    return isinstance(engine, Engine) and not engine.get_execution_options().get(WRITE) and not _in_memory(engine)


def _in_memory(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:")
