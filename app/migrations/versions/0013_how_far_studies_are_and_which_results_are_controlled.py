"""How far studies are and who answers for them; which results compare with other people."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0013'
down_revision = '0012'

CONTROLLED = """UPDATE study_result SET is_controlled = true
WHERE comparator IS NOT NULL AND comparator NOT IN ('baseline', 'none')"""
"""The new column follows from another one; it is filled here, so that filters find it in copies of releases, too."""


def upgrade() -> None:
    op.add_column('study', sa.Column('status', AutoString(), nullable=True))
    op.add_column('study', sa.Column('sponsor', AutoString(), nullable=True))
    op.add_column('study_result', sa.Column('is_controlled', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(CONTROLLED)
