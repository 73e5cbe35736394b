"""The forms of the gate at the doors, as PDF; who prints an identity is in the trail."""

from __future__ import annotations

from flask import current_app, g

from core.permissions import Permission
from pool.acting import Act, check_place
from staffing.forms import Person, approval_form, entry_notice, exit_notice, use_notice
from staffing.models import StaffApplication, StaffSlot
from staffing.printing import (
    approval_form_of,
    entry_notice_of,
    exit_notice_of,
    full_person,
    masked_person,
    use_notice_of,
)
from staffing.store import place_of
from staffing.telling import trail

NAMES = {"approval": "编制使用审批表", "notice": "用编通知单", "entry": "入编通知单", "exit": "减编通知单"}


def use_form(row: StaffApplication, form: str) -> bytes:
    """编制使用审批表 or 用编通知单 of an application."""
    if form == "approval":
        return approval_form(approval_form_of(g.db, row))
    return use_notice(use_notice_of(g.db, row))


def slot_form(slot: StaffSlot, form: str) -> bytes:
    """入编通知单 or 减编通知单 with the person masked and no name: for whoever sees the unit."""
    return _slot_form(slot, form, masked_person(slot), False)


def full_slot_form(act: Act, slot: StaffSlot, form: str, name: str) -> bytes:
    """The same with the full number and the name as typed, which is kept nowhere. Errors: Forbidden."""
    check_place(g.db, act, Permission.SEE_IDENTITY, place_of(g.db, slot))
    person = full_person(g.db, slot, name, current_app.config["SETTINGS"].person_key)
    content = _slot_form(slot, form, person, True)
    trail(g.db, act, "identity_printed", f"slot {slot.slot_no}", form=form)
    return content


def _slot_form(slot: StaffSlot, form: str, person: Person, sees_identity: bool) -> bytes:
    if form == "entry":
        return entry_notice(entry_notice_of(g.db, slot, person), sees_identity=sees_identity)
    return exit_notice(exit_notice_of(g.db, slot, person), sees_identity=sees_identity)
