"""The forms of the gate at the doors: who prints an identity is in the trail."""

from __future__ import annotations

from flask import current_app, g

from core.permissions import Permission
from pool.acting import Act, check_place
from reconcile.identities import check_limit, checked_reason
from staffing.models import StaffSlot
from staffing.printing import full_person, slot_paper
from staffing.store import place_of
from staffing.telling import trail

NAMES = {"approval": "编制使用审批表", "notice": "用编通知单", "entry": "入编通知单", "exit": "减编通知单"}


def full_slot_paper(act: Act, slot: StaffSlot, form: str, name: str, reason: str) -> bytes:
    """入编 or 减编通知单 with the full number and the name as typed, which is kept nowhere; who printed it and why is in the
    trail. Errors: Forbidden; Refused without a reason, or beyond the hourly limit."""
    check_place(g.db, act, Permission.SEE_IDENTITY, place_of(g.db, slot))
    why = checked_reason(reason)
    person = full_person(g.db, slot, name, current_app.config["SETTINGS"].person_key)
    content = slot_paper(g.db, slot, form, person, sees_identity=True)
    trail(g.db, act, "identity_printed", f"slot {slot.slot_no}", form=form, reason=why)
    check_limit(g.db, act.login, act.now)
    return content
