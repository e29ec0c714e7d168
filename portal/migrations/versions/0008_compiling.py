"""Compiling and reviewing: duplicates with reason, batches, scheduled release.

Safe while the previous release runs: yes (nothing is changed yet).
Locks: none.
"""

revision = "0008_compiling"
down_revision = "0007_people"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
