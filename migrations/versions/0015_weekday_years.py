"""The years a deadline of working days crossed before their holidays were published, kept with the deadline."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
# The last day of each row's deadlines, and the last year whose arrangement the calendar then knew.
LAST_DAYS = {
    "staff_block": "due_on",
    "tip_off": "answer_by",
    "referral": "answer_by",
    "report_period": "deadline",
}
LAST_PUBLISHED = 2026


def upgrade() -> None:
    for table, last_day in LAST_DAYS.items():
        op.add_column(table, sa.Column("weekday_years", sa.String(60), nullable=False, server_default=""))
        rows = sa.table(table, sa.column("weekday_years", sa.String), sa.column(last_day, sa.Date))
        year = sa.extract("year", rows.c[last_day])
        for crossed in range(LAST_PUBLISHED + 1, LAST_PUBLISHED + 4):
            held = ",".join(str(number) for number in range(LAST_PUBLISHED + 1, crossed + 1))
            op.execute(rows.update().where(year == crossed).values(weekday_years=held))


def downgrade() -> None:
    for table in LAST_DAYS:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("weekday_years")
