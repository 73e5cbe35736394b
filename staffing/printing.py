"""The forms of the gate out of its rows: 编制使用审批表 and 用编通知单 of an application, 入编 and 减编通知单 of a slot.

No name of a person is kept anywhere: the printed notice has it typed in by whoever may see identities, or blank.
"""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import User
from core.errors import Refused
from core.parameters import parameter_value
from core.permissions import is_current
from core.person_identity import numbers_of
from core.types import FundForm
from core.units import UnitVersion
from staffing.chain import Move, Subject
from staffing.flow import FORM_LABELS, LEVEL_LABELS
from staffing.forms import (
    ApprovalForm,
    CellFigures,
    EntryNotice,
    ExitNotice,
    Opinion,
    Person,
    Place,
    UseNotice,
    approval_form,
    entry_notice,
    exit_notice,
    use_notice,
)
from staffing.lists import slots_of_permit, steps_of
from staffing.models import StaffApplication, StaffNotice, StaffSlot
from staffing.notices import ENTRY, EXIT
from staffing.store import Row, place_of

WANTED = {ENTRY: "这个用编序号还没有入编，没有入编通知单。", EXIT: "这个用编序号没有减编，没有减编通知单。"}


def use_paper(session: Session, row: StaffApplication, form: str) -> bytes:
    """The PDF `approval` (编制使用审批表) or `notice` (用编通知单) of an application."""
    return (
        approval_form(approval_form_of(session, row)) if form == "approval" else use_notice(use_notice_of(session, row))
    )


def slot_paper(session: Session, slot: StaffSlot, form: str, person: Person, *, sees_identity: bool = False) -> bytes:
    """The PDF `entry` (入编通知单) or `exit` (减编通知单) of a slot; the person masked unless the reader sees identities."""
    if form == "entry":
        return entry_notice(entry_notice_of(session, slot, person), sees_identity=sees_identity)
    return exit_notice(exit_notice_of(session, slot, person), sees_identity=sees_identity)


def approval_form_of(session: Session, row: StaffApplication) -> ApprovalForm:
    """编制使用审批表 of an application, with the figures of the moment it was sent. Errors: Refused for a draft."""
    figures = json.loads(row.figures).get("submitted")
    if figures is None:
        raise Refused("申请还没有提交，没有编制使用审批表。", answer="NOT_SUBMITTED")
    names = _names(session, row)
    return ApprovalForm(
        number=row.number, office=_office(session, row, row.submitted_on), place=_place(session, row),
        figures=_figures(figures), posts=row.posts, entry_form=row.entry_form, source=_source(row), purpose=row.reason,
        applied_on=row.submitted_on, opinions=_opinions(session, row, names), yearly_cost=row.yearly_cost,
        cost_confirmed=f"{names.get(row.cost_confirmed_by, '')}　{row.cost_confirmed_on}" if row.cost_confirmed_by else "",
        coming_exit=_coming_exit(row), consultation=row.consultation_no or "", permit_no=row.permit_no or "",
        slot_numbers=_slots(session, row), valid_until=row.valid_until,
    )  # fmt: skip


def use_notice_of(session: Session, row: StaffApplication) -> UseNotice:
    """用编通知单 of a granted permit. Errors: Refused before it was signed."""
    if row.permit_no is None:
        raise Refused("用编许可还没有签发，没有用编通知单。", answer="NOT_GRANTED")
    return UseNotice(
        notice_no=row.permit_no, office=_office(session, row, row.granted_on), place=_place(session, row),
        posts=row.posts, slot_numbers=_slots(session, row), entry_form=row.entry_form, source=_source(row),
        purpose=row.reason, application_no=row.number, approved_on=row.granted_on,
        signed_by=_names(session, row).get(row.decided_by, row.decided_by), valid_until=row.valid_until,
        yearly_cost=row.yearly_cost, coming_exit=_coming_exit(row),
    )  # fmt: skip


def entry_notice_of(session: Session, slot: StaffSlot, person: Person) -> EntryNotice:
    """入编通知单 of somebody who entered by the gate. Errors: Refused for a slot nobody entered on."""
    if slot.entry_date is None:
        raise Refused(WANTED[ENTRY], answer="NO_NOTICE")
    return EntryNotice(
        notice_no=_notice_no(session, slot, ENTRY, slot.entry_registered), place=_place(session, slot),
        office=_office(session, slot, slot.entry_registered), person=person, slot_no=slot.slot_no,
        permit_no=slot.permit_no or "—", entry_form=slot.entry_form, entry_date=slot.entry_date,
        registered_on=slot.entry_registered, first_paid_month=slot.entry_date.replace(day=1),
        from_unit=slot.from_unit or "", waiver_no=slot.waiver_no or "",
    )  # fmt: skip


def exit_notice_of(session: Session, slot: StaffSlot, person: Person) -> ExitNotice:
    """减编通知单 of somebody who left. Errors: Refused for who has not."""
    if slot.exit_date is None:
        raise Refused(WANTED[EXIT], answer="NO_NOTICE")
    return ExitNotice(
        notice_no=_notice_no(session, slot, EXIT, slot.exit_registered), place=_place(session, slot),
        office=_office(session, slot, slot.exit_registered), person=person, slot_no=slot.slot_no,
        reason=slot.exit_reason, exit_date=slot.exit_date, registered_on=slot.exit_registered,
        first_unpaid_month=date.fromisoformat(f"{slot.first_unpaid}-01"),
    )  # fmt: skip


def masked_person(slot: StaffSlot) -> Person:
    """Who sits on a slot, for readers without the right to identities."""
    return Person("", slot.person_mask or "")


def full_person(session: Session, slot: StaffSlot, name: str, person_key: str) -> Person:
    """Who sits on a slot, in full; the name as typed by the reader, who is named in the trail. Errors: Refused."""
    numbers = numbers_of(session, [slot.person_key] if slot.person_key else [], person_key)
    if slot.person_key not in numbers:
        raise Refused("没有保存这个人的证件号。", answer="NO_NUMBER")
    return Person(name.strip()[:50], numbers[slot.person_key])


def _office(session: Session, row: Row, on: date) -> str:
    return parameter_value(session, "certificate_office", on, place_of(session, row).division_code)


def _place(session: Session, row: Row) -> Place:
    unit = session.scalar(select(UnitVersion).where(UnitVersion.unit_code == row.unit_code, is_current()))
    if unit is None or unit.unit_kind is None:
        raise Refused("机构名册里没有这个单位的机构类别，不能出单。", answer="UNKNOWN_KIND")
    return Place(unit.unit_code, unit.unit_name, unit.unit_kind, row.post_type, row.fund_form, unit.org_rank)


def _figures(held: dict) -> CellFigures:
    same = ("quota", "borrowed", "lent", "in_post", "open_permits", "usable")
    return CellFigures(
        on=date.fromisoformat(held["on"]), reserved=held["other_reserves"], **{name: held[name] for name in same}
    )


def _slots(session: Session, row: StaffApplication) -> tuple[str, ...]:
    return tuple(dict.fromkeys(slot.slot_no for slot in slots_of_permit(session, row.number)))


def _source(row: StaffApplication) -> str:
    level = LEVEL_LABELS.get(row.from_level, "") if row.from_level else ""
    form = FORM_LABELS.get(FundForm(row.from_fund_form), "") if row.from_fund_form else ""
    return "　".join(part for part in (row.from_unit or "", level, form) if part)


def _coming_exit(row: StaffApplication) -> str:
    return f"用编序号 {row.bound_slot} 减编之后执行" if row.bound_slot else ""


def _names(session: Session, row: StaffApplication) -> dict[str, str]:
    logins = {row.applicant, row.cost_confirmed_by, row.reviewed_by, row.decided_by} - {None}
    return dict(session.execute(select(User.login, User.display_name).where(User.login.in_(logins))).all())


def _opinions(session: Session, row: StaffApplication, names: dict[str, str]) -> tuple[Opinion, ...]:
    """What each office said, boxes still blank included."""
    said = {step.move: step for step in steps_of(session, Subject.APPLICATION, row.number)}
    text = lambda move, default: (said[move].note or default) if move in said else ""
    refused = Move.REFUSE in said
    decision = text(Move.REFUSE, "不予许可。") if refused else text(Move.GRANT, "同意用编。")
    return (
        Opinion("申请单位", "申请用编。", names.get(row.applicant, ""), row.submitted_on),
        Opinion("财政部门", f"经费已确认：{row.yearly_cost:,} 元/年。" if row.cost_confirmed_on else "", names.get(row.cost_confirmed_by, ""), row.cost_confirmed_on),
        Opinion("编办审核", text(Move.REVIEW, "经审核，符合用编条件。"), names.get(row.reviewed_by, ""), row.reviewed_on),
        Opinion("编委主任", decision, names.get(row.decided_by, ""), row.ended_on if refused else row.granted_on, signed=True),
    )  # fmt: skip


def _notice_no(session: Session, slot: StaffSlot, kind: str, on: date) -> str:
    """Number of a notice: of the slot's row, and of the round when an exit was undone and registered again."""
    query = select(StaffNotice.round).where(StaffNotice.slot_id == slot.id, StaffNotice.kind == kind)
    last = session.scalar(query.order_by(StaffNotice.round.desc()).limit(1)) or 1
    word = {ENTRY: "入编", EXIT: "减编"}[kind]
    return f"{word}〔{on.year}〕{slot.id:06d}号" + (f"之{last}" if last > 1 else "")
