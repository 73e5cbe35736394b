"""Every person key in the database made anew with another PERSON_KEY, so that the same mismatch stays the same flag.

One transaction, opened by the edge. What cannot follow stays as evidence under the old key: snapshots, their signed
manifests, mails that were sent, the audit chain (decision 0004).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import Refused
from core.identity import keyed
from core.key_mark import put_mark
from reconcile.findings import flag_key, grain_text
from reconcile.identities import identity_sealer, persons_of
from reconcile.models import FindingRow, Flag, PersonIdentity
from reconcile.settle import lock_flags

CHUNK = 5_000
_PERSON = re.compile(r"\b[0-9a-f]{32}\b")
_FLAG = re.compile(r"\b[A-Z][0-9]{2}-[0-9a-f]{20}\b")
TEXTS = ("explained_by", "evidence")


@dataclass
class Names:
    """Old names and what they become: person keys, and keys of flags whose grain holds one."""

    persons: dict[str, str]
    flags: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def person(self, key: str) -> str:
        if key not in self.persons:
            self.unknown.add(key)
        return self.persons.get(key, key)

    def grain(self, grain: str) -> str:
        """A grain with its person key, or its two in text order, made anew."""
        persons = persons_of(grain)
        if not persons:
            return grain
        return grain_text(**json.loads(grain) | {"person_key": ";".join(sorted(map(self.person, persons)))})

    def text(self, text: str | None) -> str | None:
        """A text with every key in it made anew; a list of flags stays in text order."""
        if text is None:
            return None
        text = _PERSON.sub(lambda found: self.persons.get(found[0], found[0]), text)
        text = _FLAG.sub(lambda found: self.flags.get(found[0], found[0]), text)
        if not text.startswith('["'):
            return text
        return json.dumps(sorted(json.loads(text)), ensure_ascii=False, separators=(",", ":"))


def rekey(session: Session, old: str, new: str, now: datetime, actor: str) -> dict[str, int]:
    """Re-key flags, findings and identities, and note the new key as the one in force; answers with counts.

    Errors: Refused when a person's number is not kept, so that their flags could not be found again.
    """
    lock_flags(session, whole=True)
    numbers = _numbers(session, old)
    names = Names({key: keyed(new, number) for key, number in numbers.items()})
    counts = {"flags": _rekey_flags(session, names), "findings": _rekey_findings(session, names)}
    if names.unknown:
        raise Refused(
            f"{len(names.unknown)} people have findings, but their numbers are not kept; run the nights of those findings "
            "again, then rotate",
            people=len(names.unknown),
        )
    session.execute(delete(PersonIdentity))
    sealer = identity_sealer(new)
    fresh = [(names.persons[key], number) for key, number in numbers.items()]
    _each(
        session, fresh, lambda part: insert(PersonIdentity),
        lambda row: {"person_key": row[0], "sealed": sealer.seal(row[1].encode(), row[0])},
    )  # fmt: skip
    counts["identities"] = len(fresh)
    put_mark(session, new, now)
    record(session, actor=actor, action="keys_rotated", subject="PERSON_KEY", now=now, **counts)
    session.expire_all()
    return counts


def _numbers(session: Session, old: str) -> dict[str, str]:
    sealer = identity_sealer(old)
    rows = session.execute(select(PersonIdentity.person_key, PersonIdentity.sealed))
    return {row.person_key: sealer.open(row.sealed, row.person_key).decode() for row in rows}


def _each(session: Session, rows: list, statement: Callable, values: Callable) -> None:
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        session.execute(statement(part), [values(row) for row in part])


def _rekey_flags(session: Session, names: Names) -> int:
    table = Flag.__table__
    changed = []
    for row in _pages(session, table, ("rule", "grain", "key")):
        grain = names.grain(row.grain)
        if grain != row.grain:
            names.flags[row.key] = flag_key(row.rule, grain)
            changed.append({"at": row.id, "grain": grain, "key": names.flags[row.key]})
    _write(session, table, changed, ("grain", "key"))
    return len(changed)


def _rekey_findings(session: Session, names: Names) -> int:
    """Twice through: a finding may name the key of one that comes after it."""
    table = FindingRow.__table__
    for row in _pages(session, table, ("rule", "grain", "key")):
        if row.key not in names.flags and persons_of(row.grain):
            names.flags[row.key] = flag_key(row.rule, names.grain(row.grain))
    changed, count = [], 0
    for row in _pages(session, table, ("key", "grain", "person_key", *TEXTS)):
        fresh = {name: names.text(getattr(row, name)) for name in TEXTS} | {
            "key": names.flags.get(row.key, row.key),
            "grain": names.grain(row.grain),
            "person_key": names.person(row.person_key) if row.person_key else None,
        }
        if any(getattr(row, name) != value for name, value in fresh.items()):
            changed.append({"at": row.id, **fresh})
        if len(changed) == CHUNK:
            count += _write(session, table, changed, tuple(fresh))
            changed = []
    return count + _write(session, table, changed, ("key", "grain", "person_key", *TEXTS))


def _pages(session: Session, table: Table, columns: tuple[str, ...]) -> Iterator:
    """Every row, by number, a page at a time: rows already passed may be changed meanwhile."""
    last = 0
    while True:
        query = select(table.c.id, *(table.c[name] for name in columns)).where(table.c.id > last)
        rows = session.execute(query.order_by(table.c.id).limit(CHUNK)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id


def _write(session: Session, table: Table, rows: list[dict], columns: tuple[str, ...]) -> int:
    statement = (
        update(table).where(table.c.id == bindparam("at")).values({name: bindparam(f"new_{name}") for name in columns})
    )
    _each(
        session, rows, lambda part: statement,
        lambda row: {"at": row["at"]} | {f"new_{name}": row[name] for name in columns},
    )  # fmt: skip
    return len(rows)
