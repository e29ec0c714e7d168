"""Tables of participation: demands and votes, follows, reuses, comments and ratings.

Safe while the previous release runs: yes (new tables only).
Locks: none that matter.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001_participation"
down_revision = None
branch_labels = ("participation",)
depends_on = "0001_core"

MOMENT = sa.DateTime(timezone=True)


def upgrade():
    create_demand()
    create_follow()
    create_reuse()
    create_comment()


def downgrade():
    for table in ("entry_rating", "entry_comment", "reuse_source", "reuse", "entry_follow"):
        op.drop_table(table)
    op.drop_table("demand_vote")
    op.drop_table("data_demand")


def reference(name, target, *, table, nullable=False, index=False, cascade=False):
    key = sa.ForeignKey(
        f"{target}.id",
        name=f"fk_{table}_{name}_{target}",
        ondelete="CASCADE" if cascade else None,
    )
    return sa.Column(name, sa.Integer(), key, nullable=nullable, index=index)


def moderated(table):
    """Columns of `models.moderated.Moderated`."""
    return (
        sa.Column("review", sa.String(10), nullable=False, index=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("review_reason", sa.Text(), nullable=False),
        sa.Column("form_key", sa.String(80), nullable=True),
        sa.Column("filed_at", MOMENT, nullable=True),
        reference("author_id", "account", table=table, index=True),
        reference("reviewed_by", "account", table=table, nullable=True),
        sa.UniqueConstraint("form_key", name=f"uq_{table}_form_key"),
    )


def create_demand():
    table = "data_demand"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(30), nullable=False, index=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("theme", sa.String(30), nullable=False),
        reference("wanted_agency_id", "organisation", table=table, nullable=True),
        reference("agency_id", "organisation", table=table, nullable=True, index=True),
        reference("entry_id", "catalogue_entry", table=table, nullable=True, index=True),
        reference("merged_into_id", "data_demand", table=table, nullable=True),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("ground", sa.String(30), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("assigned_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        *moderated(table),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    table = "demand_vote"
    op.create_table(
        table,
        reference("demand_id", "data_demand", table=table),
        reference("account_id", "account", table=table, index=True),
        sa.Column("voted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("demand_id", "account_id", name=f"pk_{table}"),
    )


def create_follow():
    table = "entry_follow"
    op.create_table(
        table,
        reference("account_id", "account", table=table, cascade=True),
        reference("entry_id", "catalogue_entry", table=table, index=True),
        sa.Column("followed_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "entry_id", name=f"pk_{table}"),
    )


def create_reuse():
    table = "reuse"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("maker", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        *moderated(table),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    table = "reuse_source"
    op.create_table(
        table,
        reference("reuse_id", "reuse", table=table),
        reference("entry_id", "catalogue_entry", table=table, index=True),
        reference("version_id", "entry_version", table=table),
        sa.PrimaryKeyConstraint("reuse_id", "entry_id", name=f"pk_{table}"),
    )


def create_comment():
    table = "entry_comment"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        reference("entry_id", "catalogue_entry", table=table, index=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        reference("answered_by", "account", table=table, nullable=True),
        *moderated(table),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    table = "entry_rating"
    op.create_table(
        table,
        reference("entry_id", "catalogue_entry", table=table),
        reference("account_id", "account", table=table, cascade=True),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("rated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "account_id", name=f"pk_{table}"),
    )
