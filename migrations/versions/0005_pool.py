"""the pool: tree, ledger, requests, loans, slots; history that cannot be rewritten"""

import sqlalchemy as sa
from alembic import op

# The ledger and the steps of people are append-only in the database itself, whoever connects to it.
APPEND_ONLY = (
    "pool_movement", "pool_entry", "pool_lot", "pool_request_step", "pool_slot_event", "pool_reorganisation",
)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('division_total',
    sa.Column('division_code', sa.String(length=32), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('division_code', 'post_type', name=op.f('pk_division_total'))
    )
    op.create_table('pool_balance',
    sa.Column('account', sa.String(length=12), nullable=False),
    sa.Column('holder', sa.String(length=80), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('lot', sa.BigInteger(), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.CheckConstraint("posts >= 0 OR account IN ('authority', 'home', 'borrowed')", name=op.f('ck_pool_balance_posts')),
    sa.PrimaryKeyConstraint('account', 'holder', 'post_type', 'fund_form', 'purpose', 'lot', name=op.f('pk_pool_balance'))
    )
    with op.batch_alter_table('pool_balance', schema=None) as batch_op:
        batch_op.create_index('ix_pool_balance_holder', ['holder', 'post_type', 'fund_form'], unique=False)
        batch_op.create_index('ix_pool_balance_lot', ['lot'], unique=False)

    op.create_table('pool_command',
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('client_id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('body_hash', sa.String(length=64), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('actor', 'client_id', name=op.f('pk_pool_command'))
    )
    op.create_table('pool_counter',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('value', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_pool_counter'))
    )
    op.create_table('pool_delegation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('giver', sa.String(length=64), nullable=False),
    sa.Column('taker', sa.String(length=64), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('giver <> taker', name=op.f('ck_pool_delegation_people')),
    sa.CheckConstraint('valid_to >= valid_from', name=op.f('ck_pool_delegation_dates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_delegation'))
    )
    op.create_table('pool_document',
    sa.Column('doc_no', sa.String(length=200), nullable=False),
    sa.Column('doc_date', sa.Date(), nullable=True),
    sa.Column('registered_by', sa.String(length=64), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('doc_no', name=op.f('pk_pool_document'))
    )
    op.create_table('pool_node',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=True),
    sa.Column('level', sa.String(length=16), nullable=False),
    sa.Column('division_code', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('parent_id', sa.String(length=80), nullable=True),
    sa.Column('created_on', sa.Date(), nullable=False),
    sa.Column('switched_on', sa.Date(), nullable=True),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.CheckConstraint("(kind = 'UNIT') = (unit_code IS NOT NULL)", name=op.f('ck_pool_node_unit')),
    sa.CheckConstraint('parent_id IS NULL OR parent_id <> id', name=op.f('ck_pool_node_parent')),
    sa.ForeignKeyConstraint(['parent_id'], ['pool_node.id'], name=op.f('fk_pool_node_parent_id_pool_node')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_node')),
    sa.UniqueConstraint('unit_code', name=op.f('uq_pool_node_unit_code'))
    )
    with op.batch_alter_table('pool_node', schema=None) as batch_op:
        batch_op.create_index('ix_pool_node_division', ['division_code', 'level'], unique=False)
        batch_op.create_index('ix_pool_node_parent', ['parent_id'], unique=False)

    op.create_table('strength',
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('as_of', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('unit_code', 'post_type', 'fund_form', 'month', name=op.f('pk_strength'))
    )
    op.create_table('pool_limit',
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('lend_unlimited', sa.Boolean(), nullable=False),
    sa.Column('lend_posts', sa.Integer(), nullable=True),
    sa.Column('borrow_unlimited', sa.Boolean(), nullable=False),
    sa.Column('borrow_posts', sa.Integer(), nullable=True),
    sa.Column('floor_posts', sa.Integer(), nullable=False),
    sa.Column('set_after', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('borrow_unlimited = (borrow_posts IS NULL) AND coalesce(borrow_posts, 0) >= 0', name=op.f('ck_pool_limit_borrow')),
    sa.CheckConstraint('floor_posts >= 0', name=op.f('ck_pool_limit_floor')),
    sa.CheckConstraint('lend_unlimited = (lend_posts IS NULL) AND coalesce(lend_posts, 0) >= 0', name=op.f('ck_pool_limit_lend')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_pool_limit_node_id_pool_node')),
    sa.PrimaryKeyConstraint('node_id', 'post_type', 'fund_form', 'purpose', name=op.f('pk_pool_limit'))
    )
    op.create_table('pool_reorganisation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('target_id', sa.String(length=80), nullable=True),
    sa.Column('document_no', sa.String(length=200), nullable=False),
    sa.Column('effective_date', sa.Date(), nullable=False),
    sa.Column('proof', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['document_no'], ['pool_document.doc_no'], name=op.f('fk_pool_reorganisation_document_no_pool_document')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_pool_reorganisation_node_id_pool_node')),
    sa.ForeignKeyConstraint(['target_id'], ['pool_node.id'], name=op.f('fk_pool_reorganisation_target_id_pool_node')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_reorganisation'))
    )
    op.create_table('pool_request',
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('months', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('central_no', sa.String(length=200), nullable=True),
    sa.Column('exception_doc', sa.String(length=200), nullable=True),
    sa.Column('other_waiver', sa.String(length=200), nullable=True),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('applicant', sa.String(length=64), nullable=False),
    sa.Column('submitted_on', sa.Date(), nullable=True),
    sa.Column('decision_node', sa.String(length=80), nullable=True),
    sa.Column('decided_by', sa.String(length=64), nullable=True),
    sa.Column('decided_on', sa.Date(), nullable=True),
    sa.Column('granted', sa.Integer(), nullable=True),
    sa.Column('loan_no', sa.String(length=24), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('granted IS NULL OR (granted > 0 AND granted <= posts)', name=op.f('ck_pool_request_granted')),
    sa.CheckConstraint('posts > 0 AND months > 0', name=op.f('ck_pool_request_numbers')),
    sa.ForeignKeyConstraint(['decision_node'], ['pool_node.id'], name=op.f('fk_pool_request_decision_node_pool_node')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_pool_request_node_id_pool_node')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_pool_request'))
    )
    with op.batch_alter_table('pool_request', schema=None) as batch_op:
        batch_op.create_index('ix_pool_request_status', ['status', 'unit_code'], unique=False)

    op.create_table('pool_sum',
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('own', sa.Integer(), nullable=False),
    sa.Column('lends', sa.Integer(), nullable=False),
    sa.Column('surplus', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_pool_sum_node_id_pool_node')),
    sa.PrimaryKeyConstraint('node_id', 'post_type', 'fund_form', 'purpose', name=op.f('pk_pool_sum'))
    )
    op.create_table('pool_movement',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('effective_date', sa.Date(), nullable=False),
    sa.Column('booked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('from_holder', sa.String(length=80), nullable=True),
    sa.Column('to_holder', sa.String(length=80), nullable=True),
    sa.Column('document_no', sa.String(length=200), nullable=True),
    sa.Column('central_no', sa.String(length=200), nullable=True),
    sa.Column('source', sa.String(length=16), nullable=True),
    sa.Column('request_no', sa.String(length=24), nullable=True),
    sa.Column('loan_no', sa.String(length=24), nullable=True),
    sa.Column('slot_no', sa.String(length=24), nullable=True),
    sa.Column('rests_on', sa.BigInteger(), nullable=True),
    sa.Column('reverses', sa.BigInteger(), nullable=True),
    sa.Column('previous_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.CheckConstraint('posts > 0', name=op.f('ck_pool_movement_posts')),
    sa.ForeignKeyConstraint(['document_no'], ['pool_document.doc_no'], name=op.f('fk_pool_movement_document_no_pool_document')),
    sa.ForeignKeyConstraint(['from_holder'], ['pool_node.id'], name=op.f('fk_pool_movement_from_holder_pool_node')),
    sa.ForeignKeyConstraint(['request_no'], ['pool_request.number'], name=op.f('fk_pool_movement_request_no_pool_request')),
    sa.ForeignKeyConstraint(['rests_on'], ['pool_movement.seq'], name=op.f('fk_pool_movement_rests_on_pool_movement')),
    sa.ForeignKeyConstraint(['reverses'], ['pool_movement.seq'], name=op.f('fk_pool_movement_reverses_pool_movement')),
    sa.ForeignKeyConstraint(['to_holder'], ['pool_node.id'], name=op.f('fk_pool_movement_to_holder_pool_node')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_pool_movement')),
    sa.UniqueConstraint('hash', name=op.f('uq_pool_movement_hash')),
    sa.UniqueConstraint('reverses', name=op.f('uq_pool_movement_reverses'))
    )
    with op.batch_alter_table('pool_movement', schema=None) as batch_op:
        batch_op.create_index('ix_pool_movement_request', ['request_no'], unique=False)
        batch_op.create_index('ix_pool_movement_rests', ['rests_on'], unique=False)

    op.create_table('pool_request_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('request_no', sa.String(length=24), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('acting_for', sa.String(length=64), nullable=True),
    sa.Column('move', sa.String(length=16), nullable=False),
    sa.Column('from_status', sa.String(length=16), nullable=True),
    sa.Column('to_status', sa.String(length=16), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['request_no'], ['pool_request.number'], name=op.f('fk_pool_request_step_request_no_pool_request')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_request_step'))
    )
    with op.batch_alter_table('pool_request_step', schema=None) as batch_op:
        batch_op.create_index('ix_pool_request_step', ['request_no', 'id'], unique=False)

    op.create_table('pool_entry',
    sa.Column('movement_seq', sa.BigInteger(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('account', sa.String(length=12), nullable=False),
    sa.Column('holder', sa.String(length=80), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('lot', sa.BigInteger(), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('effective_date', sa.Date(), nullable=False),
    sa.CheckConstraint('posts <> 0', name=op.f('ck_pool_entry_posts')),
    sa.ForeignKeyConstraint(['movement_seq'], ['pool_movement.seq'], name=op.f('fk_pool_entry_movement_seq_pool_movement')),
    sa.PrimaryKeyConstraint('movement_seq', 'line', name=op.f('pk_pool_entry')),
    sa.UniqueConstraint('movement_seq', 'account', 'holder', 'post_type', 'fund_form', 'purpose', 'lot', name=op.f('uq_pool_entry_movement_seq_account_holder_post_type_fund_form_purpose_lot'))
    )
    with op.batch_alter_table('pool_entry', schema=None) as batch_op:
        batch_op.create_index('ix_pool_entry_day', ['post_type', 'fund_form', 'effective_date'], unique=False)
        batch_op.create_index('ix_pool_entry_key', ['holder', 'post_type', 'fund_form', 'effective_date'], unique=False)

    op.create_table('pool_loan',
    sa.Column('loan_no', sa.String(length=24), nullable=False),
    sa.Column('request_no', sa.String(length=24), nullable=False),
    sa.Column('movement_seq', sa.BigInteger(), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('document_no', sa.String(length=200), nullable=False),
    sa.Column('start_date', sa.Date(), nullable=False),
    sa.Column('months', sa.Integer(), nullable=False),
    sa.Column('due_date', sa.Date(), nullable=False),
    sa.Column('renewals', sa.Integer(), nullable=False),
    sa.Column('backed', sa.Integer(), nullable=False),
    sa.CheckConstraint('posts > 0 AND months > 0 AND renewals >= 0', name=op.f('ck_pool_loan_numbers')),
    sa.ForeignKeyConstraint(['movement_seq'], ['pool_movement.seq'], name=op.f('fk_pool_loan_movement_seq_pool_movement')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_pool_loan_node_id_pool_node')),
    sa.ForeignKeyConstraint(['request_no'], ['pool_request.number'], name=op.f('fk_pool_loan_request_no_pool_request')),
    sa.PrimaryKeyConstraint('loan_no', name=op.f('pk_pool_loan')),
    sa.UniqueConstraint('movement_seq', name=op.f('uq_pool_loan_movement_seq'))
    )
    op.create_table('pool_lot',
    sa.Column('lot_no', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('owner_id', sa.String(length=80), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['lot_no'], ['pool_movement.seq'], name=op.f('fk_pool_lot_lot_no_pool_movement')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_pool_lot_node_id_pool_node')),
    sa.ForeignKeyConstraint(['owner_id'], ['pool_node.id'], name=op.f('fk_pool_lot_owner_id_pool_node')),
    sa.PrimaryKeyConstraint('lot_no', name=op.f('pk_pool_lot'))
    )
    with op.batch_alter_table('pool_lot', schema=None) as batch_op:
        batch_op.create_index('ix_pool_lot_stock', ['post_type', 'fund_form', 'purpose', 'node_id'], unique=False)

    op.create_table('pool_slot',
    sa.Column('slot_no', sa.String(length=24), nullable=False),
    sa.Column('loan_no', sa.String(length=24), nullable=False),
    sa.Column('node_id', sa.String(length=80), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('lot_no', sa.BigInteger(), nullable=False),
    sa.Column('lender_id', sa.String(length=80), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('due_date', sa.Date(), nullable=False),
    sa.Column('person_key', sa.String(length=32), nullable=True),
    sa.Column('person_mask', sa.String(length=40), nullable=True),
    sa.Column('filled_on', sa.Date(), nullable=True),
    sa.Column('fill_seq', sa.BigInteger(), nullable=True),
    sa.Column('recalled_on', sa.Date(), nullable=True),
    sa.Column('ended_on', sa.Date(), nullable=True),
    sa.Column('own_slot_no', sa.String(length=24), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(ended_on IS NULL) = (status NOT IN ('RETURNED', 'LAPSED'))", name=op.f('ck_pool_slot_ended')),
    sa.CheckConstraint('(person_key IS NULL) = (filled_on IS NULL)', name=op.f('ck_pool_slot_person')),
    sa.CheckConstraint('due_date >= issued_on', name=op.f('ck_pool_slot_dates')),
    sa.ForeignKeyConstraint(['fill_seq'], ['pool_movement.seq'], name=op.f('fk_pool_slot_fill_seq_pool_movement')),
    sa.ForeignKeyConstraint(['lender_id'], ['pool_node.id'], name=op.f('fk_pool_slot_lender_id_pool_node')),
    sa.ForeignKeyConstraint(['loan_no'], ['pool_loan.loan_no'], name=op.f('fk_pool_slot_loan_no_pool_loan')),
    sa.ForeignKeyConstraint(['lot_no'], ['pool_lot.lot_no'], name=op.f('fk_pool_slot_lot_no_pool_lot')),
    sa.ForeignKeyConstraint(['node_id'], ['pool_node.id'], name=op.f('fk_pool_slot_node_id_pool_node')),
    sa.PrimaryKeyConstraint('slot_no', name=op.f('pk_pool_slot'))
    )
    with op.batch_alter_table('pool_slot', schema=None) as batch_op:
        batch_op.create_index('ix_pool_slot_due', ['status', 'due_date'], unique=False)
        batch_op.create_index('ix_pool_slot_loan', ['loan_no'], unique=False)
        batch_op.create_index('ix_pool_slot_lot', ['lot_no'], unique=False)
        batch_op.create_index('ix_pool_slot_person', ['person_key'], unique=False)
        batch_op.create_index('ix_pool_slot_unit', ['unit_code', 'status'], unique=False)

    op.create_table('pool_slot_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slot_no', sa.String(length=24), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('move', sa.String(length=16), nullable=False),
    sa.Column('from_status', sa.String(length=16), nullable=True),
    sa.Column('to_status', sa.String(length=16), nullable=False),
    sa.Column('movement_seq', sa.BigInteger(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['movement_seq'], ['pool_movement.seq'], name=op.f('fk_pool_slot_event_movement_seq_pool_movement')),
    sa.ForeignKeyConstraint(['slot_no'], ['pool_slot.slot_no'], name=op.f('fk_pool_slot_event_slot_no_pool_slot')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_slot_event'))
    )
    with op.batch_alter_table('pool_slot_event', schema=None) as batch_op:
        batch_op.create_index('ix_pool_slot_event', ['slot_no', 'id'], unique=False)

    op.create_table('pool_suggestion',
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('slot_no', sa.String(length=24), nullable=False),
    sa.Column('as_of', sa.Date(), nullable=False),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['slot_no'], ['pool_slot.slot_no'], name=op.f('fk_pool_suggestion_slot_no_pool_slot')),
    sa.PrimaryKeyConstraint('kind', 'slot_no', 'as_of', name=op.f('pk_pool_suggestion'))
    )
    with op.batch_alter_table('pool_suggestion', schema=None) as batch_op:
        batch_op.create_index('ix_pool_suggestion_slot', ['slot_no'], unique=False)
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
    with op.batch_alter_table('pool_suggestion', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_suggestion_slot')

    op.drop_table('pool_suggestion')
    with op.batch_alter_table('pool_slot_event', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_slot_event')

    op.drop_table('pool_slot_event')
    with op.batch_alter_table('pool_slot', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_slot_unit')
        batch_op.drop_index('ix_pool_slot_person')
        batch_op.drop_index('ix_pool_slot_lot')
        batch_op.drop_index('ix_pool_slot_loan')
        batch_op.drop_index('ix_pool_slot_due')

    op.drop_table('pool_slot')
    with op.batch_alter_table('pool_lot', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_lot_stock')

    op.drop_table('pool_lot')
    op.drop_table('pool_loan')
    with op.batch_alter_table('pool_entry', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_entry_key')
        batch_op.drop_index('ix_pool_entry_day')

    op.drop_table('pool_entry')
    with op.batch_alter_table('pool_request_step', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_request_step')

    op.drop_table('pool_request_step')
    with op.batch_alter_table('pool_movement', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_movement_rests')
        batch_op.drop_index('ix_pool_movement_request')

    op.drop_table('pool_movement')
    op.drop_table('pool_sum')
    with op.batch_alter_table('pool_request', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_request_status')

    op.drop_table('pool_request')
    op.drop_table('pool_reorganisation')
    op.drop_table('pool_limit')
    op.drop_table('strength')
    with op.batch_alter_table('pool_node', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_node_parent')
        batch_op.drop_index('ix_pool_node_division')

    op.drop_table('pool_node')
    op.drop_table('pool_document')
    op.drop_table('pool_delegation')
    op.drop_table('pool_counter')
    op.drop_table('pool_command')
    with op.batch_alter_table('pool_balance', schema=None) as batch_op:
        batch_op.drop_index('ix_pool_balance_lot')
        batch_op.drop_index('ix_pool_balance_holder')

    op.drop_table('pool_balance')
    op.drop_table('division_total')
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_append_only()")
