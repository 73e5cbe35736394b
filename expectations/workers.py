"""The files of one book judged by several processes, where that is worth starting them.

Processes, because most of the work holds Python's lock; started afresh and never forked, for the night's process has
threads. Each loads Great Expectations first, which takes seconds. This process takes its share of the files too.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import connection, current_process, get_context, parent_process

from expectations.judging import Work, write_entry
from expectations.keeping import Kept
from expectations.verdicts import DeliveredFile

# Each holds a piece of a file in memory.
MOST_PROCESSES = 4
# About how many bytes of a file take one process a second, and what another one costs before it is of use: estimates
# from a busy machine (decision 0007).
BYTES_PER_SECOND = {".csv": 15_000_000, ".parquet": 7_000_000, ".xlsx": 500_000}
START_SECONDS = 8.0


def make_entries(files: Sequence[DeliveredFile], kept: Kept, work: Work, processes: int | None = None) -> None:
    """Make the entry of every file. processes: at most so many, this one included; default: as many as pay.

    Errors: as `write_entry`, of one of the files that fail; files not begun by then are left.
    """
    # The longest first, so that nobody waits for one of them at the end.
    waiting = deque(sorted(files, key=_seconds, reverse=True))
    count = min(processes or worth([*map(_seconds, files)], len(os.sched_getaffinity(0))), len(files))
    # Other suites than a book's own stay here, and so does a process that may have no children.
    if count < 2 or work.suites is not None or current_process().daemon:
        _drain(waiting, lambda file: _make(file, kept, work))
        return
    with (
        ProcessPoolExecutor(count - 1, get_context("spawn"), _begin, (kept, work)) as pool,
        ThreadPoolExecutor(count - 1) as drivers,
    ):
        elsewhere = lambda file: pool.submit(_make_here, file).result()
        others = [drivers.submit(_drain, waiting, elsewhere) for _ in range(count - 1)]
        _drain(waiting, lambda file: _make(file, kept, work))
        for other in others:
            other.result()


def _seconds(file: DeliveredFile) -> float:
    return file.path.stat().st_size / BYTES_PER_SECOND.get(file.path.suffix.lower(), 1_000_000_000)


def worth(seconds: Sequence[float], processors: int) -> int:
    """How many processes would be done first with files that take one of them so long each."""
    longest, total = max(seconds, default=0.0), sum(seconds)
    most = min(processors, MOST_PROCESSES)
    return min(range(1, most + 1), key=lambda n: max(longest, (total + START_SECONDS * (n - 1)) / n))


def _drain(waiting: deque[DeliveredFile], make: Callable[[DeliveredFile], object]) -> None:
    """Make the entry of one file after another until none waits, for anybody."""
    while True:
        try:
            file = waiting.popleft()
        except IndexError:
            return
        try:
            make(file)
        except BaseException:
            waiting.clear()
            raise


def _make(file: DeliveredFile, kept: Kept, work: Work) -> None:
    kept.make(file, lambda path: write_entry(path, file, work))


_given: tuple[Kept, Work]


def _begin(kept: Kept, work: Work) -> None:
    """In a new process: what all its files have in common."""
    global _given
    _given = (kept, work)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A killed parent tells its children nothing, and they would wait for work for ever.
    connection.wait([parent_process().sentinel])
    os._exit(1)


def _make_here(file: DeliveredFile) -> None:
    _make(file, *_given)
