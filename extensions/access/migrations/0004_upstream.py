"""Upstream services, row filters, policies, renewals, expiry of keys.

Safe while the previous release runs: yes (nothing is changed yet).
Locks: none.
"""

revision = "0004_upstream"
down_revision = "0003_sandbox"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
