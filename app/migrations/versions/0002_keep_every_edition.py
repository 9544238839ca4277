"""keep every edition, aliases and releases; when and by whom records were checked, and where their numbers stand."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0002'
down_revision = '0001'

RESOURCES = (
    'approval', 'claim', 'condition', 'dosing_interval', 'indication', 'outcome', 'side_effect', 'source', 'study',
    'study_result', 'treatment', 'warning',
)


def upgrade() -> None:
    for table in RESOURCES:
        op.add_column(table, sa.Column('curator_checked', sa.JSON(none_as_null=True), nullable=True))
        op.add_column(table, sa.Column('checked_on', AutoString(), nullable=True))
        op.create_index(f'ix_{table}_checked_on', table, ['checked_on'])
        op.create_index(f'ix_{table}_source_status', table, ['source_status'])
    op.add_column('claim', sa.Column('numbers', sa.JSON(), nullable=False, server_default='[]'))
    op.create_table(
        'shape',
        sa.Column('digest', AutoString(), nullable=False),
        sa.PrimaryKeyConstraint('digest'),
    )
    op.create_table(
        'alias',
        sa.Column('kind', AutoString(), nullable=False),
        sa.Column('id', AutoString(), nullable=False),
        sa.Column('to_id', AutoString(), nullable=False),
        sa.ForeignKeyConstraint(['kind', 'to_id'], ['registry.kind', 'registry.id']),
        sa.PrimaryKeyConstraint('kind', 'id'),
    )
    op.create_table(
        'release',
        sa.Column('name', AutoString(), nullable=False),
        sa.Column('at', AutoString(), nullable=False),
        sa.Column('revision', sa.Integer(), nullable=False),
        sa.Column('previous', AutoString(), nullable=True),
        sa.Column('sha256', AutoString(), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('counts', sa.Text(), nullable=False),
        sa.Column('difference', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['previous'], ['release.name']),
        sa.ForeignKeyConstraint(['revision'], ['revision.number']),
        sa.PrimaryKeyConstraint('name'),
    )
    op.create_table(
        'edition',
        sa.Column('revision', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('kind', AutoString(), nullable=False),
        sa.Column('id', AutoString(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('document', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['kind', 'id'], ['registry.kind', 'registry.id']),
        sa.ForeignKeyConstraint(['revision'], ['revision.number']),
        sa.PrimaryKeyConstraint('revision', 'position'),
    )
    op.create_index('ix_edition_record', 'edition', ['kind', 'id', 'revision'])
    op.execute(
        'INSERT INTO edition (revision, position, kind, id, version, document) '
        'SELECT revision, row_number() OVER (PARTITION BY revision ORDER BY kind, id), kind, id, version, document '
        'FROM past_version'
    )
    op.drop_table('past_version')
