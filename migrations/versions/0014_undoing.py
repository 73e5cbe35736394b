"""What undoing rests on: the due date a renewal or recall changed; and one live slot per person, in the schema (R08)."""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from core.errors import Refused

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LIVE = sa.text("ended_on IS NULL")


def upgrade() -> None:
    _check_one_each()
    op.add_column("pool_slot_event", sa.Column("due_before", sa.Date(), nullable=True))
    op.create_index(
        "uq_pool_slot_live_person", "pool_slot", ["person_key"], unique=True, sqlite_where=LIVE, postgresql_where=LIVE
    )


def _check_one_each() -> None:
    """Errors: Refused with the slots that two hold by one person; which to return, people decide."""
    slot = sa.table("pool_slot", sa.column("slot_no"), sa.column("person_key"), sa.column("ended_on"))
    live = (
        sa.select(slot.c.person_key, slot.c.slot_no)
        .where(slot.c.ended_on.is_(None), slot.c.person_key.is_not(None))
        .order_by(slot.c.slot_no)
    )
    held = defaultdict(list)
    for person, number in op.get_bind().execute(live):
        held[person].append(number)
    twice = [" and ".join(numbers) for numbers in held.values() if len(numbers) > 1]
    if twice:
        raise Refused(
            f"one person sits on more than one live slot: {'; '.join(twice)}; with the version before, vacate all but one of each, then migrate"
        )


def downgrade() -> None:
    op.drop_index("uq_pool_slot_live_person", "pool_slot")
    op.drop_column("pool_slot_event", "due_before")
