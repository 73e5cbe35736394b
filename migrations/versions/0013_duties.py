"""Duties and standards: versions of the 三定, lists of powers and duties, staffing standards, workloads, reform plans."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "determination", "determination_duty", "determination_body", "determination_quota", "reform_plan", "reform_effect",
    "reform_link", "reform_step", "staffing_standard", "unit_workload",
)  # fmt: skip
TABLES = (
    "reform_step", "reform_link", "reform_effect", "reform_task", "reform_plan", "duty_item_posts", "duty_item",
    "determination_quota", "determination_body", "determination_duty", "determination", "unit_workload",
    "staffing_standard",
)  # fmt: skip


def upgrade() -> None:
    op.create_table('duty_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('legal_basis', sa.Text(), nullable=False),
    sa.Column('inner_body', sa.String(length=200), nullable=True),
    sa.Column('duty', sa.Integer(), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('recorded_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('valid_to IS NULL OR valid_to >= valid_from', name=op.f('ck_duty_item_dates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_item')),
    sa.UniqueConstraint('unit_code', 'code', 'valid_from', name=op.f('uq_duty_item_unit_code_code_valid_from'))
    )
    op.create_index('ix_duty_item_code', 'duty_item', ['code'], unique=False)
    op.create_table('staffing_standard',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('division_code', sa.String(length=32), nullable=False),
    sa.Column('trade', sa.String(length=64), nullable=False),
    sa.Column('level', sa.String(length=16), nullable=False),
    sa.Column('measure', sa.String(length=16), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('per_hundredths', sa.Integer(), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.Column('rounding', sa.String(length=8), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('doc_no', sa.String(length=200), nullable=False),
    sa.Column('recorded_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('per_hundredths > 0 AND posts > 0', name=op.f('ck_staffing_standard_ratio')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staffing_standard'))
    )
    op.create_index('ix_staffing_standard_trade', 'staffing_standard', ['trade', 'level'], unique=False)
    op.create_table('unit_workload',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('trade', sa.String(length=64), nullable=False),
    sa.Column('measure', sa.String(length=16), nullable=False),
    sa.Column('served', sa.Integer(), nullable=False),
    sa.Column('as_of', sa.Date(), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('recorded_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('served >= 0', name=op.f('ck_unit_workload_served')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit_workload'))
    )
    op.create_index('ix_unit_workload_unit', 'unit_workload', ['unit_code'], unique=False)
    op.create_table('determination',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('doc_no', sa.String(length=200), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('chief', sa.Integer(), nullable=True),
    sa.Column('deputy', sa.Integer(), nullable=True),
    sa.Column('recorded_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['doc_no'], ['document.doc_no'], name=op.f('fk_determination_doc_no_document')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_determination'))
    )
    op.create_index('ix_determination_unit', 'determination', ['unit_code', 'valid_from'], unique=False)
    op.create_table('duty_item_posts',
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.CheckConstraint('posts > 0', name=op.f('ck_duty_item_posts_posts')),
    sa.ForeignKeyConstraint(['item_id'], ['duty_item.id'], name=op.f('fk_duty_item_posts_item_id_duty_item')),
    sa.PrimaryKeyConstraint('item_id', 'post_type', 'fund_form', name=op.f('pk_duty_item_posts'))
    )
    op.create_table('reform_plan',
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('doc_no', sa.String(length=200), nullable=False),
    sa.Column('title', sa.String(length=400), nullable=False),
    sa.Column('recorded_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['doc_no'], ['document.doc_no'], name=op.f('fk_reform_plan_doc_no_document')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_reform_plan')),
    sa.UniqueConstraint('doc_no', name=op.f('uq_reform_plan_doc_no'))
    )
    op.create_table('determination_body',
    sa.Column('determination_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('chief', sa.Integer(), nullable=True),
    sa.Column('deputy', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['determination_id'], ['determination.id'], name=op.f('fk_determination_body_determination_id_determination')),
    sa.PrimaryKeyConstraint('determination_id', 'place', name=op.f('pk_determination_body'))
    )
    op.create_table('determination_duty',
    sa.Column('determination_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['determination_id'], ['determination.id'], name=op.f('fk_determination_duty_determination_id_determination')),
    sa.PrimaryKeyConstraint('determination_id', 'place', name=op.f('pk_determination_duty'))
    )
    op.create_table('determination_quota',
    sa.Column('determination_id', sa.Integer(), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.CheckConstraint('posts >= 0', name=op.f('ck_determination_quota_posts')),
    sa.ForeignKeyConstraint(['determination_id'], ['determination.id'], name=op.f('fk_determination_quota_determination_id_determination')),
    sa.PrimaryKeyConstraint('determination_id', 'post_type', 'fund_form', name=op.f('pk_determination_quota'))
    )
    op.create_table('reform_task',
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('plan_no', sa.String(length=24), nullable=False),
    sa.Column('unit_code', sa.String(length=64), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('leader_posts', sa.Integer(), nullable=False),
    sa.Column('deadline', sa.Date(), nullable=False),
    sa.Column('responsible', sa.String(length=64), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('reminded_on', sa.Date(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['plan_no'], ['reform_plan.number'], name=op.f('fk_reform_task_plan_no_reform_plan')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_reform_task'))
    )
    op.create_index('ix_reform_task_due', 'reform_task', ['status', 'deadline'], unique=False)
    op.create_index('ix_reform_task_unit', 'reform_task', ['unit_code'], unique=False)
    op.create_table('reform_effect',
    sa.Column('task_no', sa.String(length=24), nullable=False),
    sa.Column('post_type', sa.String(length=24), nullable=False),
    sa.Column('fund_form', sa.String(length=8), nullable=False),
    sa.Column('posts', sa.Integer(), nullable=False),
    sa.CheckConstraint('posts <> 0', name=op.f('ck_reform_effect_posts')),
    sa.ForeignKeyConstraint(['task_no'], ['reform_task.number'], name=op.f('fk_reform_effect_task_no_reform_task')),
    sa.PrimaryKeyConstraint('task_no', 'post_type', 'fund_form', name=op.f('pk_reform_effect'))
    )
    op.create_table('reform_link',
    sa.Column('task_no', sa.String(length=24), nullable=False),
    sa.Column('doc_no', sa.String(length=200), nullable=False),
    sa.Column('linked_by', sa.String(length=64), nullable=False),
    sa.Column('linked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['task_no'], ['reform_task.number'], name=op.f('fk_reform_link_task_no_reform_task')),
    sa.PrimaryKeyConstraint('task_no', 'doc_no', name=op.f('pk_reform_link'))
    )
    op.create_table('reform_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('task_no', sa.String(length=24), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('move', sa.String(length=16), nullable=False),
    sa.Column('from_status', sa.String(length=16), nullable=True),
    sa.Column('to_status', sa.String(length=16), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['task_no'], ['reform_task.number'], name=op.f('fk_reform_step_task_no_reform_task')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reform_step'))
    )
    op.create_index('ix_reform_step_task', 'reform_step', ['task_no', 'id'], unique=False)
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
    for table in TABLES:
        op.drop_table(table)
