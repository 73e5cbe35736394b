"""Writers of one SQLite file take turns: a queue in front of the database's own lock.

SQLite lets who finds the database taken sleep in growing steps, so one writer that comes back at once may keep others
away for seconds. Here whoever waits first is served next: a first place in the queue, which one writer holds, and the turn
itself. Only for a moment after its place in the queue came up is a process let in again at once, as a bulk of writing
asks: its first write costs as much as two of those that follow. Both places are bytes of a file beside the database, which
the kernel frees when a process dies; a queue that cannot be had is no error, for the database's own lock still holds.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

FIRST, TURN = 0, 1  # bytes of the file
STEP, FIRST_STEP = 0.004, 0.0005  # seconds between two looks: of who waits, and of who is next
AGAIN = 0.05  # seconds in which a process may come back without queueing


class Turns:
    """The queue of one database, for threads and processes. One per process and database."""

    def __init__(self, path: str) -> None:
        self._threads, self._depth, self._since = threading.RLock(), 0, -AGAIN
        try:
            # Never closed: a process that closes any handle of a file gives up all its locks on it.
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            self._file = None

    @contextmanager
    def turn(self, seconds: float) -> Iterator[bool]:
        """Holds the turn for the block, a second time for who holds it already. False: it did not come within so many
        seconds, or there is no queue."""
        until = time.monotonic() + seconds
        if not self._threads.acquire(timeout=seconds):
            yield False
            return
        try:
            mine = self._depth > 0 or self._taken(until)
            self._depth += mine
            try:
                yield mine
            finally:
                self._depth -= mine
                if mine and not self._depth:
                    self._free(TURN)
        finally:
            self._threads.release()

    def _taken(self, until: float) -> bool:
        if self._file is None:
            return False
        if time.monotonic() < self._since + AGAIN and self._lock(TURN):
            return True
        if not _waited(lambda: self._lock(FIRST), until, STEP):
            return False
        try:
            mine = _waited(lambda: self._lock(TURN), until, FIRST_STEP)
        finally:
            self._free(FIRST)
        if mine:
            self._since = time.monotonic()
        return mine

    def _lock(self, byte: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:  # a file system without locks
            self._file = None
        return True

    def _free(self, byte: int) -> None:
        if self._file is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)


def _waited(taken: Callable[[], bool], until: float, step: float) -> bool:
    while not taken():
        if time.monotonic() >= until:
            return False
        time.sleep(step)
    return True


@lru_cache(maxsize=8)
def turns_of(path: str) -> Turns:
    """The queue of a database file."""
    return Turns(f"{path}-turns")


# A thread of the parent may have held the turn when this process was made: it is not here to give it back.
os.register_at_fork(after_in_child=turns_of.cache_clear)
