"""a flag's own number, sealed identities, and the mark of the key in force"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None

EVENT_TRIGGERS = ("UPDATE", "DELETE")


def upgrade() -> None:
    op.create_table(
        "key_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_mark")),
    )
    op.create_table(
        "person_identity",
        sa.Column("person_key", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", name=op.f("pk_person_identity")),
    )
    op.add_column("night_run", sa.Column("key_mark", sa.String(length=32), nullable=True))
    _without_triggers()
    if op.get_bind().dialect.name == "sqlite":
        _number_flags_on_sqlite()
    else:
        _number_flags()
    _with_triggers()


def _number_flags() -> None:
    op.drop_constraint("fk_flag_event_flag_key_flag", "flag_event", type_="foreignkey")
    op.drop_constraint("pk_flag", "flag", type_="primary")
    op.execute("ALTER TABLE flag ADD COLUMN id SERIAL")
    op.create_primary_key("pk_flag", "flag", ["id"])
    op.create_unique_constraint("uq_flag_key", "flag", ["key"])
    op.add_column("flag_event", sa.Column("flag_id", sa.Integer(), nullable=True))
    op.execute("UPDATE flag_event SET flag_id = flag.id FROM flag WHERE flag.key = flag_event.flag_key")
    op.alter_column("flag_event", "flag_id", nullable=False)
    op.create_foreign_key("fk_flag_event_flag_id_flag", "flag_event", "flag", ["flag_id"], ["id"])
    op.drop_index("ix_flag_event_key", "flag_event")
    op.drop_column("flag_event", "flag_key")
    op.create_index("ix_flag_event_flag", "flag_event", ["flag_id", "id"])


def _number_flags_on_sqlite() -> None:
    # In this order no row ever points at a table that is being made anew.
    with op.batch_alter_table("flag_event", recreate="always") as batch:
        batch.drop_constraint("fk_flag_event_flag_key_flag", type_="foreignkey")
        batch.add_column(sa.Column("flag_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("flag", recreate="always") as batch:
        batch.drop_constraint("pk_flag", type_="primary")
        batch.add_column(sa.Column("id", sa.Integer(), nullable=False))
        batch.create_primary_key("pk_flag", ["id"])
        batch.create_unique_constraint("uq_flag_key", ["key"])
    op.execute("UPDATE flag_event SET flag_id = (SELECT id FROM flag WHERE flag.key = flag_event.flag_key)")
    with op.batch_alter_table("flag_event", recreate="always") as batch:
        batch.alter_column("flag_id", existing_type=sa.Integer(), nullable=False)
        batch.create_foreign_key("fk_flag_event_flag_id_flag", "flag", ["flag_id"], ["id"])
        batch.drop_index("ix_flag_event_key")
        batch.drop_column("flag_key")
        batch.create_index("ix_flag_event_flag", ["flag_id", "id"])


def _without_triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in EVENT_TRIGGERS:
            op.execute(f"DROP TRIGGER flag_event_no_{verb.lower()}")
    else:
        op.execute("DROP TRIGGER flag_event_no_change ON flag_event")


def _with_triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in EVENT_TRIGGERS:
            op.execute(
                f"CREATE TRIGGER flag_event_no_{verb.lower()} BEFORE {verb} ON flag_event "
                "BEGIN SELECT RAISE(ABORT, 'flag_event is append-only'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER flag_event_no_change BEFORE UPDATE OR DELETE ON flag_event "
            "FOR EACH ROW EXECUTE FUNCTION flag_event_append_only()"
        )


def downgrade() -> None:
    _without_triggers()
    if op.get_bind().dialect.name == "sqlite":
        _unnumber_flags_on_sqlite()
    else:
        _unnumber_flags()
    _with_triggers()
    op.drop_column("night_run", "key_mark")
    op.drop_table("person_identity")
    op.drop_table("key_mark")


def _unnumber_flags() -> None:
    op.add_column("flag_event", sa.Column("flag_key", sa.String(length=32), nullable=True))
    op.execute("UPDATE flag_event SET flag_key = flag.key FROM flag WHERE flag.id = flag_event.flag_id")
    op.alter_column("flag_event", "flag_key", nullable=False)
    op.drop_index("ix_flag_event_flag", "flag_event")
    op.drop_column("flag_event", "flag_id")
    op.drop_constraint("uq_flag_key", "flag", type_="unique")
    op.drop_column("flag", "id")
    op.create_primary_key("pk_flag", "flag", ["key"])
    op.create_foreign_key("fk_flag_event_flag_key_flag", "flag_event", "flag", ["flag_key"], ["key"])
    op.create_index("ix_flag_event_key", "flag_event", ["flag_key", "id"])


def _unnumber_flags_on_sqlite() -> None:
    with op.batch_alter_table("flag_event", recreate="always") as batch:
        batch.drop_constraint("fk_flag_event_flag_id_flag", type_="foreignkey")
        batch.drop_index("ix_flag_event_flag")
        batch.add_column(sa.Column("flag_key", sa.String(length=32), nullable=True))
    op.execute("UPDATE flag_event SET flag_key = (SELECT key FROM flag WHERE flag.id = flag_event.flag_id)")
    with op.batch_alter_table("flag", recreate="always") as batch:
        batch.drop_constraint("pk_flag", type_="primary")
        batch.drop_constraint("uq_flag_key", type_="unique")
        batch.drop_column("id")
        batch.create_primary_key("pk_flag", ["key"])
    with op.batch_alter_table("flag_event", recreate="always") as batch:
        batch.alter_column("flag_key", existing_type=sa.String(length=32), nullable=False)
        batch.drop_column("flag_id")
        batch.create_foreign_key("fk_flag_event_flag_key_flag", "flag", ["flag_key"], ["key"])
        batch.create_index("ix_flag_event_key", ["flag_key", "id"])
