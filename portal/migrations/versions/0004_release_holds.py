"""Add data_version.hold and data_version.public_table: what keeps a table in, and what may leave.

Safe while the previous release runs: yes (columns with a default of the database, or nullable).
Locks: short, on data_version only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_release_holds"
down_revision = "0003_uploads"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "data_version",
        sa.Column("hold", sa.String(length=20), nullable=False, server_default=""),
    )
    op.add_column("data_version", sa.Column("public_table", sa.JSON(), nullable=True))
    op.create_index("ix_data_version_hold", "data_version", ["hold"])


def downgrade():
    op.drop_index("ix_data_version_hold", "data_version")
    op.drop_column("data_version", "public_table")
    op.drop_column("data_version", "hold")
