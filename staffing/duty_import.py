"""Importing files of duties, standards, workloads and reform plans: all of a file or nothing of it, every fault named.

One use-case per kind, each state and audit event in the caller's transaction. The same file again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import Forbidden, InputRejected, NotFound
from core.identity import normalise_code
from core.permissions import Permission
from core.standards import StaffingStandard, UnitWorkload
from pool.acting import Act, Receipt, check_place, lock_paths, note_document
from pool.models import PoolNode
from staffing.csv_rows import Rows
from staffing.determination_store import determinations_of
from staffing.documents import offices_of, seen_document
from staffing.duty_files import FileKind, VersionGiven, items_given, rows_of, tasks_given, versions_given
from staffing.duty_items import keep_items
from staffing.duty_models import Determination, DeterminationBody, DeterminationDuty, DeterminationQuota
from staffing.reforms import make_plan

UNSEEN_UNIT = "没有这个单位，或者不在您的管辖范围内；请核对编码。"


@dataclass(frozen=True)
class Delivered:
    """A file handed in. division: whose standards they are; document_no, title: of a reform plan."""

    kind: FileKind
    name: str
    content: bytes
    division: str | None = None
    document_no: str = ""
    title: str = ""


def import_file(session: Session, act: Act, given: Delivered) -> Receipt:
    """Import a file. → kind, rows, added, changed, unchanged.

    Errors: InputRejected naming file, row, column and remedy; Forbidden, NotFound; nothing of the file is kept then.
    """
    if not may_import(act.by, given.kind):
        raise Forbidden("您的角色不能导入这种文件。")
    rows = rows_of(given.kind, given.name[:120], given.content)
    done = _IMPORTS[given.kind](session, act, rows, given)
    answer = {"kind": given.kind.value, "rows": len(rows.rows), **done}
    record(
        session, actor=act.login, action="duties_imported", subject=f"duties {given.kind.value}", now=act.now, **answer
    )
    return answer


def places(
    session: Session, act: Act, rows: Rows, permission: Permission, units: Iterable[tuple[int, str]]
) -> dict[str, PoolNode]:
    """The nodes of units named in rows, their paths held; an unseen unit is a fault of its row. Errors: Forbidden."""
    found: dict[str, PoolNode] = {}
    unseen: set[str] = set()
    for row, code in units:
        if code not in found and code not in unseen:
            node = session.get(PoolNode, f"U:{code}")
            try:
                if node is None:
                    raise NotFound(UNSEEN_UNIT)
                check_place(session, act, permission, node)
                found[code] = node
            except NotFound:
                unseen.add(code)
        if code in unseen:
            rows.fault(row, "单位编码", UNSEEN_UNIT)
    lock_paths(session, [node.id for node in found.values()])
    return found


def _counts(added: int, changed: int, total: int) -> dict[str, int]:
    return {"added": added, "changed": changed, "unchanged": total - added - changed}


def _determinations(session: Session, act: Act, rows: Rows, given: Delivered) -> dict[str, int]:
    versions = versions_given(rows)
    places(session, act, rows, Permission.KEEP_DUTIES, [(each.row, each.unit_code) for each in versions])
    for each in versions:
        each.doc_no = normalise_code(each.doc_no)
        try:
            seen_document(session, act.by, each.doc_no)
        except NotFound:
            rows.fault(each.row, "文号", "没有登记这份文件；请先在“文件”里登记。")
    rows.check()
    held = determinations_of(session, {each.unit_code for each in versions})
    added = 0
    for each in versions:
        same = [one for one in held.get(each.unit_code, []) if one.row.valid_from == each.valid_from][:1]
        if same and same[0].row.doc_no == each.doc_no and same[0].said == _said(each):
            continue
        _write(session, act, each)
        added += 1
    return _counts(added, 0, len(versions))


def _said(each: VersionGiven) -> tuple:
    return (each.chief, each.deputy, tuple(each.duties), tuple(each.bodies), dict(sorted(each.quotas.items())))


def _write(session: Session, act: Act, each: VersionGiven) -> None:
    row = Determination(
        unit_code=each.unit_code, doc_no=each.doc_no, valid_from=each.valid_from, chief=each.chief, deputy=each.deputy,
        recorded_by=act.login, recorded_at=act.now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    for place, text in enumerate(each.duties, 1):
        session.add(DeterminationDuty(determination_id=row.id, place=place, text=text))
    for place, (name, chief, deputy) in enumerate(each.bodies, 1):
        session.add(DeterminationBody(determination_id=row.id, place=place, name=name, chief=chief, deputy=deputy))
    for (post_type, fund_form), posts in each.quotas.items():
        session.add(DeterminationQuota(determination_id=row.id, post_type=post_type, fund_form=fund_form, posts=posts))
    session.flush()
    record(
        session, actor=act.login, action="determination_recorded", subject=f"unit {each.unit_code}", now=act.now,
        document_no=each.doc_no, valid_from=each.valid_from, duties=len(each.duties), bodies=len(each.bodies),
    )  # fmt: skip


def _items(session: Session, act: Act, rows: Rows, given: Delivered) -> dict[str, int]:
    items = items_given(rows)
    places(session, act, rows, Permission.KEEP_DUTIES, [(each.row, each.unit_code) for each in items])
    return _counts(*keep_items(session, act, rows, items), len(items))


def _standards(session: Session, act: Act, rows: Rows, given: Delivered) -> dict[str, int]:
    offices = sorted(offices_of(act.by))
    division = given.division or (offices[0] if offices else None)
    act.by.check(Permission.SET_STANDARD, None, division)
    if division not in offices:
        raise InputRejected("配置标准由机构编制部门为本区划登记。", field="division")
    rows.check()
    held = {}
    query = select(StaffingStandard).where(StaffingStandard.division_code == division)
    for row in session.scalars(query.order_by(StaffingStandard.id)):
        held[_standard_key(vars(row))] = (row.per_hundredths, row.posts, row.rounding, row.doc_no)
    added = 0
    for _, values in rows.rows:
        number = note_document(session, act, values["doc_no"])
        said = (values["per"], values["posts"], values["rounding"], number)
        if held.get(_standard_key(values)) == said:
            continue
        held[_standard_key(values)] = said
        added += 1
        session.add(StaffingStandard(
            division_code=division, per_hundredths=values["per"], posts=values["posts"], rounding=values["rounding"],
            doc_no=number, recorded_by=act.login, recorded_at=act.now,
            **{name: values[name] for name in ("trade", "level", "measure", "post_type", "valid_from")},
        ))  # fmt: skip
        session.flush()
    return _counts(added, 0, len(rows.rows))


def _standard_key(values: Any) -> tuple:
    return tuple(values[name] for name in ("trade", "level", "measure", "post_type", "valid_from"))


def _workloads(session: Session, act: Act, rows: Rows, given: Delivered) -> dict[str, int]:
    named = [(row, values["unit_code"]) for row, values in rows.rows if values["unit_code"]]
    places(session, act, rows, Permission.RECORD_WORKLOAD, named)
    for row, values in rows.rows:
        if values["as_of"] and values["as_of"] > act.today:
            rows.fault(row, "截至日期", "晚于今天；请填写已经核定的数字。")
    rows.check()
    held = {}
    units = sorted({code for _, code in named})
    query = select(UnitWorkload).where(UnitWorkload.unit_code.in_(units))
    for row in session.scalars(query.order_by(UnitWorkload.id)):
        held[row.unit_code, row.trade, row.measure, row.as_of] = (row.served, row.source)
    fresh = []
    for _, values in rows.rows:
        key = (values["unit_code"], values["trade"], values["measure"], values["as_of"])
        if held.get(key) != (values["served"], values["source"]):
            held[key] = (values["served"], values["source"])
            fresh.append({**values, "recorded_by": act.login, "recorded_at": act.now})
    if fresh:
        session.execute(insert(UnitWorkload), fresh)
    return _counts(len(fresh), 0, len(rows.rows))


def _reform(session: Session, act: Act, rows: Rows, given: Delivered) -> dict[str, int]:
    tasks = tasks_given(rows)
    places(session, act, rows, Permission.KEEP_REFORM, [(each.row, each.unit_code) for each in tasks])
    return make_plan(session, act, rows, tasks, given.document_no, given.title)


_IMPORTS: dict[FileKind, Callable[[Session, Act, Rows, Delivered], dict[str, Any]]] = {
    FileKind.DETERMINATIONS: _determinations, FileKind.ITEMS: _items, FileKind.STANDARDS: _standards,
    FileKind.WORKLOADS: _workloads, FileKind.REFORM: _reform,
}  # fmt: skip
FIRST_PERMISSION = {
    FileKind.DETERMINATIONS: Permission.KEEP_DUTIES, FileKind.ITEMS: Permission.KEEP_DUTIES,
    FileKind.STANDARDS: Permission.SET_STANDARD, FileKind.WORKLOADS: Permission.RECORD_WORKLOAD,
    FileKind.REFORM: Permission.KEEP_REFORM,
}  # fmt: skip


def may_import(scope, kind: FileKind) -> bool:
    """Whether this person may hand in a file of the kind anywhere."""
    return scope.may(FIRST_PERMISSION[kind])
