"""Bounds, grades and severity of side effects, whose treatment may be absent with a reason."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0012'
down_revision = '0010'


def upgrade() -> None:
    with op.batch_alter_table('side_effect') as table:
        table.alter_column('treatment', existing_type=AutoString(), nullable=True)
        table.add_column(sa.Column('severity', AutoString(), nullable=True))
        table.add_column(sa.Column('grade_min', sa.Integer(), nullable=True))
        table.add_column(sa.Column('grade_max', sa.Integer(), nullable=True))
        table.add_column(sa.Column('percent_min', sa.Float(), nullable=True))
        table.add_column(sa.Column('percent_max', sa.Float(), nullable=True))
