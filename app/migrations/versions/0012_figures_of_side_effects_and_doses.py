"""Bases, bands and claims of doses; bounds, grades and severity of side effects, whose treatment may be absent with a reason."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    with op.batch_alter_table('side_effect') as table:
        table.alter_column('treatment', existing_type=AutoString(), nullable=True)
        table.add_column(sa.Column('severity', AutoString(), nullable=True))
        table.add_column(sa.Column('grade_min', sa.Integer(), nullable=True))
        table.add_column(sa.Column('grade_max', sa.Integer(), nullable=True))
        table.add_column(sa.Column('percent_min', sa.Float(), nullable=True))
        table.add_column(sa.Column('percent_max', sa.Float(), nullable=True))
    with op.batch_alter_table('dosing_interval') as table:
        table.add_column(sa.Column('claim', AutoString(), nullable=True))
        table.create_foreign_key('fk_dosing_interval_claim', 'claim', ['claim'], ['id'])
        table.add_column(sa.Column('as_needed', sa.Boolean(), nullable=True))
        for name in ('weight_min', 'weight_max', 'renal_min', 'renal_max', 'age_min_years', 'age_max_years'):
            table.add_column(sa.Column(name, sa.Float(), nullable=True))
        table.add_column(sa.Column('dose_basis', AutoString(), nullable=True))
        table.add_column(sa.Column('max_dose_basis', AutoString(), nullable=True))
