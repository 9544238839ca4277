"""The index of search and its counts; the next start fills them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0008'
down_revision = '0007'

WORDS = """CREATE VIRTUAL TABLE search_words USING fts5(
    words, content='search_entry', content_rowid='place', tokenize='ascii', prefix='2 3 4'
)"""


def upgrade() -> None:
    op.create_table(
        'search_entry',
        sa.Column('place', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
        sa.Column('kind', AutoString(), nullable=False),
        sa.Column('id', AutoString(), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('words', sa.Text(), nullable=False),
        sa.Column('labels', sa.Text(), nullable=False),
        sa.Column('scopes', sa.Text(), nullable=False),
        sa.Column('field_values', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['kind', 'id'], ['registry.kind', 'registry.id']),
        sa.PrimaryKeyConstraint('place'),
    )
    op.create_index('ix_search_entry_record', 'search_entry', ['kind', 'id'], unique=True)
    op.create_table(
        'search_name',
        sa.Column('kind', AutoString(), nullable=False),
        sa.Column('beginning', AutoString(), nullable=False),
        sa.Column('label', AutoString(), nullable=False),
        sa.Column('id', AutoString(), nullable=False),
        sa.Column('is_whole', sa.Boolean(), nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('kind', 'beginning', 'label', 'id'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'search_gram',
        sa.Column('gram', AutoString(), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('word', AutoString(), nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('gram', 'size', 'word'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'facet_count',
        sa.Column('kind', AutoString(), nullable=False),
        sa.Column('scope', AutoString(), nullable=False),
        sa.Column('field', AutoString(), nullable=False),
        sa.Column('value', AutoString(), nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('kind', 'scope', 'field', 'value'),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(WORDS)
    else:
        op.execute('CREATE TABLE search_vector (place BIGINT PRIMARY KEY, vector TSVECTOR NOT NULL)')
        op.execute('CREATE INDEX ix_search_vector ON search_vector USING gin (vector)')
