"""Series of data sets, and the order in which the public's view of entries changed.

What was public before is noted by the instant of its last change, so that those who keep a copy
need not read everything again.

Safe while the previous release runs: yes (new tables; what it changes is noted afterwards).
Locks: none; entries are read once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_series_and_changes"
down_revision = "0001_exchange"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STAMP = "coalesce(retired_at, metadata_modified_at)"


def upgrade():
    create_changes()
    create_series()


def downgrade():
    for table in ("series_member", "dataset_series", "catalogue_change"):
        op.drop_table(table)


def create_changes():
    table = "catalogue_change"
    op.create_table(
        table,
        sa.Column("entry_id", sa.Integer(), sa.ForeignKey("catalogue_entry.id"), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("index_version", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )
    op.create_index(f"ix_{table}_changed_at", table, ["changed_at"])
    op.execute(
        f"INSERT INTO {table} (entry_id, sequence, index_version, removed, digest, changed_at)"
        f" SELECT id, row_number() OVER (ORDER BY {STAMP}, id), index_version,"
        f" retired_at IS NOT NULL, '', {STAMP}"
        " FROM catalogue_entry WHERE published_version_id IS NOT NULL"
    )


def create_series():
    op.create_table(
        "dataset_series",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(36), nullable=False, unique=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("cut_by", sa.String(20), nullable=False),
        sa.Column(
            "organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False
        ),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("modified_at", MOMENT, nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
    )
    op.create_index("ix_dataset_series_organisation_id", "dataset_series", ["organisation_id"])
    op.create_table(
        "series_member",
        sa.Column(
            "entry_id",
            sa.Integer(),
            sa.ForeignKey("catalogue_entry.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "series_id",
            sa.Integer(),
            sa.ForeignKey("dataset_series.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
    )
    op.create_index("ix_series_member_series_id", "series_member", ["series_id"])
