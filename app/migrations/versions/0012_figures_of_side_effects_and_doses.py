"""Bases, bands and claims of doses; bounds, grades and severity of side effects, whose treatment may be absent."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0012'
down_revision = '0011'

DOSES = ('weight_min', 'weight_max', 'renal_min', 'renal_max', 'age_min_years', 'age_max_years')


def upgrade() -> None:
    with op.batch_alter_table('side_effect') as table:
        table.alter_column('treatment', existing_type=AutoString(), nullable=True)
    op.add_column('side_effect', sa.Column('severity', AutoString(), nullable=True))
    op.add_column('side_effect', sa.Column('grade_min', sa.Integer(), nullable=True))
    op.add_column('side_effect', sa.Column('grade_max', sa.Integer(), nullable=True))
    op.add_column('side_effect', sa.Column('percent_min', sa.Float(), nullable=True))
    op.add_column('side_effect', sa.Column('percent_max', sa.Float(), nullable=True))
    with op.batch_alter_table('dosing_interval') as table:
        table.add_column(sa.Column('claim', AutoString(), nullable=True))
        table.create_foreign_key('fk_dosing_interval_claim', 'claim', ['claim'], ['id'])
    op.add_column('dosing_interval', sa.Column('as_needed', sa.Boolean(), nullable=True))
    for name in DOSES:
        op.add_column('dosing_interval', sa.Column(name, sa.Float(), nullable=True))
    op.add_column('dosing_interval', sa.Column('dose_basis', AutoString(), nullable=True))
    op.add_column('dosing_interval', sa.Column('max_dose_basis', AutoString(), nullable=True))
