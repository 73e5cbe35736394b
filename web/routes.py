"""The ROUTE table: every address the portal answers, and what each asks of the person. A route that is not here is
not served: the guard in `app.py` refuses it, and a test compares this table with Flask's own map."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.permissions import Permission as P


class Door(StrEnum):
    """How one gets in: anybody, a signed-in person with a cookie, or a bearer token."""

    OPEN = "OPEN"
    PAGE = "PAGE"
    TOKEN = "TOKEN"


class Scoped(StrEnum):
    """Which part of the address names a thing that must lie in the person's scope, else 404."""

    NOTHING = "NOTHING"
    FLAG = "FLAG"
    UNIT = "UNIT"
    NIGHT = "NIGHT"
    ROWS = "ROWS"  # lists: the query itself is limited to the scope


@dataclass(frozen=True)
class Route:
    """One address. `permission` None: signing in is enough (or, for OPEN, not even that)."""

    path: str
    endpoint: str
    methods: tuple[str, ...]
    door: Door
    permission: P | None
    scoped: Scoped


def _open(path: str, endpoint: str, *methods: str) -> Route:
    return Route(path, endpoint, methods or ("GET",), Door.OPEN, None, Scoped.NOTHING)


def _page(path: str, endpoint: str, permission: P | None, scoped: Scoped, *methods: str) -> Route:
    return Route(path, endpoint, methods or ("GET",), Door.PAGE, permission, scoped)


def _api(path: str, endpoint: str, permission: P, scoped: Scoped, method: str = "GET") -> Route:
    return Route(f"/api/v1{path}", f"api.{endpoint}", (method,), Door.TOKEN, permission, scoped)


N, F, U, A, R = Scoped.NOTHING, Scoped.FLAG, Scoped.UNIT, Scoped.NIGHT, Scoped.ROWS

TABLE: tuple[Route, ...] = (
    _open("/static/<path:filename>", "static"),
    _open("/login", "login", "GET", "POST"),
    _open("/language", "language"),
    _open("/healthz", "healthz"),
    _open("/readyz", "readyz"),
    _open("/metrics", "metrics"),
    _open("/api/v1/openapi.json", "openapi.doc_url"),
    _open("/api/v1/", "openapi.openapi"),
    _open("/api/v1/static/<path:filename>", "openapi.static"),
    _open("/api/v1/swagger", "swagger.swagger"),
    _open("/api/v1/oauth2-redirect.html", "swagger.oauth2-redirect"),
    _open("/api/v1/swagger/<path:filename>", "swagger.static"),
    _page("/", "home", None, N),
    _page("/logout", "logout", None, N, "POST"),
    _page("/me", "me", None, N, "GET", "POST"),
    _page("/me/language", "my_language", None, N, "POST"),
    _page("/overview", "overview", P.SEE_FIGURES, R),
    _page("/overview/chart.svg", "overview_chart", P.SEE_FIGURES, R),
    _page("/flags", "flags", P.SEE_FLAGS, R),
    _page("/flags/export.<any(csv,xlsx,json):form>", "flags_export", P.SEE_FLAGS, R),
    _page("/flags/<key>", "flag", P.SEE_FLAGS, F),
    _page("/flags/<key>/identity", "flag_identity", P.SEE_IDENTITY, F, "POST"),
    _page("/flags/<key>/<move>", "flag_move", P.SEE_FLAGS, F, "POST"),
    _page("/units", "units", P.SEE_FIGURES, R),
    _page("/units/<path:code>", "unit", P.SEE_FIGURES, U),
    _page("/units/<path:code>/trend.svg", "unit_chart", P.SEE_FIGURES, U),
    _page("/trends", "trends", P.SEE_FIGURES, R),
    _page("/trends/chart.svg", "trends_chart", P.SEE_FIGURES, R),
    _page("/nights", "nights", P.SEE_NIGHTS, R),
    _page("/nights/<as_of>", "night", P.SEE_NIGHTS, A),
    _page("/nights/<as_of>/files/<int:artefact_id>", "night_file", P.DOWNLOAD_WORKBOOK, A),
    _page("/nights/<as_of>/held.csv", "night_held", P.SEE_VERDICTS, A),
    _page("/nights/<as_of>/docs/<path:filename>", "night_docs", P.SEE_DATA_DOCS, A),
    _page("/nights/<as_of>/release", "night_release", P.RELEASE_NIGHT, A, "POST"),
    _page("/mails", "mails", P.SEE_MAILS, N),
    _page("/mails/<int:mail_id>", "mail", P.SEE_MAILS, N),
    _page("/mails/<int:mail_id>/body", "mail_body", P.SEE_MAILS, N),
    _page("/accounts", "accounts", P.MANAGE_ACCOUNTS, N, "GET", "POST"),
    _page("/accounts/<login>", "account", P.MANAGE_ACCOUNTS, N),
    _page(
        "/accounts/<login>/<any(enable,disable,password,grant,revoke):act>", "account_act", P.MANAGE_ACCOUNTS, N, "POST"
    ),
    _api("/flags", "flags", P.SEE_FLAGS, R),
    _api("/flags/<key>", "flag", P.SEE_FLAGS, F),
    _api("/flags/<key>/identity", "flag_identity", P.SEE_IDENTITY, F, "POST"),
    _api("/flags/<key>/<move>", "flag_move", P.SEE_FLAGS, F, "POST"),
    _api("/nights", "nights", P.SEE_NIGHTS, R),
    _api("/nights/<as_of>", "night", P.SEE_NIGHTS, A),
    _api("/units/<code>", "unit", P.SEE_FIGURES, U),
    _api("/units/<code>/trend", "unit_trend", P.SEE_FIGURES, U),
    _api("/trends", "trends", P.SEE_FIGURES, R),
)

ROUTES: dict[str, Route] = {route.endpoint: route for route in TABLE}
