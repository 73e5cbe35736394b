"""Counts of findings per run, rule and unit; when a night was pruned."""

import sqlalchemy as sa
from alembic import op

from core.db import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("night_run") as batch:
        batch.add_column(sa.Column("pruned_at", Instant(), nullable=True))
    op.create_table(
        "finding_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column("severity", sa.String(length=2), nullable=False),
        sa.Column("division_code", sa.String(length=32), nullable=True),
        sa.Column("unit_code", sa.String(length=64), nullable=True),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["night_run.id"], name=op.f("fk_finding_count_run_id_night_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_count")),
    )
    op.create_index("ix_finding_count_run", "finding_count", ["run_id", "rule"])
    op.create_index("ix_finding_count_unit", "finding_count", ["unit_code"])
    op.execute(
        "INSERT INTO finding_count (run_id, rule, severity, division_code, unit_code, findings) "
        "SELECT run_id, rule, severity, division_code, unit_code, count(*) FROM finding "
        "GROUP BY run_id, rule, severity, division_code, unit_code"
    )


def downgrade() -> None:
    op.drop_table("finding_count")
    with op.batch_alter_table("night_run") as batch:
        batch.drop_column("pruned_at")
