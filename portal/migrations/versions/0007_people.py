"""People: registration, second factor, invitations, mail.

Safe while the previous release runs: yes (nothing is changed yet).
Locks: none.
"""

revision = "0007_people"
down_revision = "0006_search_counts"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
