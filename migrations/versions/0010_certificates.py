"""documents with their files, and certificates: versions, events, recorded facts, yearly checks, public keys"""

import sqlalchemy as sa
from alembic import op

# What was registered, certified or checked is never rewritten, whoever connects to the database.
APPEND_ONLY = (
    "document", "document_unit", "document_file", "certificate", "certificate_event", "certificate_fact",
    "certificate_check", "certificate_key",
)

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _documents()
    _certificates()
    _facts()
    for table in APPEND_ONLY:
        _append_only(table)


def _documents() -> None:
    op.create_table(
        "document",
        sa.Column("doc_no", sa.String(length=200), nullable=False),
        sa.Column("doc_date", sa.Date(), nullable=False),
        sa.Column("meeting", sa.String(length=200), nullable=True),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("division_code", sa.String(length=32), nullable=False),
        sa.Column("registered_by", sa.String(length=64), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("doc_no", name=op.f("pk_document")),
    )
    op.create_index("ix_document_division", "document", ["division_code"])
    op.create_table(
        "document_unit",
        sa.Column("doc_no", sa.String(length=200), nullable=False),
        sa.Column("unit_code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["doc_no"], ["document.doc_no"], name=op.f("fk_document_unit_doc_no_document")),
        sa.PrimaryKeyConstraint("doc_no", "unit_code", name=op.f("pk_document_unit")),
    )
    op.create_index("ix_document_unit_unit", "document_unit", ["unit_code"])
    op.create_table(
        "document_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("doc_no", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_document_file_size")),
        sa.ForeignKeyConstraint(["doc_no"], ["document.doc_no"], name=op.f("fk_document_file_doc_no_document")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_file")),
        sa.UniqueConstraint("doc_no", "sha256", name=op.f("uq_document_file_doc_no_sha256")),
    )


def _certificates() -> None:
    op.create_table(
        "certificate_key",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("public", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_certificate_key")),
    )
    op.create_table(
        "certificate",
        sa.Column("unit_code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_certificate_version")),
        sa.CheckConstraint("valid_until >= issued_on", name=op.f("ck_certificate_dates")),
        sa.ForeignKeyConstraint(
            ["key_id"], ["certificate_key.key_id"], name=op.f("fk_certificate_key_id_certificate_key")
        ),
        sa.PrimaryKeyConstraint("unit_code", "version", name=op.f("pk_certificate")),
        sa.UniqueConstraint("code", name=op.f("uq_certificate_code")),
    )
    op.create_table(
        "certificate_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["unit_code", "version"], ["certificate.unit_code", "certificate.version"],
            name="fk_certificate_event_version",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_event")),
        sa.UniqueConstraint("unit_code", "version", "kind", name=op.f("uq_certificate_event_unit_code_version_kind")),
    )


def _facts() -> None:
    op.create_table(
        "certificate_fact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_code", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("doc_no", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["doc_no"], ["pool_document.doc_no"], name=op.f("fk_certificate_fact_doc_no_pool_document")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_fact")),
    )
    op.create_index("ix_certificate_fact_unit", "certificate_fact", ["unit_code", "kind"])
    op.create_table(
        "certificate_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_code", sa.String(length=64), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("checked_by", sa.String(length=64), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_check")),
    )
    op.create_index("ix_certificate_check_unit", "certificate_check", ["unit_code", "year"])


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
    )
    # TRUNCATE passes row triggers by.
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def downgrade() -> None:
    for index, table in (
        ("ix_certificate_check_unit", "certificate_check"), ("ix_certificate_fact_unit", "certificate_fact"),
        (None, "certificate_event"), (None, "certificate"), (None, "certificate_key"), (None, "document_file"),
        ("ix_document_unit_unit", "document_unit"), ("ix_document_division", "document"),
    ):
        if index:
            op.drop_index(index, table)
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_append_only()")
