"""Entries of the same title are found without reading every version: one index.

Safe while the previous release runs: yes (an index).
Locks: writers of versions wait while it is made, a second or two for a million of them.
"""

from alembic import op

revision = "0015_titles"
down_revision = "0014_duties"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_entry_version_title", "entry_version", ["title"])


def downgrade():
    op.drop_index("ix_entry_version_title", table_name="entry_version")
