"""Table of those who follow an organisation or a theme.

Safe while the previous release runs: yes (a new table).
Locks: none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_topic_follow"
down_revision = "0001_participation"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "topic_follow",
        sa.Column(
            "account_id",
            sa.Integer(),
            sa.ForeignKey("account.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("followed_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
    )
    op.create_index("ix_topic_follow_topic", "topic_follow", ["kind", "key"])


def downgrade():
    op.drop_table("topic_follow")
