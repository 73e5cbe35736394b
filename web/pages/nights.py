"""Nights: every run, and one night with its books, control totals, files and what it could not judge."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from flask import (
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy import func, select

from core.errors import NotFound
from core.permissions import Permission
from night.held import held_rows
from night.places import report_dir, snapshot_dir
from reconcile import store
from reconcile.models import Artefact, Delivery, NightRun, NightState, Verdict
from reconcile.settle import release_night
from web.errors import SENTENCES
from web.exports import TYPES, held_lines
from web.pages.overview import red_reasons, verdicts_seen
from web.scoping import covers_run
from web.security import DOCS_CSP

ENDPOINTS = ("nights", "night", "night_file", "night_held", "night_docs", "night_release")
PAGE = 50
WORKBOOK, DOCS = "workbook", "docs"
REASONS_SHOWN = 200


def show_nights() -> str:
    """Every run, the superseded ones too: nothing that was once said is taken back silently."""
    total = g.db.scalar(select(func.count(NightRun.id)))
    page_count = max(1, -(-total // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), page_count)
    runs = store.nights(g.db, PAGE, (page - 1) * PAGE)
    return render_template(
        "nights.html", runs=runs, reasons={run.id: red_reasons(run) for run in runs}, covered={run.id for run in runs if covers_run(run)}, total=total, page=page,
        page_count=page_count,
    )  # fmt: skip


def show_night(as_of: str) -> str:
    """One run: its books with verdicts and control totals, what was not judged, its files."""
    verdicts = verdicts_seen(g.run)
    lost = store.not_evaluable(g.db, g.run.id, g.scope)
    return render_template(
        "night.html",
        run=g.run,
        others=_other_runs(),
        reasons=red_reasons(g.run),
        covered=covers_run(g.run),
        verdicts=verdicts,
        totals={
            name: sum(getattr(v, name) for v in verdicts)
            for name in ("rows_in", "accepted", "duplicates", "quarantined")
        },
        problems=_problems(verdicts),
        problem_limit=REASONS_SHOWN,
        not_evaluable=sorted(Counter((row.rule, row.division_code, row.book) for row in lost).items()),
        not_evaluable_count=len(lost),
        files=[artefact for artefact in _artefacts() if artefact.kind != DOCS and _may_have(artefact)],
        docs=_docs_index(),
        flag_count=store.night_flag_count(g.db, g.run, g.scope) if g.scope.may(Permission.SEE_FLAGS) else None,
        release=g.run.state == NightState.PARKED and g.scope.may(Permission.RELEASE_NIGHT),
        deliveries=_deliveries({v.division_code for v in verdicts}),
    )


def _other_runs() -> list[NightRun]:
    query = select(NightRun).where(NightRun.as_of == g.run.as_of, NightRun.id != g.run.id)
    return list(g.db.scalars(query.order_by(NightRun.run_no.desc())))


def _problems(verdicts: list[Verdict]) -> list[dict[str, object]]:
    """What the gate remarked, line by line: division, book, code, file, row, column, message."""
    return [
        {"division": verdict.division_code, "book": verdict.book, **reason}
        for verdict in verdicts
        for reason in json.loads(verdict.reasons or "[]")
    ]


def _deliveries(divisions: set[str]) -> list[Delivery]:
    query = select(Delivery).where(Delivery.run_id == g.run.id, Delivery.division_code.in_(sorted(divisions)))
    return list(g.db.scalars(query.order_by(Delivery.division_code, Delivery.file)))


def _artefacts() -> list[Artefact]:
    query = select(Artefact).where(Artefact.run_id == g.run.id).order_by(Artefact.kind, Artefact.level)
    return list(g.db.scalars(query))


def _may_have(artefact: Artefact) -> bool:
    """A level's workbook only for who sees every unit of that level; what has no level only for who sees all of them."""
    if not g.scope.may(Permission.DOWNLOAD_WORKBOOK):
        return False
    return g.scope.covers_level(g.db, artefact.level) if artefact.level else covers_run(g.run)


def show_night_file(as_of: str, artefact_id: int) -> Response:
    """A workbook or the manifest."""
    artefact = g.db.get(Artefact, artefact_id)
    if artefact is None or artefact.run_id != g.run.id or artefact.kind == DOCS or not _may_have(artefact):
        raise NotFound(SENTENCES[404])
    path = _inside(current_app.config["SETTINGS"].reports_dir, artefact.path)
    return send_file(path, as_attachment=True, download_name=f"{g.run.as_of}-{path.name}")


def show_night_held(as_of: str) -> Response:
    """Every row of the divisions in scope that the gate held back, as csv: place and reason, nothing of what it says."""
    divisions = {verdict.division_code for verdict in verdicts_seen(g.run)}
    rows = held_rows(snapshot_dir(current_app.config["SETTINGS"], g.run))
    lines = held_lines(row for row in rows if row.division_code in divisions)
    response = Response(stream_with_context(lines), content_type=TYPES["csv"])
    response.headers["Content-Disposition"] = f"attachment; filename=held-{g.run.as_of}.csv"
    return response


def show_night_docs(as_of: str, filename: str) -> Response:
    """The gate's Data Docs, in a sandbox of their own; only files inside the night's own folder."""
    if not covers_run(g.run):
        raise NotFound(SENTENCES[404])
    path = _inside(_docs_dir(), filename)
    response = send_file(path)
    response.headers["Content-Security-Policy"] = DOCS_CSP
    return response


def _docs_index() -> str | None:
    """Where the Data Docs begin, if there are any and this person may open them."""
    if not (g.scope.may(Permission.SEE_DATA_DOCS) and covers_run(g.run)):
        return None
    return "index.html" if (_docs_dir() / "index.html").is_file() else None


def _docs_dir() -> Path:
    return report_dir(current_app.config["SETTINGS"], g.run) / DOCS


def _inside(folder: Path, name: str) -> Path:
    """The file of that name in the folder, with links and dots resolved. Errors: NotFound for anything outside."""
    try:
        root, path = folder.resolve(), (folder / name).resolve()
    except (OSError, ValueError):
        raise NotFound(SENTENCES[404]) from None
    if not path.is_relative_to(root) or not path.is_file():
        raise NotFound(SENTENCES[404])
    return path


def show_night_release(as_of: str) -> Response:
    """Wake a parked night: its flags open now, its mails and reports follow when its remaining steps are run."""
    folder = snapshot_dir(current_app.config["SETTINGS"], g.run)
    release_night(g.db, g.run.id, folder, g.scope, g.now)
    flash(_("已放行。邮件与报表在重新运行这一夜之后补齐。"), "done")
    return redirect(url_for("night", as_of=as_of), code=303)
