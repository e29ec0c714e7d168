"""Sandbox, synthetic rows, pages of interfaces, use figures.

Safe while the previous release runs: yes (nothing is changed yet).
Locks: none.
"""

revision = "0003_sandbox"
down_revision = "0002_gateway"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
