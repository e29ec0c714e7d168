"""Add distribution.reading (how its tables are read) and data_version.profile (of their columns).

Safe while the previous release runs: yes (nullable, unread).
Locks: short, on distribution and data_version only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_table_reading"
down_revision = "0004_release_holds"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("distribution", sa.Column("reading", sa.JSON(), nullable=True))
    op.add_column("data_version", sa.Column("profile", sa.JSON(), nullable=True))


def downgrade():
    op.drop_column("data_version", "profile")
    op.drop_column("distribution", "reading")
