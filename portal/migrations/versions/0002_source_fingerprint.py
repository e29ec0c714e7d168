"""Add catalogue_entry.source_fingerprint: what a harvest source last said of the entry.

Safe while the previous release runs: yes (nullable, unread).
Locks: short, on catalogue_entry only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_source_fingerprint"
down_revision = "0001_core"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "catalogue_entry", sa.Column("source_fingerprint", sa.String(length=64), nullable=True)
    )


def downgrade():
    op.drop_column("catalogue_entry", "source_fingerprint")
