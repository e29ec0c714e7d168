"""Harvest: column mappings, mirrors, link checks, dumps.

Safe while the previous release runs: yes (nothing is changed yet).
Locks: none.
"""

revision = "0010_gathering"
down_revision = "0009_duties"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
