"""Documents and certificates in the API: the same facts and steps as the pages. Steps are repeatable by their content."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict

from flask import Response, g
from flask_openapi3 import Tag

from core.errors import InputRejected
from staffing import shelf
from staffing.certificate_content import changes_between
from staffing.certificate_lists import certificate_page
from staffing.certificate_store import (
    certificate_due,
    checks_missing,
    facts_of,
    state_of,
    version_of,
    versions_of,
)
from staffing.copies import copies
from staffing.document_gate import hanging_at_the_gate
from staffing.documents import (
    Registration,
    add_file,
    document_page,
    files_of,
    hanging_on,
    register_document,
    unregistered,
)
from staffing.paper_models import Document, DocumentFile
from web.api import models as shared
from web.api import paper_models as m
from web.api.pool_reads import fields
from web.api.views import _answer, blueprint
from web.papers import certificate_step, download, folder, paper_act

PAPERS = Tag(name="papers")
OCTETS = "application/octet-stream"


@blueprint.get("/certificates", endpoint="certificates", tags=[PAPERS], responses={"200": m.CertificateList})
def list_certificates(query: m.CertificateQuery) -> Response:
    """The newest certificate of every unit of the scope that has a ledger or one."""
    listed, total = certificate_page(
        g.db, g.scope, paper_act().today, which=query.state, text=query.q or "", limit=query.page_size,
        offset=(query.page - 1) * query.page_size,
    )  # fmt: skip
    return _answer(m.CertificateList(total=total, page=query.page, page_size=query.page_size, items=[
        m.CertificateRow(
            unit_code=each.unit.unit_code, unit_name=each.unit.unit_name, state=each.state, due=each.due,
            check_missing=each.check_missing, version=each.newest.version if each.newest else None,
            code=each.newest.code if each.newest else None, issued_on=each.newest.issued_on if each.newest else None,
            valid_until=each.newest.valid_until if each.newest else None,
        )
        for each in listed
    ]))  # fmt: skip


@blueprint.get("/certificates/<code>", endpoint="certificate", tags=[PAPERS], responses={"200": m.CertificateOut})
def read_certificate(path: shared.UnitPath) -> Response:
    """One unit's certificate: content, versions with what each changed, the three copies, what a new one would change."""
    today, versions = paper_act().today, versions_of(g.db, path.code)
    contents = {row.version: json.loads(row.content) for row in versions}
    facts = facts_of(g.db, [path.code], today).get(path.code)
    newest = contents[versions[0].version] if versions else None
    pending = changes_between(newest["facts"], facts.plain()) if newest and facts else []
    spell = lambda changes: [m.ChangeOut(**asdict(change)) for change in changes]
    since = lambda row: contents[row.version - 1]["facts"] if row.version - 1 in contents else None
    return _answer(m.CertificateOut(
        unit_code=path.code, unit_name=g.unit.unit_name, due=certificate_due(g.db, [path.code], today).get(path.code),
        check_missing=bool(checks_missing(g.db, [path.code], today)), content=newest, pending=spell(pending),
        versions=[
            fields(
                row, m.CertificateVersionOut, state=state_of(g.db, row, today),
                changes=spell(changes_between(since(row), contents[row.version]["facts"])) if since(row) else [],
            )
            for row in versions
        ],
        copies=[fields(row, m.CopyOut) for row in copies(g.db, path.code, today)],
    ))  # fmt: skip


@blueprint.get(
    "/certificates/<code>/pdf", endpoint="certificate_pdf", tags=[PAPERS],
    responses={"200": {"description": "The file as issued", "content": {"application/pdf": m.BINARY}}},
)  # fmt: skip
def read_certificate_pdf(path: shared.UnitPath, query: m.VersionQuery) -> Response:
    """A version as it was issued, to the byte: any other byte and its seal is broken."""
    row = version_of(g.db, path.code, query.version)
    content = shelf.take(folder(), row.file_sha256)
    return download(content, f"certificate-{row.unit_code}-{row.version}.pdf", "application/pdf")


@blueprint.post(
    "/certificates/<code>/<step>", endpoint="certificate_step", tags=[PAPERS],
    responses={"200": m.PaperStepOut, "409": shared.Problem},
)  # fmt: skip
def step_certificate(path: m.CertificateStepPath, body: m.CertificateStepBody) -> Response:
    """Renew (issue), record a yearly check or a fact, or revoke."""
    done = certificate_step(str(path.step), path.code, body.model_dump())
    return _answer(m.PaperStepOut(**{name: done[name] for name in m.PaperStepOut.model_fields if name in done}))


@blueprint.get("/documents", endpoint="documents", tags=[PAPERS], responses={"200": m.DocumentList})
def list_documents(query: m.DocumentQuery) -> Response:
    """Documents of the scope, the newest first."""
    rows, total = document_page(g.db, g.scope, query.q or "", query.page_size, (query.page - 1) * query.page_size)
    files = files_of(g.db, [row.doc_no for row in rows])
    return _answer(m.DocumentList(
        total=total, page=query.page, page_size=query.page_size, items=[_row(row, files[row.doc_no]) for row in rows],
        unregistered=[row.doc_no for row in unregistered(g.db, g.scope)],
    ))  # fmt: skip


def _row(row: Document, files: list[DocumentFile]) -> m.DocumentRow:
    return fields(row, m.DocumentRow, files=[fields(file, m.FileOut) for file in files])


@blueprint.post(
    "/documents", endpoint="document_new", tags=[PAPERS], responses={"200": m.RegisteredOut, "409": shared.Problem}
)
def register(body: m.DocumentBody) -> Response:
    """Register a document. The same again changes nothing; another statement under its number is refused."""
    given = Registration(body.doc_no, body.doc_date, body.title, body.meeting, tuple(body.units))
    return _answer(m.RegisteredOut(**register_document(g.db, paper_act(), given, body.division_code)))


@blueprint.get("/documents/<doc_no>", endpoint="document", tags=[PAPERS], responses={"200": m.DocumentOut})
def read_document(path: m.DocumentPath) -> Response:
    """One document with its files and what hangs on it, as far as the scope sees it."""
    row, hanging = g.document, hanging_on(g.db, g.scope, g.document.doc_no)
    gate = hanging_at_the_gate(g.db, g.scope, row.doc_no)
    return _answer(m.DocumentOut(
        document=_row(row, files_of(g.db, [row.doc_no])[row.doc_no]), units=hanging.units,
        movements=[movement.seq for movement in hanging.movements],
        certificates=[f"{each.unit_code}-{each.version:03d}" for each in hanging.certificates],
        plans=[plan.number for plan in gate.plans], permits=[row.permit_no for row in gate.permits],
        reorganisations=[f"{each.kind} {each.node_id}" for each in gate.reorganisations],
    ))  # fmt: skip


@blueprint.post(
    "/documents/<doc_no>/files", endpoint="document_add", tags=[PAPERS],
    responses={"200": m.AddedOut, "409": shared.Problem},
)  # fmt: skip
def add(path: m.DocumentPath, body: m.DocumentFileBody) -> Response:
    """Add a file, in base64. Name and first bytes must agree on one of the accepted types."""
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise InputRejected("文件内容须为 base64。", field="content") from None
    return _answer(m.AddedOut(**add_file(g.db, paper_act(), path.doc_no, body.name, content, folder())))


@blueprint.get(
    "/documents/files/<int:file_id>", endpoint="document_file", tags=[PAPERS],
    responses={"200": {"description": "The file", "content": {OCTETS: m.BINARY}}},
)  # fmt: skip
def read_file(path: m.FilePath) -> Response:
    """The bytes of a file."""
    return download(shelf.take(folder(), g.file.sha256), g.file.name, OCTETS)
