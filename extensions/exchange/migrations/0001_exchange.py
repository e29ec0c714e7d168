"""Table of exchange: the dumps of the whole catalogue.

Safe while the previous release runs: yes (a new table).
Locks: none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001_exchange"
down_revision = None
branch_labels = ("exchange",)
depends_on = "0001_core"


def upgrade():
    op.create_table(
        "catalogue_dump",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
    )
    op.create_index("ix_catalogue_dump_made_at", "catalogue_dump", ["made_at"])


def downgrade():
    op.drop_table("catalogue_dump")
