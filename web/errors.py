"""One shape for every error, as JSON and as a page. Nothing a person did not write on purpose leaks out."""

from __future__ import annotations

import logging
import traceback
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from core.errors import BianzhiError, InputRejected, InvariantViolated, NotFound, Refused
from web.i18n import translate

log = logging.getLogger("bianzhi.web")

# What a page says of errors that no one of us raised. Keys are HTTP statuses.
SENTENCES = {
    400: "请求有误，无法处理。",
    401: "请先登录。",
    403: "您没有办理这一项的权限。",
    404: "没有这个页面，或者不在您的管辖范围内。",
    405: "这个地址不接受这种请求。",
    413: "提交的内容太大。",
    415: "不支持这种内容类型。",
    422: "提交的内容不符合要求。",
    429: "尝试次数过多，请稍后再试。",
    500: "系统出错了。请把下面的编号告诉管理员。",
    503: "系统暂时无法应答，请稍后再试。",
}


class SignInNeeded(Refused):
    """Nobody is signed in, or the session has ended."""

    code = "sign_in_needed"
    http_status = 401


class FormExpired(Refused):
    """A form without this visit's token."""

    code = "form_expired"
    http_status = 400


class TooManyTries(Refused):
    """Slow down."""

    code = "too_many_tries"
    http_status = 429


def register(app: Flask) -> None:
    """Route every exception through the one shape."""
    app.register_error_handler(BianzhiError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unknown)


def refuse_unstorable() -> None:
    """U+0000 in any text of a request: one of our databases keeps it, the other fails on it.

    Errors: NotFound for an address with it, which names nothing; else InputRejected.
    """
    if any("\0" in str(value) for value in (request.view_args or {}).values()):
        raise NotFound(SENTENCES[404])
    given: list[Any] = [*request.args.values(), *request.form.values()]
    if request.is_json and b"u0000" in request.get_data():
        given.append(request.get_json(silent=True))
    while given:
        value = given.pop()
        if isinstance(value, dict):
            given += [*value, *value.values()]
        elif isinstance(value, list):
            given += value
        elif isinstance(value, str) and "\0" in value:
            raise InputRejected("文字中有无法保存的空字符（U+0000），请删去。")


def _ours(error: BianzhiError) -> Response:
    if isinstance(error, SignInNeeded) and request.method in ("GET", "HEAD") and not wants_json():
        return redirect(url_for("login", next=request.full_path.rstrip("?")), code=303)
    if isinstance(error, InvariantViolated):
        log.critical("invariant violated, request %s: %s", g.request_id, error.message)
    elif error.http_status >= 500:
        log.error("request %s: %s", g.request_id, error.message)
    # A 5xx message is for operators; people get the general sentence and the number to quote.
    message = translate(error.message if error.http_status < 500 else SENTENCES[error.http_status])
    details = error.details if error.http_status < 500 else {}
    return answer(error.http_status, error.code, message, details)


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response
    status = error.code or 500
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    response = answer(status, code, gettext(SENTENCES.get(status, SENTENCES[500 if status >= 500 else 400])))
    if status == 405 and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _unknown(error: Exception) -> Response:
    # The kind of error and the places it passed, never its text: that may hold values of a row.
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("request %s failed: %s\n%s", g.get("request_id"), type(error).__name__, places)
    return answer(500, "internal_error", gettext(SENTENCES[500]))


def validation_failed(error: ValidationError) -> Response:
    """What the API answers to a request its document does not allow: where it is wrong, never the value."""
    problems = [{"where": ".".join(map(str, e["loc"])), "what": e["type"]} for e in error.errors(include_url=False)]
    return answer(422, InputRejected.code, gettext(SENTENCES[422]), {"problems": problems})


def wants_json() -> bool:
    """API paths always; elsewhere only who asks for JSON and not for a page."""
    if request.path.startswith("/api/") or request.path in ("/healthz", "/readyz", "/metrics"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def answer(status: int, code: str, message: str, details: dict[str, Any] | None = None) -> Response:
    """The one shape {code, message, details, request_id}, or its page."""
    body = {"code": code, "message": message, "details": details or {}, "request_id": g.get("request_id")}
    if wants_json():
        response = jsonify(body)
    else:
        response = make_response(render_template("error.html", status=status, back=_back(), **body))
    response.status_code = status
    if status == 401 and request.path.startswith("/api/"):
        response.headers["WWW-Authenticate"] = 'Bearer realm="bianzhi"'
    return response


def _back() -> str | None:
    """The page of ours the person came from, if the browser says so."""
    came = urlsplit(request.referrer or "")
    if came.netloc != request.host or came.path == request.path:
        return None
    return came.path + (f"?{came.query}" if came.query else "")
