"""/api/v1: the same facts and moves as the pages, for programs, with a person's bearer token."""

from __future__ import annotations

from flask_openapi3 import OpenAPI

from web.api import (
    duties,
    gate_moves,
    gate_night,
    gate_reads,
    models,
    notices,
    papers,
    pool_moves,
    pool_reads,
    tip_offs,
    worklists,
)
from web.api.views import blueprint

__all__ = [
    "duties",
    "gate_moves",
    "gate_night",
    "gate_reads",
    "models",
    "notices",
    "papers",
    "pool_moves",
    "pool_reads",
    "register",
    "tip_offs",
    "worklists",
]


def register(app: OpenAPI) -> None:
    """Attach the API and its document."""
    app.register_api(blueprint)
