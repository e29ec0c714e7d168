"""Add search_count (what is searched for, by day) and search_visitor (of the current day only).

Safe while the previous release runs: yes (two new tables).
Locks: none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_search_counts"
down_revision = "0005_table_reading"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "search_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("words", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "words", "outcome", name="pk_search_count"),
    )
    op.create_table(
        "search_visitor",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("day", "mark", name="pk_search_visitor"),
    )


def downgrade():
    op.drop_table("search_visitor")
    op.drop_table("search_count")
