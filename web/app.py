"""The portal, put together: one application, one guard for every route, one transaction per request."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, Response, current_app, g, request
from flask_openapi3 import Info, OpenAPI
from sqlalchemy import Engine
from werkzeug.routing import IntegerConverter, Map

from core.accounts import User, user_of_token
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InvariantViolated
from core.permissions import scope_of
from core.settings import Settings
from reconcile.flags import OFFICE_TIME
from staffing.certificate_pdf import Press
from staffing.renewal import mark_of, renew_moved
from web import api, errors, health, i18n, pages, scoping, security, templating
from web import session as sessions
from web.auth import AddressThrottle
from web.errors import SignInNeeded
from web.public_cache import PublicCache
from web.routes import ROUTES, Door, Route

SAFE = ("GET", "HEAD", "OPTIONS")
SECURITY = {"bearer": {"type": "http", "scheme": "bearer"}}
MAX_BODY = 256 * 1024
MEGABYTE = 2**20
LARGE_BODIES = {
    "document_new": 64 * MEGABYTE, "document": 64 * MEGABYTE, "api.document_add": 96 * MEGABYTE, "verify": 5 * MEGABYTE,
    "duties_import": 11 * MEGABYTE, "api.duties_import": 32 * MEGABYTE,
}  # fmt: skip


class NumberInAddress(IntegerConverter):
    """A number no larger than any database keeps: what is larger names nothing, and is 404 as such."""

    def __init__(self, rules: Map) -> None:
        super().__init__(rules, max=2**53)


@dataclass(frozen=True)
class Viewer:
    """What every page says of the person at it, error pages too: plain values that outlive a rolled-back session."""

    user_id: int
    login: str
    display_name: str
    locale: str


class Portal(OpenAPI):
    """The application. Every request passes the guard of the ROUTE table, inside the transaction its view works in."""

    def dispatch_request(self) -> Response:
        """Guard, then view, then commit; an error anywhere rolls back and becomes the one error shape."""
        if request.url_rule is None or request.routing_exception is not None:
            return super().dispatch_request()
        route = ROUTES.get(request.endpoint or "")
        if route is None:
            raise InvariantViolated(f"the route {request.endpoint} is not in the ROUTE table")
        allow_large(route.endpoint)
        if route.door is Door.OPEN or request.method == "OPTIONS":
            errors.refuse_unstorable()
            return super().dispatch_request()
        transaction = reading if request.method in SAFE else writing
        with transaction(database()) as db:
            g.db = db
            admit(route)
            errors.refuse_unstorable()
            if request.method in SAFE:
                return self.make_response(super().dispatch_request())
            since = mark_of(db)
            answer = self.make_response(super().dispatch_request())
            # Any change of the ledger renews the certificates it touches, or neither is kept.
            renew_moved(db, Press.of(current_app.config["SETTINGS"]), g.now, g.user.login, since)
            return answer


def admit(route: Route) -> None:
    """Errors: SignInNeeded, FormExpired, Forbidden, and NotFound for what lies outside the person's scope."""
    if g.user is None or (route.door is Door.TOKEN) != g.by_token:
        raise SignInNeeded(errors.SENTENCES[401])
    # Read again inside this transaction: rights may have gone since the cookie was looked at.
    g.user = g.db.get(User, g.viewer.user_id)
    if g.user is None or not g.user.active:
        raise SignInNeeded(errors.SENTENCES[401])
    if route.door is Door.PAGE and request.method not in SAFE:
        sessions.check_form()
    g.scope = scope_of(g.db, g.user, g.now.astimezone(OFFICE_TIME).date())
    if route.permission is not None and not g.scope.may(route.permission):
        raise Forbidden(errors.SENTENCES[403])
    scoping.load(route.scoped, request.view_args or {})


def allow_large(endpoint: str) -> None:
    """Let the few addresses that take files take more than a form. What a document may weigh is a parameter below this."""
    if endpoint in LARGE_BODIES and request.method == "POST":
        request.max_content_length = LARGE_BODIES[endpoint]


def database() -> Engine:
    """The engine of this application."""
    return current_app.extensions["bianzhi_engine"]


def identify() -> None:
    """Who is asking; the first thing done to any request. A dead cookie is nobody's."""
    g.request_id = secrets.token_hex(8)
    g.now = current_app.config["CLOCK"]()
    g.user, g.viewer, g.scope, g.visit, g.new_visit, g.by_token = None, None, None, None, None, False
    route = ROUTES.get(request.endpoint or "")
    if request.endpoint == "static":
        return
    if request.path.startswith("/api/") or (route is not None and route.endpoint == "metrics"):
        _by_token()
    else:
        _by_cookie()


def _is(user: User | None) -> None:
    g.user = user
    g.viewer = Viewer(user.id, user.login, user.display_name, user.locale) if user is not None else None


def _by_token() -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return
    with reading(database()) as db:
        _is(user_of_token(db, token.strip()))
    g.by_token = g.user is not None


def _by_cookie() -> None:
    g.visit = sessions.cookie()
    if g.visit is None:
        return
    with reading(database()) as db:
        row = sessions.live(db, g.visit, g.now)
        user = db.get(User, row.user_id) if row is not None else None
        _is(user if user is not None and user.active else None)
        stale = row is not None and g.now - row.seen_at > sessions.TOUCH
    if g.user is not None and stale:
        with writing(database()) as db:
            sessions.touch(db, g.visit, g.now)


def open_over(app: Flask, settings: Settings, clock: Callable[[], datetime] | None = None) -> None:
    """Everything of the portal that is of one database, one set of settings and one clock, as at its start."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SETTINGS=settings,
        CLOCK=clock or (lambda: datetime.now(UTC)),
        SESSION_COOKIE_SECURE=settings.portal_url.startswith("https://"),
    )
    app.extensions["bianzhi_engine"] = engine_for(settings.database_url)
    app.extensions["bianzhi_throttle"] = AddressThrottle()
    app.extensions["bianzhi_verify_throttle"] = AddressThrottle(tries=30)
    app.extensions["bianzhi_public"] = PublicCache(unset=settings.env == "development")


def create_app(settings: Settings, clock: Callable[[], datetime] | None = None) -> Flask:
    """The portal over a database that is already at the newest schema. `clock` gives the time, in UTC."""
    app = Portal(
        "web",
        info=Info(title="Bianzhi 编制核对", version="1", description="Quota, people in post, finance-paid headcount."),
        security_schemes=SECURITY,
        doc_prefix="/api/v1",
        doc_url="/openapi.json",
        validation_error_callback=errors.validation_failed,
        validation_error_model=api.models.Problem,
    )
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        # Flask's own session carries nothing but the notice shown after a redirect.
        SESSION_COOKIE_NAME="bianzhi_notice",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SWAGGER_HTML_STRING=security.SWAGGER_PAGE,
        OPENAPI_HTML_STRING=security.API_HOME,
    )
    app.url_map.converters = {**app.url_map.converters, "int": NumberInAddress}
    app.json.ensure_ascii = False
    app.json.sort_keys = False
    open_over(app, settings, clock)
    app.before_request_funcs.setdefault(None, []).insert(0, identify)
    i18n.register(app, settings.timezone)
    errors.register(app)
    security.register(app)
    templating.register(app)
    health.register(app)
    pages.register(app)
    api.register(app)
    return app
