"""Duties and standards: units with their 三定 and list of duties, the checks, the standards, and files handed in."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from core.errors import InputRejected
from core.permissions import Permission, may
from core.standards import standards_on
from core.unit_sql import is_current
from core.units import UnitVersion, division_lineage
from pool.standards import measured
from reconcile.store import unit_names
from staffing.documents import offices_of, registered_among
from staffing.duties_check import Gap
from staffing.duty_files import COLUMNS, FileKind, template_of
from staffing.duty_import import may_import
from staffing.duty_items import move_item
from staffing.duty_overview import duty_list, gaps_by_unit, is_in_force, shown_unit
from web.duties import bring, gaps_seen, names_of, said
from web.pages.flags import PAGE, TEXT_LIMIT
from web.papers import download, paper_act, read_day

ENDPOINTS = (
    "duties", "duties_unit", "duties_checks", "duties_standards", "duties_import", "duties_template", "duties_item_move",
)  # fmt: skip


def _paged(rows: list) -> dict[str, object]:
    count = max(1, -(-len(rows) // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), count)
    return {"rows": rows[(page - 1) * PAGE : page * PAGE], "total": len(rows), "page": page, "page_count": count}


def _text() -> str:
    return (request.args.get("q") or "").strip()[:TEXT_LIMIT]


def show_duties() -> str:
    """Units of the scope with a 三定 or a list."""
    today, text = paper_act().today, _text()
    listed, without = duty_list(g.db, g.scope, today)
    found = [each for each in listed if not text or text in each.unit.unit_name or text in each.unit.unit_code]
    paged = _paged(found)
    gaps = gaps_by_unit(gaps_seen([each.unit.unit_code for each in paged["rows"]]))
    return render_template("duties.html", **paged, gaps=gaps, without=without, text=text, imports=_kinds())


def show_duties_unit(code: str) -> str:
    """One unit: the version in force and those before, items with their posts, cells side by side, what stands apart."""
    today, roles = paper_act().today, g.scope.roles_for(g.unit.unit_code, g.unit.division_code)
    shown = shown_unit(g.db, code, today)
    found = gaps_seen([code])
    names = names_of(found)
    return render_template(
        "duties_unit.html", unit=g.unit, shown=shown, today=today, holds=lambda row: is_in_force(row, today),
        gaps=[(each, said(each, names)) for each in found], may_keep=may(roles, Permission.KEEP_DUTIES),
        registered=registered_among(g.db, g.scope, {version.row.doc_no for version in shown.versions}),
    )  # fmt: skip


def show_duties_item_move(item_id: int) -> Response:
    """End an item, or let it begin at another unit."""
    taker = (request.form.get("taker") or "").strip() or None
    done = move_item(g.db, paper_act(), item_id, taker, read_day(request.form.get("on"), "on"))
    flash(_("已办理。"), "done")
    return redirect(url_for("duties_unit", code=done["unit_code"]), code=303)


def show_duties_checks() -> str:
    """What moved apart, and what stands apart."""
    found, chosen = gaps_seen(), request.args.get("gap")
    shown = [each for each in found if chosen not in set(Gap) or each.gap == chosen]
    paged = _paged(shown)
    names = names_of(paged["rows"])
    return render_template(
        "duties_checks.html", **paged, names=names, sees=g.scope.sees_unit, said=lambda each: said(each, names), chosen=chosen, gaps=list(Gap),
        counts={gap: sum(each.gap == gap for each in found) for gap in Gap},
    )  # fmt: skip


def show_duties_standards() -> str:
    """Units held against their standard, and the standards that apply to the person's divisions."""
    today = paper_act().today
    found = [row for row in measured(g.db, None, today) if g.scope.sees_unit(row.unit_code)]
    found.sort(key=lambda row: (-abs(row.over), row.unit_code))
    divisions = {each for code in _divisions() for each in division_lineage(code)}
    return render_template(
        "duties_standards.html", **_paged(found), names=unit_names(g.db, {row.unit_code for row in found}), today=today,
        table=[row for row in standards_on(g.db, today) if row.division_code in divisions][::-1], imports=_kinds(),
        over=sum(max(row.over, 0) for row in found), short=sum(max(-row.over, 0) for row in found),
    )  # fmt: skip


def _divisions() -> set[str]:
    """Divisions the person's grants name, or in which the own units lie."""
    seen = g.scope.condition(UnitVersion.unit_code, UnitVersion.division_code)
    return set(g.scope.divisions) | set(
        g.db.scalars(select(UnitVersion.division_code).where(is_current(), seen).distinct())
    )


def _kinds() -> list[FileKind]:
    return [kind for kind in FileKind if may_import(g.scope, kind)]


def show_duties_import() -> Response | str | tuple[str, int]:
    """Hand in a file: all of it is kept, or nothing and every fault is shown."""
    kinds, faults = _kinds(), []
    if request.method == "POST":
        kind = request.form.get("kind", "")
        upload = request.files.get("file")
        if kind not in set(FileKind) or upload is None or not upload.filename:
            raise InputRejected("请先选择文件。", field="file")
        try:
            done = bring(kind, upload.filename, upload.read(), request.form.to_dict())
        except InputRejected as error:
            # Raised before the first row is written: there is nothing to take back.
            if "faults" not in error.details:
                raise
            faults = error.details["faults"]
        else:
            flash(_("已导入：新增 %(added)s，变更 %(changed)s，未变 %(unchanged)s。", **done), "done")
            return redirect(url_for("duties_reforms" if kind == FileKind.REFORM else "duties"), code=303)
    chosen = request.values.get("kind")
    page = render_template(
        "duties_import.html", kinds=kinds, faults=faults, chosen=chosen if chosen in kinds else None, columns=COLUMNS,
        offices=sorted(offices_of(g.scope)), typed=request.form,
    )  # fmt: skip
    return (page, 422) if faults else page


def show_duties_template(book: str) -> Response:
    """The header of a file, to fill in."""
    return download(template_of(FileKind(book)).encode(), f"{book}.csv", "text/csv; charset=utf-8")
