"""answers over a release that stay as they were first given."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table(
        'synthesis',
        sa.Column('hash', AutoString(), nullable=False),
        sa.Column('release', AutoString(), nullable=False),
        sa.Column('at', AutoString(), nullable=False),
        sa.Column('answer', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['release'], ['release.name']),
        sa.PrimaryKeyConstraint('hash'),
    )
