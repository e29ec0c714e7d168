"""Tables of data quality: scans, reports, issues.

Safe while the previous release runs: yes (new tables only).
Locks: none that matter.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001_quality"
down_revision = None
branch_labels = ("quality",)
depends_on = "0004_release_holds"

MOMENT = sa.DateTime(timezone=True)
LIVE = "state NOT IN ('closed', 'dismissed') AND check_code <> 'manual'"


def upgrade():
    create_scan()
    create_report()
    create_issue()


def downgrade():
    for table in ("quality_issue", "quality_report", "table_scan"):
        op.drop_table(table)


def reference(name, target, *, table, nullable=False, index=False):
    return sa.Column(
        name,
        sa.Integer(),
        sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}"),
        nullable=nullable,
        index=index,
    )


def create_scan():
    table = "table_scan"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        reference("data_version_id", "data_version", table=table),
        reference("entry_id", "catalogue_entry", table=table, index=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("parquet_sha256", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False, index=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("duplicate_rows", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Boolean(), nullable=False),
        sa.Column("blocks", sa.Boolean(), nullable=False, index=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("scanned_at", MOMENT, nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        reference("decided_by", "account", table=table, nullable=True),
        reference("decided_on_id", "entry_version", table=table, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("applied", sa.JSON(), nullable=False),
        sa.Column("applied_at", MOMENT, nullable=True),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("data_version_id", name=f"uq_{table}_data_version_id"),
    )


def create_report():
    table = "quality_report"
    op.create_table(
        table,
        reference("entry_id", "catalogue_entry", table=table),
        sa.Column("index_version", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False, index=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("method_version", sa.Integer(), nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=f"pk_{table}"),
    )


def create_issue():
    table = "quality_issue"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(30), nullable=False, index=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.String(80), nullable=True),
        reference("entry_id", "catalogue_entry", table=table, index=True),
        reference("owner_id", "organisation", table=table, index=True),
        sa.Column("duty", sa.String(20), nullable=False),
        sa.Column("check_code", sa.String(40), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        reference("opened_by", "account", table=table, nullable=True),
        sa.Column("opened_at", MOMENT, nullable=True),
        reference("ordered_by", "account", table=table, nullable=True),
        sa.Column("ordered_at", MOMENT, nullable=True),
        sa.Column("order_text", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("fixed_at", MOMENT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        reference("fixed_version_id", "data_version", table=table, nullable=True),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("escalated_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("form_key", name=f"uq_{table}_form_key"),
    )
    op.create_index(
        "uq_quality_issue_live",
        table,
        ["entry_id", "check_code"],
        unique=True,
        sqlite_where=sa.text(LIVE),
        postgresql_where=sa.text(LIVE),
    )
