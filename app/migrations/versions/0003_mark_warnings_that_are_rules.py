"""mark warnings that are rules, and keep what was searched for a treatment."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.add_column('treatment', sa.Column('searches', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('warning', sa.Column('rule', AutoString(), nullable=True))
    op.create_index('ix_warning_rule', 'warning', ['rule'])
