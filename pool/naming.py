"""更名: a unit's new name by a document, in tree and register at once; and the register kept to it while deliveries lag behind."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.permissions import Permission, is_current
from core.units import UnitVersion
from pool.acting import Act, Receipt, check_place, note_document, once, open_node, unit_node
from pool.models import PoolNode, PoolReorganisation
from pool.service import parse_day
from pool.service_nodes import keep_proof

RENAME = "RENAME"
LONGEST = 200
# Of the register a version keeps so many characters of former names.
ALIASES = 1000


def rename_unit(
    session: Session, act: Act, unit_code: str, name: str, document_no: str, effective: date | None = None
) -> Receipt:
    """Name a unit otherwise from a day on, by a document; the old name becomes an alias. → node, kind, before, after.

    Posts, people and slots do not move; its certificate follows in the same transaction, as with every act. Refused:
    SAME_NAME, NOT_YET, BEFORE_UNIT.
    """
    node, new = unit_node(session, unit_code), " ".join(name.split())
    check_place(session, act, Permission.REORGANISE, node)
    day = parse_day(effective, act)
    if not 2 <= len(new) <= LONGEST:
        raise InputRejected("单位名称须为 2 至 200 个字。", field="name")
    if day > act.today:
        raise Refused("机构调整只在生效当日或之后办理。", answer="NOT_YET")

    def do() -> Receipt:
        open_node(node)
        held = session.scalar(select(UnitVersion).where(is_current(), UnitVersion.unit_code == unit_code))
        old = held.unit_name if held is not None else node.name
        if new == old:
            raise Refused("新名称与现名称相同。", answer="SAME_NAME")
        if held is not None and held.valid_from is not None and day < held.valid_from:
            raise Refused("更名日期早于现名称的启用日期。", answer="BEFORE_UNIT")
        number = note_document(session, act, document_no)
        if held is not None:
            _new_version(session, held, new, day, act.today)
        session.execute(update(PoolNode).where(PoolNode.id == node.id).values(name=new))
        session.expire(node)
        proof = {"before": {"name": old}, "after": {"name": new}}
        keep_proof(session, act, RENAME, node, None, number, day, proof)
        return {"node": node.id, "kind": RENAME, **proof}

    body = {"unit": unit_code, "name": new, "document_no": document_no, "effective": effective}
    return once(session, act, "rename_unit", body, [node.id], do)


def _new_version(session: Session, held: UnitVersion, name: str, day: date, today: date) -> None:
    """The version in force ends the day before, and one of the new name begins; on one day the version itself changes."""
    aliases = _with_alias(held.aliases, held.unit_name)
    if held.valid_from == day:
        values = {"unit_name": name, "aliases": aliases}
        session.execute(update(UnitVersion).where(UnitVersion.id == held.id).values(**values))
        session.expire(held)
        return
    row = {column.key: getattr(held, column.key) for column in UnitVersion.__table__.c if column.key != "id"}
    row |= {"unit_name": name, "aliases": aliases, "valid_from": day, "seen_on": max(held.seen_on, today)}
    held.valid_to = day - timedelta(days=1)
    session.flush()
    session.execute(insert(UnitVersion.__table__), [row])


def _with_alias(aliases: str | None, name: str) -> str:
    known = [each for each in (aliases or "").split(";") if each]
    return ";".join(dict.fromkeys([name, *known]))[:ALIASES]


def keep_names(session: Session) -> int:
    """After a night wrote the register: units renamed by document keep their name where the book still has an earlier one,
    and the tree takes every other name from the register. → how many changed. The caller commits."""
    former: dict[str, set[str]] = defaultdict(set)
    decided: dict[str, str] = {}
    rows = session.execute(
        select(PoolReorganisation.node_id, PoolReorganisation.proof)
        .where(PoolReorganisation.kind == RENAME)
        .order_by(PoolReorganisation.id)
    )
    for node_id, proof in rows:
        said = json.loads(proof)
        former[node_id].add(said["before"]["name"])
        decided[node_id] = said["after"]["name"]
    changed = 0
    differing = session.execute(
        select(PoolNode, UnitVersion)
        .join(UnitVersion, UnitVersion.unit_code == PoolNode.unit_code)
        .where(is_current(), PoolNode.name != UnitVersion.unit_name, PoolNode.closed_on.is_(None))
    ).all()
    for node, held in differing:
        if held.unit_name in former[node.id]:
            held.aliases, held.unit_name = _with_alias(held.aliases, held.unit_name), decided[node.id]
        node.name, changed = held.unit_name, changed + 1
    session.flush()
    return changed
