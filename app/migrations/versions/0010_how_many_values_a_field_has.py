"""How many values a field has, kept instead of counted."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = '0010'
down_revision = '0009'

SIZES = """INSERT INTO facet_size (kind, scope, field, n)
SELECT kind, scope, field, count(*) FROM facet_count WHERE value <> 'null' GROUP BY kind, scope, field"""


def upgrade() -> None:
    op.create_table(
        'facet_size',
        sa.Column('kind', AutoString(), nullable=False),
        sa.Column('scope', AutoString(), nullable=False),
        sa.Column('field', AutoString(), nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('kind', 'scope', 'field'),
        sqlite_with_rowid=False,
    )
    op.execute(SIZES)
