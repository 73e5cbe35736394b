"""Sessions are ended in their own table: the account's uniquifier is read by nobody."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAMES = (
    "id", "login", "email", "display_name", "password", "active", "locale", "wants_mail", "failed_login_count",
    "locked_until", "created_at",
)  # fmt: skip


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _made_anew_on_sqlite()
    else:
        op.drop_constraint("uq_account_fs_uniquifier", "account", type_="unique")
        op.drop_column("account", "fs_uniquifier")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _made_anew_on_sqlite(sa.Column("fs_uniquifier", sa.String(length=64), nullable=False))
        return
    op.add_column("account", sa.Column("fs_uniquifier", sa.String(length=64), nullable=True))
    op.execute("UPDATE account SET fs_uniquifier = md5(random()::text || id::text)")
    op.alter_column("account", "fs_uniquifier", nullable=False)
    op.create_unique_constraint("uq_account_fs_uniquifier", "account", ["fs_uniquifier"])


def _made_anew_on_sqlite(*more: sa.Column) -> None:
    """Grants and sessions point at accounts: the rows go back in before the transaction ends, and the pointers hold."""
    op.execute("PRAGMA defer_foreign_keys = ON")
    account = sa.table("account", *map(sa.column, NAMES))
    rows = [dict(row) for row in op.get_bind().execute(sa.select(account)).mappings()]
    op.drop_table("account")
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("password", sa.String(length=400), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        *more,
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("wants_mail", sa.Boolean(), nullable=False),
        sa.Column("failed_login_count", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        *(sa.UniqueConstraint(column.name, name=op.f(f"uq_account_{column.name}")) for column in more),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    fresh = sa.table("account", *map(sa.column, NAMES), *(sa.column(column.name) for column in more))
    for row in rows:
        op.get_bind().execute(fresh.insert().values(**row, **{column.name: secrets.token_hex(16) for column in more}))
