"""Documents: the register, one document with its files and what hangs on it, and registering one."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import InputRejected
from core.parameters import parameter_value
from pool.lists import nodes_named
from reconcile.store import unit_names
from staffing import shelf
from staffing.document_gate import hanging_at_the_gate
from staffing.documents import (
    Registration,
    add_file,
    document_page,
    files_of,
    hanging_on,
    may_add_file,
    offices_of,
    register_document,
    unregistered,
)
from staffing.file_types import TYPES
from staffing.quota_notices import has_notice
from web.pages.flags import PAGE, TEXT_LIMIT, page_asked
from web.papers import download, folder, paper_act, read_day

ENDPOINTS = ("documents", "document", "document_new", "document_file")
ENDINGS = ",".join(f".{ending}" for ending in TYPES) + ",.jpeg"


def show_documents() -> str:
    """Every document of the scope, and the numbers movements rest on that nobody registered yet."""
    text = (request.args.get("q") or "").strip()[:TEXT_LIMIT]
    page = page_asked()
    rows, total = document_page(g.db, g.scope, text, PAGE, (page - 1) * PAGE)
    return render_template(
        "documents.html", rows=rows, total=total, text=text, page=page, page_count=max(1, -(-total // PAGE)),
        files=files_of(g.db, [row.doc_no for row in rows]), waiting=unregistered(g.db, g.scope),
    )  # fmt: skip


def show_document(doc_no: str) -> Response | str:
    """One document; a file added to it."""
    if request.method == "POST":
        name, content = _uploaded()
        done = add_file(g.db, paper_act(), g.document.doc_no, name, content, folder())
        flash(_("文件已保存。") if done["added"] else _("这个文件已在这份文件名下，没有重复保存。"), "done")
        return redirect(url_for("document", doc_no=g.document.doc_no), code=303)
    hanging = hanging_on(g.db, g.scope, g.document.doc_no)
    gate = hanging_at_the_gate(g.db, g.scope, g.document.doc_no)
    ends = {end for row in hanging.movements for end in (row.from_holder, row.to_holder)}
    ends |= {end for row in gate.reorganisations for end in (row.node_id, row.target_id)}
    codes = {
        *hanging.units,
        *(each.unit_code for each in (*hanging.facts, *hanging.certificates, *hanging.determinations)),
        *(each.unit_code for each in (*gate.plans, *gate.permits)),
    }
    return render_template(
        "document.html", row=g.document, files=files_of(g.db, [g.document.doc_no])[g.document.doc_no], hanging=hanging,
        gate=gate,
        nodes=nodes_named(g.db, ends), names=unit_names(g.db, codes), may_add=may_add_file(g.scope, g.document),
        endings=ENDINGS, most=_most(g.document.division_code), has_notice=has_notice,
    )  # fmt: skip


def show_document_new() -> Response | str:
    """Register a document, with its first file if there is one."""
    offices = sorted(offices_of(g.scope))
    if request.method == "GET":
        return render_template(
            "document_new.html", offices=offices, typed=request.args.get("number", "")[:200], endings=ENDINGS,
            most=_most(offices[0] if offices else "*"),
        )  # fmt: skip
    day = read_day(request.form.get("doc_date", ""), "doc_date")
    if day is None:
        raise InputRejected("须填写文件日期。", field="doc_date")
    given = Registration(
        request.form.get("doc_no", ""), day, request.form.get("title", ""), request.form.get("meeting", ""),
        tuple(request.form.get("units", "").replace("，", " ").replace("、", " ").replace(",", " ").split()),
    )  # fmt: skip
    act = paper_act()
    done = register_document(g.db, act, given, request.form.get("office") or None)
    if request.files.get("file"):
        name, content = _uploaded()
        add_file(g.db, act, done["doc_no"], name, content, folder())
    flash(_("已登记。") if done["registered"] else _("这个文号已登记过，内容相同。"), "done")
    return redirect(url_for("document", doc_no=done["doc_no"]), code=303)


def show_document_file(file_id: int) -> Response:
    """A file to keep."""
    return download(shelf.take(folder(), g.file.sha256), g.file.name, g.file.media_type)


def _uploaded() -> tuple[str, bytes]:
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InputRejected("请先选择文件。", field="file")
    return given.filename, given.read()


def _most(division_code: str) -> int:
    return parameter_value(g.db, "document_megabytes", paper_act().today, division_code)
