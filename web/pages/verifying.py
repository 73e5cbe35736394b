"""The public page that says whether a certificate is genuine and in force. No account, no person, and not too often."""

from __future__ import annotations

from flask import Response, current_app, g, make_response, render_template, request

from core.db import reading
from core.errors import InputRejected, NotFound
from pool.acting import OFFICE_TIME
from staffing.certificate_store import public_keys
from staffing.signing import pem_of
from staffing.verifying import MOST_BYTES, Answer, verify_code, verify_file

ENDPOINTS = ("verify", "verify_code", "verify_key")


def show_verify() -> str:
    """The form; the answer to a code (GET) or to a file (POST)."""
    if request.method == "POST":
        given = request.files.get("file")
        content = given.read(MOST_BYTES + 1) if given else b""
        if not content:
            raise InputRejected("请先选择文件。", field="file")
        if len(content) > MOST_BYTES:
            raise InputRejected("这个文件太大，不是机构编制管理证。", field="file")
        return _answered(lambda db: verify_file(db, content, _today()))
    code = (request.args.get("code") or "").strip()[:400]
    return show_verify_code(code) if code else render_template("verify.html", answer=None, typed="")


def show_verify_code(code: str) -> str:
    """The answer to a code, as the QR code's address asks for it."""
    typed = code[:400]
    return _answered(lambda db: verify_code(db, typed, _today()), typed)


def show_verify_key() -> Response:
    """The public keys, for verifying without us; the newest last."""
    with reading(current_app.extensions["bianzhi_engine"]) as db:
        keys = public_keys(db)
    if not keys:
        raise NotFound("还没有核发过机构编制管理证。")
    response = make_response("".join(pem_of(key) for key in keys))
    response.headers["Content-Type"] = "application/x-pem-file"
    return response


def _answered(ask, typed: str = "") -> str:
    # Every try counts: a code has 80 random bits, but nobody need try them at our cost.
    current_app.extensions["bianzhi_verify_throttle"].admit(request.remote_addr or "-", g.now)
    with reading(current_app.extensions["bianzhi_engine"]) as db:
        answer: Answer = ask(db)
    return render_template("verify.html", answer=answer, typed=typed)


def _today():
    return g.now.astimezone(OFFICE_TIME).date()
