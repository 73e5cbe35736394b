"""The gate in the API, to read: work, plans, consultations, applications, slots, exits, notices, blocks, waivers, units."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, g
from pydantic import BaseModel

from staffing import lists
from staffing.certificate_store import certificate_due
from staffing.chain import Subject
from staffing.models import StaffSlot
from staffing.notices import notice_page
from staffing.printing import masked_person, slot_paper, use_paper
from staffing.store import Row, gate_parameters
from web.api import gate_answers as a
from web.api import gate_models as m
from web.api.gate_moves import GATE
from web.api.models import Problem, UnitPath
from web.api.paper_models import BINARY
from web.api.pool_models import PageQuery
from web.api.pool_reads import fields
from web.api.views import _answer, blueprint
from web.i18n import translate
from web.papers import download
from web.pool_access import act_now, act_of, view_scope

PDF = {"200": {"description": "The form", "content": {"application/pdf": BINARY}}}


def _get(path: str, endpoint: str, answer: Any):
    answers = answer if isinstance(answer, dict) else {"200": answer}
    return blueprint.get(f"/staffing{path}", endpoint=f"staffing_{endpoint}", tags=[GATE], responses=answers)


def row_out(row: Row, model: type[BaseModel]) -> Any:
    """A row as the API gives it: figures as they were kept, the person masked."""
    if model is a.PostOut:
        return fields(row, model, person=row.person_mask)
    return (
        fields(row, model, figures=json.loads(row.figures)) if "figures" in model.model_fields else fields(row, model)
    )


def _page(subject: Subject, query: m.RowsQuery, listed: type[BaseModel], item: type[BaseModel]) -> Response:
    rows, total = lists.staff_page(
        g.db, view_scope(), subject, [str(query.status)] if query.status else (), query.unit, query.page_size,
        (query.page - 1) * query.page_size,
    )  # fmt: skip
    return _answer(listed(
        total=total, page=query.page, page_size=query.page_size, items=[row_out(row, item) for row in rows]
    ))  # fmt: skip


def _life(subject: Subject, row: Row) -> dict[str, Any]:
    number = row.slot_no if subject is Subject.SLOT else row.number
    return {
        "history": [fields(step, a.GateStepOut) for step in lists.steps_of(g.db, subject, number)],
        "moves": [
            a.GateOfferOut(move=each.move.value, allowed=each.allowed, sentence=translate(each.sentence))
            for each in lists.next_moves(g.db, act_now("-"), subject, row)
        ],
    }


@_get("/work", "work", a.WorkList)
def list_work() -> Response:
    """What the token's person must do next, the longest waiting first."""
    return _answer(a.WorkList(items=[a.WorkOut(**vars(work)) for work in lists.work_list(g.db, act_now("-"))]))


@_get("/plans", "plans", a.PlanList)
def list_plans(query: m.RowsQuery) -> Response:
    """Annual plans, the newest first."""
    return _page(Subject.PLAN, query, a.PlanList, a.PlanOut)


@_get("/plans/<plan_no>", "plan", a.PlanDetail)
def read_plan(path: m.PlanPath) -> Response:
    """One plan with its cells."""
    lines = [row_out(line, a.PlanLineOut) for line in lists.plan_lines(g.db, path.plan_no)]
    return _answer(a.PlanDetail(row=row_out(g.row, a.PlanOut), lines=lines, **_life(Subject.PLAN, g.row)))


@_get("/consultations", "talks", a.TalkList)
def list_talks(query: m.RowsQuery) -> Response:
    """Prior consultations, the newest first."""
    return _page(Subject.CONSULTATION, query, a.TalkList, a.TalkOut)


@_get("/consultations/<talk_no>", "talk", a.TalkDetail)
def read_talk(path: m.TalkPath) -> Response:
    """One consultation with the figures it was asked and answered on."""
    return _answer(a.TalkDetail(row=row_out(g.row, a.TalkOut), **_life(Subject.CONSULTATION, g.row)))


@_get("/applications", "uses", a.UseList)
def list_uses(query: m.RowsQuery) -> Response:
    """Applications and permits (GRANTED, EXECUTED, EXPIRED), the newest first."""
    return _page(Subject.APPLICATION, query, a.UseList, a.UseOut)


@_get("/applications/<use_no>", "use", a.UseDetail)
def read_use(path: m.UsePath) -> Response:
    """One application with its slots."""
    slots = [row_out(slot, a.PostOut) for slot in lists.slots_of_permit(g.db, path.use_no)]
    return _answer(a.UseDetail(row=row_out(g.row, a.UseOut), slots=slots, **_life(Subject.APPLICATION, g.row)))


@_get("/applications/<use_no>/forms/<form>", "use_form", PDF | {"409": Problem})
def read_use_form(path: m.UseFormPath) -> Response:
    """编制使用审批表 or 用编通知单 as PDF."""
    return download(use_paper(g.db, g.row, path.form), f"{path.form}-{path.use_no}.pdf", "application/pdf")


@_get("/slots", "slots", a.PostList)
def list_slots(query: m.RowsQuery) -> Response:
    """Slots with their people (masked), the newest first; a carried post has a row per unit."""
    return _page(Subject.SLOT, query, a.PostList, a.PostOut)


@_get("/slots/<post_no>", "slot", a.PostDetail)
def read_slot(path: m.PostPath) -> Response:
    """One slot, and the rows it had at units it was carried from, as far as the scope sees them."""
    units = [row_out(row, a.PostOut) for row in seen_history(path.post_no)]
    return _answer(a.PostDetail(row=row_out(g.row, a.PostOut), units=units, **_life(Subject.SLOT, g.row)))


def seen_history(slot_no: str) -> list[StaffSlot]:
    """Rows of a slot number at the units of the reader's reach, the oldest first."""
    return lists.slot_history(g.db, slot_no, view_scope())


@_get("/slots/<post_no>/forms/<form>", "slot_form", PDF | {"409": Problem})
def read_slot_form(path: m.PostFormPath) -> Response:
    """入编通知单 or 减编通知单 as PDF; the person masked."""
    return download(
        slot_paper(g.db, g.row, path.form, masked_person(g.row)), f"{path.form}-{path.post_no}.pdf", "application/pdf"
    )


@_get("/exits", "exits", a.ExitList)
def list_exits(query: m.UnitQuery) -> Response:
    """Announced exits nobody registered yet."""
    rows = lists.coming_exits(g.db, view_scope(), query.unit)
    return _answer(a.ExitList(items=[row_out(row, a.PostOut) for row in rows]))


@_get("/notices", "notices", a.StaffNoticeList)
def list_notices(query: m.StaffNoticeQuery) -> Response:
    """Entry and exit notices with their age, the longest waiting first."""
    views, total = notice_page(
        g.db, view_scope(), act_of("").today, notice_days(), open_only=query.open_only, unit_code=query.unit,
        receiver=query.receiver, limit=query.page_size, offset=(query.page - 1) * query.page_size,
    )  # fmt: skip
    items = [
        fields(
            view.notice,
            a.StaffNoticeOut,
            **{name: getattr(view, name) for name in ("unit_name", "age", "overdue", "attempts", "last", "next")},
        )
        for view in views
    ]
    return _answer(a.StaffNoticeList(total=total, page=query.page, page_size=query.page_size, items=items))


def notice_days(division: str = "") -> int:
    """Days after which a notice nobody acknowledged is overdue."""
    return gate_parameters(g.db, act_of("").today, division)["notice_days"]


@_get("/blocks", "blocks", a.BlockList)
def list_blocks(query: PageQuery) -> Response:
    """Late entries and exits that still block a plan, the oldest first."""
    rows, total = lists.block_page(g.db, view_scope(), limit=query.page_size, offset=(query.page - 1) * query.page_size)
    items = [fields(row, a.BlockOut) for row in rows]
    return _answer(a.BlockList(total=total, page=query.page, page_size=query.page_size, items=items))


@_get("/waivers", "waivers", a.WaiverList)
def list_waivers(query: PageQuery) -> Response:
    """Waivers of reverse flow, the newest first."""
    rows, total = lists.waiver_page(g.db, view_scope(), query.page_size, (query.page - 1) * query.page_size)
    items = [fields(row, a.WaiverOut) for row in rows]
    return _answer(a.WaiverList(total=total, page=query.page, page_size=query.page_size, items=items))


@_get("/units/<code>", "unit", a.GateUnitOut)
def read_unit(path: UnitPath) -> Response:
    """One unit's gate: what is under way, its slots, and whether its certificate is due."""
    today = act_of("").today
    board = lists.unit_board(g.db, path.code, today, notice_days(g.unit.division_code))
    slots = lists.staff_page(g.db, view_scope(), Subject.SLOT, (), path.code, limit=500)[0]
    return _answer(a.GateUnitOut(
        unit_code=path.code, **vars(board), certificate_due=certificate_due(g.db, [path.code], today).get(path.code),
        slots=[row_out(slot, a.PostOut) for slot in slots],
    ))  # fmt: skip
