"""Sunshine: codes for the own record, counted tries, tip-offs, situation reports, notices and referrals of flags."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

APPEND_ONLY = ("tip_off_step",)


def upgrade() -> None:
    op.create_table('lookup_code',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('proof', sa.String(length=64), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('issued_by', sa.String(length=64), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lookup_code'))
    )
    op.create_index('ix_lookup_code_proof', 'lookup_code', ['proof'], unique=True)
    op.create_table('public_try',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('mark', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_public_try'))
    )
    op.create_index('ix_public_try_mark', 'public_try', ['mark', 'at'], unique=False)
    op.create_table('report_period',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=24), nullable=False),
    sa.Column('division_code', sa.String(length=32), nullable=False),
    sa.Column('level', sa.String(length=16), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('deadline', sa.Date(), nullable=False),
    sa.Column('as_of', sa.Date(), nullable=False),
    sa.Column('opened_by', sa.String(length=64), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('first_day <= last_day', name=op.f('ck_report_period_days')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_period')),
    sa.UniqueConstraint('code', 'division_code', 'level', name=op.f('uq_report_period_code_division_code_level'))
    )
    op.create_table('tip_off',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=True),
    sa.Column('division_code', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('outcome', sa.String(length=24), nullable=True),
    sa.Column('handler', sa.String(length=64), nullable=True),
    sa.Column('flag_ref', sa.Integer(), nullable=True),
    sa.Column('sealed_text', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_contact', sa.LargeBinary(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_on', sa.Date(), nullable=False),
    sa.Column('take_by', sa.Date(), nullable=False),
    sa.Column('answer_by', sa.Date(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(handler IS NULL) = (status = 'RECEIVED')", name=op.f('ck_tip_off_handler')),
    sa.CheckConstraint("(outcome IS NULL) = (status <> 'CLOSED')", name=op.f('ck_tip_off_outcome')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tip_off')),
    sa.UniqueConstraint('number', name=op.f('uq_tip_off_number'))
    )
    op.create_index('ix_tip_off_status', 'tip_off', ['status', 'answer_by'], unique=False)
    op.create_table('situation_report',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('period_id', sa.Integer(), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('unit_name', sa.String(length=400), nullable=False),
    sa.Column('division_code', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('as_of', sa.Date(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('answered_by', sa.String(length=64), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('confirmed_by', sa.String(length=64), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('hash', sa.String(length=64), nullable=True),
    sa.CheckConstraint("(status = 'CONFIRMED') = (hash IS NOT NULL AND confirmed_by IS NOT NULL AND confirmed_at IS NOT NULL)", name=op.f('ck_situation_report_frozen')),
    sa.ForeignKeyConstraint(['period_id'], ['report_period.id'], name=op.f('fk_situation_report_period_id_report_period')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_situation_report')),
    sa.UniqueConstraint('period_id', 'unit_code', name=op.f('uq_situation_report_period_id_unit_code'))
    )
    op.create_index('ix_situation_report_unit', 'situation_report', ['unit_code'], unique=False)
    op.create_table('tip_off_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('tip_off_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('move', sa.String(length=24), nullable=False),
    sa.Column('from_status', sa.String(length=16), nullable=True),
    sa.Column('to_status', sa.String(length=16), nullable=False),
    sa.Column('sealed_note', sa.LargeBinary(), nullable=True),
    sa.Column('shown', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['tip_off_id'], ['tip_off.id'], name=op.f('fk_tip_off_step_tip_off_id_tip_off')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tip_off_step'))
    )
    op.create_index('ix_tip_off_step_case', 'tip_off_step', ['tip_off_id', 'id'], unique=False)
    op.create_table('rectification',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('flag_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('requirement', sa.Text(), nullable=False),
    sa.Column('deadline', sa.Date(), nullable=False),
    sa.Column('issued_by', sa.String(length=64), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('reported_by', sa.String(length=64), nullable=True),
    sa.Column('reported_on', sa.Date(), nullable=True),
    sa.Column('measures', sa.Text(), nullable=True),
    sa.Column('rechecked_by', sa.String(length=64), nullable=True),
    sa.Column('passed_on', sa.Date(), nullable=True),
    sa.Column('recheck_note', sa.Text(), nullable=True),
    sa.Column('failed_count', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(status = 'ISSUED') OR (reported_by IS NOT NULL)", name=op.f('ck_rectification_reported')),
    sa.CheckConstraint("(status = 'PASSED') = (passed_on IS NOT NULL)", name=op.f('ck_rectification_passed')),
    sa.ForeignKeyConstraint(['flag_id'], ['flag.id'], name=op.f('fk_rectification_flag_id_flag')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rectification')),
    sa.UniqueConstraint('number', name=op.f('uq_rectification_number'))
    )
    op.create_index('ix_rectification_flag', 'rectification', ['flag_id'], unique=False)
    op.create_index('ix_rectification_status', 'rectification', ['status', 'deadline'], unique=False)
    op.create_table('referral',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('flag_id', sa.Integer(), nullable=False),
    sa.Column('office', sa.String(length=16), nullable=False),
    sa.Column('addressee', sa.String(length=400), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('receipt_by', sa.Date(), nullable=False),
    sa.Column('answer_by', sa.Date(), nullable=False),
    sa.Column('sent_by', sa.String(length=64), nullable=False),
    sa.Column('sent_on', sa.Date(), nullable=False),
    sa.Column('received_by', sa.String(length=64), nullable=True),
    sa.Column('received_on', sa.Date(), nullable=True),
    sa.Column('receipt_no', sa.String(length=200), nullable=True),
    sa.Column('answered_by', sa.String(length=64), nullable=True),
    sa.Column('answered_on', sa.Date(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(status = 'ANSWERED') = (answered_on IS NOT NULL)", name=op.f('ck_referral_answered')),
    sa.CheckConstraint("(status = 'SENT') = (received_on IS NULL)", name=op.f('ck_referral_received')),
    sa.ForeignKeyConstraint(['flag_id'], ['flag.id'], name=op.f('fk_referral_flag_id_flag')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_referral')),
    sa.UniqueConstraint('number', name=op.f('uq_referral_number'))
    )
    op.create_index('ix_referral_flag', 'referral', ['flag_id'], unique=False)
    op.create_index('ix_referral_office', 'referral', ['office', 'status'], unique=False)
    op.create_table('situation_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('report_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('measure', sa.String(length=24), nullable=False),
    sa.Column('part', sa.String(length=40), nullable=False),
    sa.Column('figure', sa.Integer(), nullable=True),
    sa.Column('answer', sa.String(length=16), nullable=True),
    sa.Column('stated', sa.Integer(), nullable=True),
    sa.Column('remark', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['report_id'], ['situation_report.id'], name=op.f('fk_situation_line_report_id_situation_report')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_situation_line')),
    sa.UniqueConstraint('report_id', 'measure', 'part', name=op.f('uq_situation_line_report_id_measure_part')),
    sa.UniqueConstraint('report_id', 'place', name=op.f('uq_situation_line_report_id_place'))
    )
    for table in APPEND_ONLY:
        if op.get_bind().dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        else:
            op.execute(
                f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
            )
            op.execute(
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
            op.execute(f"DROP FUNCTION {table}_append_only()")
    op.drop_table("situation_line")
    op.drop_table("referral")
    op.drop_table("rectification")
    op.drop_table("tip_off_step")
    op.drop_table("situation_report")
    op.drop_table("tip_off")
    op.drop_table("report_period")
    op.drop_table("public_try")
    op.drop_table("lookup_code")
