"""A plan as the SQL of one engine. Spelling it takes seconds, so it is done once for all nights of the same parameters: the
days are a stand-in's, put right in the text, and the text is kept beside the night's other caches."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock, Thread

import ibis

import core
import expectations
import reconcile
from reconcile.rules.plan import Plan, plan
from reconcile.rules.tables import Night

# No book reaches this year; a day of it in a text is the night's. A, first and last of M are three different days.
STAND_IN = date(7001, 5, 17)
_DAY = re.compile(r"MAKE_DATE\(7001, 5, (1|17|31)\)")
# M, and months before it down to a century.
_MONTH = re.compile(r"'(69\d\d|700[01])-(\d\d)'")


class Compiled:
    """A plan spelled ahead by a thread while the engine works on what is there already.

    Spelling a plan takes as long as judging some hundred thousand people, and has a core to itself that way.
    """

    def __init__(self, ready: Plan, dialect: str) -> None:
        """Errors: whatever Ibis raises of an expression, from who waits for it."""
        self._stages = [(name, expression, Future()) for name, expression in ready.stages]
        self._outputs = [(name, expression, Future()) for name, expression in ready.outputs.items()]
        self._dialect = dialect
        self._files: list[Path] = []
        self._ended, self._lock = False, Lock()
        self._thread = Thread(target=self._spell, name="spelling", daemon=True)
        self._thread.start()

    def _spell(self) -> None:
        for _, expression, text in [*self._stages, *self._outputs]:
            try:
                text.set_result(ibis.to_sql(expression, dialect=self._dialect))
            except Exception as error:
                text.set_exception(error)
        with self._lock:
            self._ended = True
            self._write()

    def keep(self, file: Path) -> None:
        """Write the whole text to a file, as soon as it is whole; a plan that cannot be spelled is not written."""
        with self._lock:
            self._files.append(file)
            if self._ended:
                self._write()

    def _write(self) -> None:
        if not any(text.exception() for _, _, text in [*self._stages, *self._outputs]):
            for file in self._files:
                _write(file, list(self.stages), self.outputs)
        self._files.clear()

    def wait(self) -> None:
        """Until everything is spelled and kept."""
        self._thread.join()

    @property
    def stages(self) -> Iterator[tuple[str, str]]:
        """(name, SQL) in order, each as soon as it is spelled."""
        return ((name, text.result()) for name, _, text in self._stages)

    @property
    def outputs(self) -> dict[str, str]:
        """SQL by the name of the file it fills."""
        return {name: text.result() for name, _, text in self._outputs}


class Kept:
    """A plan spelled before."""

    def __init__(self, stages: list[list[str]], outputs: dict[str, str]) -> None:
        self._stages, self.outputs = stages, outputs

    @property
    def stages(self) -> Iterator[tuple[str, str]]:
        return ((name, text) for name, text in self._stages)


class Dated:
    """A plan of the stand-in with the days of one night."""

    def __init__(self, spelled: Compiled | Kept, night: Night) -> None:
        self._spelled, self._night = spelled, night

    @property
    def stages(self) -> Iterator[tuple[str, str]]:
        """(name, SQL) in order, each as soon as it is spelled."""
        return ((name, dated(text, self._night)) for name, text in self._spelled.stages)

    @property
    def outputs(self) -> dict[str, str]:
        """SQL by the name of the file it fills."""
        return {name: dated(text, self._night) for name, text in self._spelled.outputs.items()}


def dated(text: str, night: Night) -> str:
    """SQL spelled for the stand-in's night, for this one."""
    days = {"17": night.as_of, "1": night.first, "31": night.last}

    def day(found: re.Match) -> str:
        value = days[found[1]]
        return f"MAKE_DATE({value.year}, {value.month}, {value.day})"

    def month(found: re.Match) -> str:
        before = STAND_IN.year * 12 + STAND_IN.month - (int(found[1]) * 12 + int(found[2]))
        number = night.as_of.year * 12 + night.as_of.month - 1 - before
        return f"'{number // 12:04}-{number % 12 + 1:02}'"

    return _MONTH.sub(month, _DAY.sub(day, text))


def compiled_plan(night: Night, dialect: str = "duckdb", keep: Path | None = None) -> Dated:
    """The plan of a night in an engine's SQL. keep: a folder where the text waits for the next night."""
    with _ONE_AT_A_TIME:
        return Dated(_spelled(replace(night, as_of=STAND_IN), dialect, keep), night)


_ONE_AT_A_TIME = Lock()


@lru_cache(maxsize=16)
def _spelled(night: Night, dialect: str, keep: Path | None) -> Compiled | Kept:
    file = keep / f"plan-{_key(night, dialect)}.json" if keep is not None else None
    if file is not None:
        try:
            digest, text = file.read_text(encoding="utf-8").split("\n", 1)
            if digest == _digest(text):
                os.utime(file)
                kept = json.loads(text)
                return Kept(kept["stages"], kept["outputs"])
        except (OSError, ValueError):
            # Not there yet, or damaged: it is only a copy.
            pass
    spelled = _spelled_here(night, dialect)
    if file is not None:
        spelled.keep(file)
    return spelled


@lru_cache(maxsize=8)
def _spelled_here(night: Night, dialect: str) -> Compiled:
    """By this process, for whatever folders the text is to wait in."""
    return Compiled(plan(night), dialect)


def _key(night: Night, dialect: str) -> str:
    said = f"{_sources()} {night!r} {dialect}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


@cache
def _sources() -> str:
    """A hash of all the code a plan may come from: our own rooms at and below the rules, and what spells SQL."""
    found = hashlib.sha256("".join(f"{name} {version(name)} " for name in ("ibis-framework", "sqlglot")).encode())
    for room in (core, expectations, reconcile):
        root = Path(room.__file__).parent
        for path in sorted(root.rglob("*.py")):
            found.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(file: Path, stages: list[tuple[str, str]], outputs: dict[str, str]) -> None:
    """Whole or not at all; a full disk costs the copy, not the night."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    text = json.dumps({"stages": stages, "outputs": outputs}, ensure_ascii=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
        os.replace(part, file)
    except OSError:
        part.unlink(missing_ok=True)
