"""Pages of the site, calendar notices, delegation, supplementary catalogue.

Safe while the previous release runs: yes (nothing is changed yet).
Locks: none.
"""

revision = "0009_duties"
down_revision = "0008_compiling"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
