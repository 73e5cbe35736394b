"""Alembic's entry: every table of every room hangs on core.db.Base."""

from alembic import context

import core.key_mark
import core.standards
import core.tries  # noqa: F401  (imported for its tables)
import night.own_record
import night.situation_models  # noqa: F401  (imported for its tables)
import pool.models  # noqa: F401  (imported for its tables)
import reconcile.models
import reconcile.worklist_models  # noqa: F401  (imported for its tables)
import staffing.delivery_models
import staffing.duty_models
import staffing.models
import staffing.paper_models
import staffing.tipoff_models  # noqa: F401  (imported for its tables)
from core.db import Base, Instant


def _render(kind, value, _context):
    """Migrations stand on plain SQLAlchemy types, so that a later change of ours cannot rewrite history."""
    if kind == "type" and isinstance(value, Instant):
        return "sa.DateTime(timezone=True)"
    return False


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=_render,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


run()
