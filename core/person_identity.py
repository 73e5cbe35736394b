"""The one table that holds full identity numbers, sealed: of people who have findings, and of those our own gate has put
on a post (decisions 0004, 0012)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import String, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.errors import InputRejected
from core.identity import id_problem, keyed, mask_id, normalise_id
from core.sealing import Sealer
from core.types import IdType


class PersonIdentity(Base):
    """The full number of a person who has findings or holds a post by our gate, sealed; the only table that has any."""

    __tablename__ = "person_identity"
    person_key: Mapped[str] = mapped_column(String(32), primary_key=True)
    sealed: Mapped[bytes]


def identity_sealer(person_key: str) -> Sealer:
    """What seals the rows of the table; the context of a row is its person_key."""
    return Sealer(person_key, "person identity")


@dataclass(frozen=True)
class Person:
    """A person as a use-case may know one: keyed hash, mask, and the number sealed. No raw number travels."""

    key: str
    mask: str
    sealed: bytes


def person_of(raw: str, secret: str, id_type: str = IdType.RESIDENT) -> Person:
    """A person from a number as typed. secret: the PERSON_KEY. Errors: InputRejected, which never shows the number."""
    if id_type not in set(IdType):
        raise InputRejected("没有这种证件类型。", field="id_type")
    number = normalise_id(raw, id_type)
    problem = id_problem(number, id_type)
    if problem is not None:
        raise InputRejected(f"证件号码无效（{problem.value}）。", field="person_id")
    key = keyed(secret, number)
    return Person(key, mask_id(number), identity_sealer(secret).seal(number.encode(), key))


def keep_person(session: Session, person: Person) -> None:
    """Put the sealed number into the table, once."""
    held = select(PersonIdentity.person_key).where(PersonIdentity.person_key == person.key)
    if session.scalar(held) is None:
        session.execute(insert(PersonIdentity), [{"person_key": person.key, "sealed": person.sealed}])


def numbers_of(session: Session, keys: Iterable[str], secret: str) -> dict[str, str]:
    """Numbers of the people the table holds, by key. Errors: Unavailable when another key sealed one."""
    sealer, wanted, found = identity_sealer(secret), sorted(set(keys)), {}
    for start in range(0, len(wanted), 5_000):
        rows = session.execute(
            select(PersonIdentity.person_key, PersonIdentity.sealed).where(
                PersonIdentity.person_key.in_(wanted[start : start + 5_000])
            )
        )
        found |= {row.person_key: sealer.open(row.sealed, row.person_key).decode() for row in rows}
    return found
