"""Harvest: remembered columns of uploaded lists; an index for counting and paging a run's report.

Safe while the previous release runs: yes (a new table, a new index).
Locks: harvest_item is locked against writing while the index is made; it is seldom large.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_harvest"
down_revision = "0011_api_table"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "list_columns",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False
        ),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "organisation_id", "digest", name="uq_list_columns_organisation_id_digest"
        ),
    )
    op.create_index("ix_list_columns_organisation_id", "list_columns", ["organisation_id"])
    op.create_index("ix_harvest_item_state", "harvest_item", ["run_id", "state", "id"])


def downgrade():
    op.drop_index("ix_harvest_item_state", "harvest_item")
    op.drop_table("list_columns")
