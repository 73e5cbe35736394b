"""Duties, standards and reform tasks in the API: the same facts and steps as the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from flask import Response, g
from flask_openapi3 import Tag

from pool.standards import Measured, measured
from staffing.determination_store import Version
from staffing.duties_check import Finding
from staffing.duty_items import move_item
from staffing.duty_models import ReformTask
from staffing.duty_overview import Shown, duty_list, gaps_by_unit, shown_unit
from staffing.reform_life import same_effect
from staffing.reform_store import effects_of, links_of, plans_of, seen_task, steps_of, tasks_seen
from staffing.reforms import step_task
from web.api import duty_models as d
from web.api import models as m
from web.api.gate_moves import beyond_the_document
from web.api.pool_reads import fields
from web.api.views import _answer, blueprint
from web.duties import bring, gaps_seen, late, names_of, said
from web.papers import paper_act

DUTIES = Tag(name="duties")
REFUSED = {"409": m.Problem}


@blueprint.get("/duties/units", endpoint="duties", tags=[DUTIES], responses={"200": d.DutyList})
def list_duties() -> Response:
    """Units of the scope with a 三定 or a list of powers and duties."""
    listed, without = duty_list(g.db, g.scope, paper_act().today)
    gaps = gaps_by_unit(gaps_seen())
    return _answer(d.DutyList(without=without, items=[
        d.DutyRow(
            unit_code=each.unit.unit_code, unit_name=each.unit.unit_name, items=each.items, gaps=gaps[each.unit.unit_code],
            doc_no=each.version.row.doc_no if each.version else None,
            valid_from=each.version.row.valid_from if each.version else None,
        )
        for each in listed
    ]))  # fmt: skip


@blueprint.get("/duties/units/<code>", endpoint="duties_unit", tags=[DUTIES], responses={"200": d.DutyOut})
def read_duties(path: m.UnitPath) -> Response:
    """One unit: versions of the 三定, items with their posts, cells side by side, standard, what stands apart."""
    shown = shown_unit(g.db, path.code, paper_act().today)
    return _answer(d.DutyOut(
        unit_code=path.code, unit_name=g.unit.unit_name, current=_version(shown.current) if shown.current else None,
        versions=[_version(version) for version in shown.versions], items=_items(shown),
        cells=[fields(line, d.DutyCellOut) for line in shown.cells], measured=[_measured(row) for row in shown.measured],
        gaps=_gaps(gaps_seen([path.code])),
    ))  # fmt: skip


def _version(version: Version) -> d.DutyVersionOut:
    return fields(
        version.row, d.DutyVersionOut, duties=list(version.duties), quotas=_cells(version.quotas),
        bodies=[d.BodyOut(name=name, chief=chief, deputy=deputy) for name, chief, deputy in version.bodies],
    )  # fmt: skip


def _items(shown: Shown) -> list[d.ItemOut]:
    return [fields(row, d.ItemOut, posts=_cells(shown.posts.get(row.id, {}))) for row in shown.items]


def _cells(posts: Mapping[tuple[str, str], int]) -> list[d.CellPosts]:
    return [
        d.CellPosts(post_type=post_type, fund_form=fund_form, posts=count)
        for (post_type, fund_form), count in sorted(posts.items())
    ]


def _measured(row: Measured) -> d.MeasuredOut:
    lines = [fields(line, d.DutyLineOut, per=line.per_hundredths / 100) for line in row.lines]
    return fields(row, d.MeasuredOut, lines=lines)


def _gaps(found: list[Finding]) -> list[d.GapOut]:
    names = names_of(found)
    return [d.GapOut(**asdict(each), sentence=said(each, names)) for each in found]


@blueprint.get("/duties/checks", endpoint="duties_checks", tags=[DUTIES], responses={"200": d.GapList})
def list_gaps(query: d.GapQuery) -> Response:
    """Functions moved without posts, posts without a function, and what stands apart today."""
    return _answer(d.GapList(items=_gaps([each for each in gaps_seen() if query.gap in (None, each.gap)])))


@blueprint.get("/duties/standards", endpoint="duties_standards", tags=[DUTIES], responses={"200": d.MeasuredList})
def list_standards() -> Response:
    """Units held against their staffing standard."""
    rows = [row for row in measured(g.db, None, paper_act().today) if g.scope.sees_unit(row.unit_code)]
    return _answer(d.MeasuredList(items=[_measured(row) for row in rows]))


@blueprint.post(
    "/duties/files/<book>", endpoint="duties_import", tags=[DUTIES], responses={"200": d.FileDone, **REFUSED}
)
def import_book(path: d.FilePath, body: d.DutyFileBody) -> Response:
    """Import a csv: all of it or nothing. 409 names every fault by file, row, column and remedy."""
    with beyond_the_document():
        return _answer(d.FileDone(**bring(path.book, body.name, body.content.encode(), body.model_dump())))


@blueprint.post(
    "/duties/items/<int:item_id>/move", endpoint="duties_item_move", tags=[DUTIES],
    responses={"200": d.ItemMoved, **REFUSED},
)  # fmt: skip
def move(path: d.ItemPath, body: d.ItemMoveBody) -> Response:
    """End an item, or let it begin at another unit. Its posts move by a document of the ledger."""
    with beyond_the_document():
        return _answer(d.ItemMoved(**move_item(g.db, paper_act(), path.item_id, body.taker, body.on)))


@blueprint.get("/duties/reforms", endpoint="duties_reforms", tags=[DUTIES], responses={"200": d.TaskList})
def list_tasks(query: d.TaskQuery) -> Response:
    """Reform tasks of the scope, by deadline."""
    rows = [row for row in tasks_seen(g.db, g.scope) if late(row) or not query.overdue]
    return _answer(d.TaskList(items=_tasks(rows)))


def _tasks(rows: list[ReformTask]) -> list[d.TaskRow]:
    effects, plans, links = effects_of(g.db, rows), plans_of(g.db, rows), links_of(g.db, [row.number for row in rows])
    return [
        fields(
            row, d.TaskRow, plan=plans[row.plan_no].title, plan_document=plans[row.plan_no].doc_no, overdue=late(row),
            planned=_cells(effects[row.number][0].cells), booked=_cells(effects[row.number][1].cells),
            planned_leaders=row.leader_posts, booked_leaders=effects[row.number][1].leader_posts,
            agrees=same_effect(*effects[row.number]), documents=links[row.number],
        )
        for row in rows
    ]  # fmt: skip


@blueprint.get("/duties/reforms/<task>", endpoint="duties_reform", tags=[DUTIES], responses={"200": d.TaskOut})
def read_task(path: d.TaskPath) -> Response:
    """One task with its steps."""
    row = seen_task(g.db, g.scope, path.task)
    steps = [fields(step, d.TaskStepOut) for step in steps_of(g.db, row.number)]
    return _answer(d.TaskOut(task=_tasks([row])[0], steps=steps))


@blueprint.post(
    "/duties/reforms/<task>/<step>", endpoint="duties_reform_step", tags=[DUTIES],
    responses={"200": d.TaskDone, **REFUSED},
)  # fmt: skip
def take_step(path: d.TaskStepPath, body: d.TaskStepBody) -> Response:
    """Start, link a document, report, send back, finish (booked as planned), drop."""
    done = step_task(
        g.db, paper_act(), path.task, str(path.step).upper(), body.version, body.note, body.document_no
    )  # fmt: skip
    return _answer(d.TaskDone(**done))
