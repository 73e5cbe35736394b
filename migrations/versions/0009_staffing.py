"""the gate: plans, consultations, permits, slots, notices; steps that cannot be rewritten"""

import sqlalchemy as sa
from alembic import op

# The steps of people are append-only in the database itself, whoever connects to it.
APPEND_ONLY = ("staff_step",)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('staff_consultation',
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('entry_form', sa.String(length=16), nullable=False),
    sa.Column('leader_tier', sa.String(length=16), nullable=True),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('figures', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('applicant', sa.String(length=64), nullable=False),
    sa.Column('asked_on', sa.Date(), nullable=False),
    sa.Column('leader_posts', sa.Integer(), nullable=True),
    sa.Column('leaders', sa.Integer(), nullable=True),
    sa.Column('opinion', sa.Text(), nullable=True),
    sa.Column('decided_by', sa.String(length=64), nullable=True),
    sa.Column('decided_on', sa.Date(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(status = 'ASKED') = (opinion IS NULL)", name=op.f('ck_staff_consultation_opinion')),
    sa.CheckConstraint('posts > 0', name=op.f('ck_staff_consultation_posts')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_staff_consultation_node_id_pool_node')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_staff_consultation'))
    )
    op.create_index('ix_staff_consultation_unit', 'staff_consultation', ['unit_code', 'status'], unique=False)
    op.create_table('staff_plan',
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('applicant', sa.String(length=64), nullable=False),
    sa.Column('submitted_on', sa.Date(), nullable=False),
    sa.Column('decided_by', sa.String(length=64), nullable=True),
    sa.Column('decided_on', sa.Date(), nullable=True),
    sa.Column('document_no', sa.String(length=200), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(status = 'PASSED') = (document_no IS NOT NULL)", name=op.f('ck_staff_plan_passed')),
    sa.ForeignKeyConstraint(['document_no'], ['pool_document.doc_no'], name=op.f('fk_staff_plan_document_no_pool_document')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_staff_plan_node_id_pool_node')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_staff_plan'))
    )
    op.create_index('ix_staff_plan_unit', 'staff_plan', ['unit_code', 'year'], unique=False)
    op.create_table('staff_waiver',
    sa.Column('number', sa.String(length=200), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=False),
    sa.Column('granted_by', sa.String(length=64), nullable=False),
    sa.Column('granted_on', sa.Date(), nullable=False),
    sa.CheckConstraint('valid_until >= valid_from', name=op.f('ck_staff_waiver_dates')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_staff_waiver_node_id_pool_node')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_staff_waiver'))
    )
    op.create_table('staff_plan_line',
    sa.Column('plan_no', sa.String(length=24), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('passed', sa.Integer(), nullable=True),
    sa.Column('figures', sa.Text(), nullable=False),
    sa.CheckConstraint('posts > 0 AND (passed IS NULL OR passed >= 0)', name=op.f('ck_staff_plan_line_posts')),
    sa.ForeignKeyConstraint(['plan_no'], ['staff_plan.number'], name=op.f('fk_staff_plan_line_plan_no_staff_plan')),
    sa.PrimaryKeyConstraint('plan_no', 'post_type', 'fund_form', name=op.f('pk_staff_plan_line'))
    )
    op.create_table('staff_application',
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('entry_form', sa.String(length=16), nullable=False),
    sa.Column('work_kind', sa.String(length=16), nullable=False),
    sa.Column('leader_tier', sa.String(length=16), nullable=True),
    sa.Column('from_unit', sa.String(length=64), nullable=True),
    sa.Column('from_level', sa.String(length=16), nullable=True),
    sa.Column('from_fund_form', sa.String(length=8), nullable=True),
    sa.Column('waiver_no', sa.String(length=200), nullable=True),
    sa.Column('consultation_no', sa.String(length=24), nullable=True),
    sa.Column('outside_document', sa.String(length=200), nullable=True),
    sa.Column('bound_slot', sa.String(length=24), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('applicant', sa.String(length=64), nullable=False),
    sa.Column('submitted_on', sa.Date(), nullable=True),
    sa.Column('figures', sa.Text(), nullable=False),
    sa.Column('yearly_cost', sa.Integer(), nullable=False),
    sa.Column('cost_confirmed_by', sa.String(length=64), nullable=True),
    sa.Column('cost_confirmed_on', sa.Date(), nullable=True),
    sa.Column('reviewed_by', sa.String(length=64), nullable=True),
    sa.Column('reviewed_on', sa.Date(), nullable=True),
    sa.Column('decided_by', sa.String(length=64), nullable=True),
    sa.Column('granted_on', sa.Date(), nullable=True),
    sa.Column('permit_no', sa.String(length=200), nullable=True),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('reserve_seq', sa.BigInteger(), nullable=True),
    sa.Column('ended_on', sa.Date(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('(permit_no IS NULL) = (granted_on IS NULL)', name=op.f('ck_staff_application_granted')),
    sa.CheckConstraint('bound_slot IS NULL OR posts = 1', name=op.f('ck_staff_application_bound')),
    sa.CheckConstraint('posts > 0 AND yearly_cost >= 0', name=op.f('ck_staff_application_numbers')),
    sa.CheckConstraint('valid_until IS NULL OR valid_until >= granted_on', name=op.f('ck_staff_application_dates')),
    sa.ForeignKeyConstraint(['consultation_no'], ['staff_consultation.number'], name=op.f('fk_staff_application_consultation_no_staff_consultation')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_staff_application_node_id_pool_node')),
    sa.ForeignKeyConstraint(['reserve_seq'], ['pool_movement.seq'], name=op.f('fk_staff_application_reserve_seq_pool_movement')),
    sa.ForeignKeyConstraint(['waiver_no'], ['staff_waiver.number'], name=op.f('fk_staff_application_waiver_no_staff_waiver')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_staff_application')),
    sa.UniqueConstraint('permit_no', name=op.f('uq_staff_application_permit_no'))
    )
    op.create_index('ix_staff_application_bound', 'staff_application', ['bound_slot'], unique=False)
    op.create_index('ix_staff_application_unit', 'staff_application', ['unit_code', 'status'], unique=False)
    op.create_table('staff_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('subject', sa.String(length=16), nullable=False),
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('acting_for', sa.String(length=64), nullable=True),
    sa.Column('move', sa.String(length=16), nullable=False),
    sa.Column('from_status', sa.String(length=16), nullable=True),
    sa.Column('to_status', sa.String(length=16), nullable=False),
    sa.Column('movement_seq', sa.BigInteger(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['movement_seq'], ['pool_movement.seq'], name=op.f('fk_staff_step_movement_seq_pool_movement')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_step'))
    )
    op.create_index('ix_staff_step_number', 'staff_step', ['subject', 'number', 'id'], unique=False)
    op.create_table('staff_slot',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slot_no', sa.String(length=24), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('application_no', sa.String(length=24), nullable=True),
    sa.Column('permit_no', sa.String(length=200), nullable=True),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('work_kind', sa.String(length=16), nullable=True),
    sa.Column('leader_tier', sa.String(length=16), nullable=True),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('status_before', sa.String(length=16), nullable=True),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('person_key', sa.String(length=32), nullable=True),
    sa.Column('person_mask', sa.String(length=40), nullable=True),
    sa.Column('entry_form', sa.String(length=16), nullable=True),
    sa.Column('entry_date', sa.Date(), nullable=True),
    sa.Column('entry_registered', sa.Date(), nullable=True),
    sa.Column('from_unit', sa.String(length=64), nullable=True),
    sa.Column('from_level', sa.String(length=16), nullable=True),
    sa.Column('from_fund_form', sa.String(length=8), nullable=True),
    sa.Column('waiver_no', sa.String(length=200), nullable=True),
    sa.Column('papers_on', sa.Date(), nullable=True),
    sa.Column('pay_from', sa.String(length=7), nullable=True),
    sa.Column('planned_exit', sa.Date(), nullable=True),
    sa.Column('planned_reason', sa.String(length=200), nullable=True),
    sa.Column('exit_date', sa.Date(), nullable=True),
    sa.Column('exit_reason', sa.String(length=200), nullable=True),
    sa.Column('exit_registered', sa.Date(), nullable=True),
    sa.Column('first_unpaid', sa.String(length=7), nullable=True),
    sa.Column('cancelled_on', sa.Date(), nullable=True),
    sa.Column('fill_seq', sa.BigInteger(), nullable=True),
    sa.Column('vacate_seq', sa.BigInteger(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("status IN ('ISSUED', 'EXPIRED', 'DEAD', 'CANCELLED') OR person_key IS NOT NULL", name=op.f('ck_staff_slot_filled')),
    sa.CheckConstraint('(exit_date IS NULL) = (exit_registered IS NULL)', name=op.f('ck_staff_slot_exit')),
    sa.CheckConstraint('(person_key IS NULL) = (person_mask IS NULL)', name=op.f('ck_staff_slot_person')),
    sa.CheckConstraint('exit_date IS NULL OR entry_date IS NULL OR exit_date > entry_date', name=op.f('ck_staff_slot_dates')),
    sa.ForeignKeyConstraint(['application_no'], ['staff_application.number'], name=op.f('fk_staff_slot_application_no_staff_application')),
    sa.ForeignKeyConstraint(['fill_seq'], ['pool_movement.seq'], name=op.f('fk_staff_slot_fill_seq_pool_movement')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_staff_slot_node_id_pool_node')),
    sa.ForeignKeyConstraint(['vacate_seq'], ['pool_movement.seq'], name=op.f('fk_staff_slot_vacate_seq_pool_movement')),
    sa.ForeignKeyConstraint(['waiver_no'], ['staff_waiver.number'], name=op.f('fk_staff_slot_waiver_no_staff_waiver')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_slot'))
    )
    op.create_index('ix_staff_slot_permit', 'staff_slot', ['permit_no'], unique=False)
    op.create_index('ix_staff_slot_person', 'staff_slot', ['person_key'], unique=False)
    op.create_index('ix_staff_slot_unit', 'staff_slot', ['unit_code', 'status'], unique=False)
    op.create_index('uq_staff_slot_holder', 'staff_slot', ['person_key'], unique=True, sqlite_where=sa.text("status IN ('FILLED', 'PAPERS', 'PAID')"), postgresql_where=sa.text("status IN ('FILLED', 'PAPERS', 'PAID')"))
    op.create_index('uq_staff_slot_live', 'staff_slot', ['slot_no'], unique=True, sqlite_where=sa.text("status <> 'MOVED'"), postgresql_where=sa.text("status <> 'MOVED'"))
    op.create_table('staff_block',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slot_id', sa.Integer(), nullable=False),
    sa.Column('slot_no', sa.String(length=24), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('changed_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('opened_on', sa.Date(), nullable=False),
    sa.Column('registered_on', sa.Date(), nullable=True),
    sa.Column('released_on', sa.Date(), nullable=True),
    sa.Column('released_by', sa.String(length=64), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.CheckConstraint('released_on IS NULL OR registered_on IS NOT NULL', name=op.f('ck_staff_block_released')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_staff_block_node_id_pool_node')),
    sa.ForeignKeyConstraint(['slot_id'], ['staff_slot.id'], name=op.f('fk_staff_block_slot_id_staff_slot')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_block')),
    sa.UniqueConstraint('slot_id', 'kind', 'changed_on', name='uq_staff_block')
    )
    op.create_index('ix_staff_block_unit', 'staff_block', ['unit_code', 'released_on'], unique=False)
    op.create_table('staff_notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slot_id', sa.Integer(), nullable=False),
    sa.Column('slot_no', sa.String(length=24), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('receiver', sa.String(length=16), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('effective', sa.Date(), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('queued_on', sa.Date(), nullable=False),
    sa.Column('sent_on', sa.Date(), nullable=True),
    sa.Column('acknowledged_on', sa.Date(), nullable=True),
    sa.Column('acknowledged_by', sa.String(length=64), nullable=True),
    sa.CheckConstraint('(acknowledged_on IS NULL) = (acknowledged_by IS NULL)', name=op.f('ck_staff_notice_acknowledged')),
    sa.ForeignKeyConstraint(['slot_id'], ['staff_slot.id'], name=op.f('fk_staff_notice_slot_id_staff_slot')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_notice')),
    sa.UniqueConstraint('slot_id', 'kind', 'receiver', 'round', name='uq_staff_notice')
    )
    op.create_index('ix_staff_notice_status', 'staff_notice', ['status', 'receiver'], unique=False)
    op.create_index('ix_staff_notice_unit', 'staff_notice', ['unit_code'], unique=False)
    for table in APPEND_ONLY:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
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
    op.drop_index('ix_staff_notice_unit', table_name='staff_notice')
    op.drop_index('ix_staff_notice_status', table_name='staff_notice')
    op.drop_table('staff_notice')
    op.drop_index('ix_staff_block_unit', table_name='staff_block')
    op.drop_table('staff_block')
    op.drop_index('uq_staff_slot_live', table_name='staff_slot', sqlite_where=sa.text("status <> 'MOVED'"), postgresql_where=sa.text("status <> 'MOVED'"))
    op.drop_index('uq_staff_slot_holder', table_name='staff_slot', sqlite_where=sa.text("status IN ('FILLED', 'PAPERS', 'PAID')"), postgresql_where=sa.text("status IN ('FILLED', 'PAPERS', 'PAID')"))
    op.drop_index('ix_staff_slot_unit', table_name='staff_slot')
    op.drop_index('ix_staff_slot_person', table_name='staff_slot')
    op.drop_index('ix_staff_slot_permit', table_name='staff_slot')
    op.drop_table('staff_slot')
    op.drop_index('ix_staff_step_number', table_name='staff_step')
    op.drop_table('staff_step')
    op.drop_index('ix_staff_application_unit', table_name='staff_application')
    op.drop_index('ix_staff_application_bound', table_name='staff_application')
    op.drop_table('staff_application')
    op.drop_table('staff_plan_line')
    op.drop_table('staff_waiver')
    op.drop_index('ix_staff_plan_unit', table_name='staff_plan')
    op.drop_table('staff_plan')
    op.drop_index('ix_staff_consultation_unit', table_name='staff_consultation')
    op.drop_table('staff_consultation')
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_append_only()")
