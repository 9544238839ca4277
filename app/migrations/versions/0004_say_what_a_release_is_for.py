"""say what a release is for, and let its file be larger than 2 GiB."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    with op.batch_alter_table('release') as table:
        table.add_column(sa.Column('notes', sa.Text(), nullable=True))
        table.alter_column('size', existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)
