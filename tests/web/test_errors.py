"""One error shape, as JSON and as a page, and nothing leaks through it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from core.errors import InputRejected, InvariantViolated, Refused, Unavailable
from web import errors

JSON = {"Accept": "application/json"}
SECRET = "370102199001011234"


@pytest.fixture
def provoke(app, monkeypatch) -> Callable[[Exception], None]:
    """Make the sign-in page raise."""

    def raising(error: Exception) -> None:
        def fail():
            raise error

        monkeypatch.setitem(app.view_functions, "login", fail)

    return raising


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("不行", why="closed"), 409, "refused"),
        (InputRejected("请填写理由。"), 422, "input_rejected"),
        (Unavailable(f"down {SECRET}"), 503, "unavailable"),
        (InvariantViolated(f"broken {SECRET}"), 500, "invariant_violated"),
        (RuntimeError(f"secret {SECRET}"), 500, "internal_error"),
    ],
)
def test_every_error_has_the_same_shape_in_both_forms(app, provoke, error, status, code):
    provoke(error)
    client = app.test_client()
    answer = client.get("/login", headers=JSON)
    assert answer.status_code == status
    assert set(answer.json) == {"code", "message", "details", "request_id"}
    assert answer.json["code"] == code
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    page = client.get("/login")
    assert page.status_code == status
    assert page.headers["X-Request-ID"] in page.text
    assert code in page.text
    assert SECRET not in page.text + answer.text


def test_an_unknown_exception_leaves_its_values_out_of_the_log(app, provoke, caplog):
    provoke(RuntimeError(f"secret {SECRET}"))
    with caplog.at_level(logging.ERROR):
        answer = app.test_client().get("/login")
    assert answer.headers["X-Request-ID"] in caplog.text
    assert "RuntimeError" in caplog.text
    assert "test_errors.py" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(("method", "path", "status"), [
    ("get", "/nowhere", 404), ("delete", "/login", 405), ("post", "/healthz", 405), ("get", "/api/v1/nowhere", 404),
    ("get", "/api/v1/flags", 401), ("patch", "/api/v1/flags", 405),
])  # fmt: skip
def test_errors_of_the_framework_have_the_shape_too(app, method, path, status):
    answer = getattr(app.test_client(), method)(path, headers=JSON)
    assert answer.status_code == status
    assert set(answer.json) == {"code", "message", "details", "request_id"}


def test_a_form_that_is_too_large_is_refused(browser):
    answer = browser("officer").post("/me", {"label": "x" * 400_000})
    assert answer.status_code == 413


def test_a_null_character_is_refused_wherever_it_stands(app, browser):
    client = app.test_client()
    for answer in (
        client.get("/public?q=a%00b", headers=JSON),
        client.post("/tip-off", json={"text": ["a\0b"]}, headers=JSON),
        client.post("/login", data={"login": "a\0b"}, headers=JSON),
    ):
        assert (answer.status_code, answer.json["code"]) == (422, "input_rejected")
        assert "U+0000" in answer.json["message"]
    assert "U+0000" in browser("officer").post("/me", {"label": "a\0b"}).text


def test_every_answer_forbids_what_browsers_should_not_do(app, browser):
    for answer in (
        app.test_client().get("/login"),
        browser("officer").get("/overview"),
        app.test_client().get("/nowhere"),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_sentences_exist_for_every_status_we_answer():
    own = [error.http_status for error in (Refused, InputRejected, Unavailable, InvariantViolated, errors.TooManyTries)]
    assert set(own) - {409} <= set(errors.SENTENCES)
