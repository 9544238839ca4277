"""keys, and the first answers of writes that may be sent again."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table(
        'api_key',
        sa.Column('id', AutoString(), nullable=False),
        sa.Column('name', AutoString(), nullable=False),
        sa.Column('scope', AutoString(), nullable=False),
        sa.Column('digest', AutoString(), nullable=False),
        sa.Column('created_at', AutoString(), nullable=False),
        sa.Column('expires_at', AutoString(), nullable=True),
        sa.Column('revoked_at', AutoString(), nullable=True),
        sa.Column('last_used_at', AutoString(), nullable=True),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('name'),
    )
    op.create_table(
        'idempotency',
        sa.Column('holder', AutoString(), nullable=False),
        sa.Column('key', AutoString(), nullable=False),
        sa.Column('request', AutoString(), nullable=False),
        sa.Column('at', AutoString(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('revision', sa.Integer(), nullable=False),
        sa.Column('document', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['holder'], ['api_key.id']),
        sa.PrimaryKeyConstraint('holder', 'key'),
    )
    op.create_index('ix_idempotency_at', 'idempotency', ['at'])
