"""Add distribution.api_table: the columns of a table that is written through the Action API.

Safe while the previous release runs: yes (nullable, unread).
Locks: short, on distribution.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_api_table"
down_revision = "0010_gathering"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("distribution", sa.Column("api_table", sa.JSON()))


def downgrade():
    op.drop_column("distribution", "api_table")
