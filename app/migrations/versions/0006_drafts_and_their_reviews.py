"""drafts, and who reviewed what a revision holds."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.add_column('revision', sa.Column('reviewer', AutoString(), nullable=True))
    op.add_column('revision', sa.Column('note', AutoString(), nullable=True))
    op.create_table(
        'draft',
        sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('holder', AutoString(), nullable=False),
        sa.Column('action', AutoString(), nullable=False),
        sa.Column('kind', AutoString(), nullable=False),
        sa.Column('record', AutoString(), nullable=False),
        sa.Column('base_version', sa.Integer(), nullable=True),
        sa.Column('document', sa.Text(), nullable=False),
        sa.Column('at', AutoString(), nullable=False),
        sa.Column('reason', AutoString(), nullable=True),
        sa.Column('state', AutoString(), nullable=False),
        sa.Column('decided_at', AutoString(), nullable=True),
        sa.Column('decided_by', AutoString(), nullable=True),
        sa.Column('note', AutoString(), nullable=True),
        sa.Column('revision', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['holder'], ['api_key.id']),
        sa.PrimaryKeyConstraint('number'),
    )
    op.create_index('ix_draft_state', 'draft', ['state', 'number'])
    op.create_index('ix_draft_holder', 'draft', ['holder', 'number'])
