"""Which units a finding concerns besides its own. Findings of earlier nights concern nobody else until seen again."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "concern",
        sa.Column("finding_id", sa.Integer(), nullable=False),
        sa.Column("unit_code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_concern_finding_id_finding"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("finding_id", "unit_code", name=op.f("pk_concern")),
    )
    op.create_index("ix_concern_unit", "concern", ["unit_code"])


def downgrade() -> None:
    op.drop_index("ix_concern_unit", "concern")
    op.drop_table("concern")
