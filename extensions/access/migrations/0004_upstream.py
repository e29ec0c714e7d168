"""Policies, terms by field and row, attachments, use reports, named keys, upstream services.

Safe while the previous release runs: yes (new tables, and columns that may be empty).
Locks: none that matter.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_upstream"
down_revision = "0003_sandbox"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
APPLICATION = "access_application"
COLUMNS = (
    ("policy_version", sa.Integer),
    ("storage", sa.Text),
    ("field_reasons", sa.JSON),
    ("granted_masking", sa.JSON),
    ("row_filters", sa.JSON),
)


def upgrade():
    for name, kind in COLUMNS:
        op.add_column(APPLICATION, sa.Column(name, kind(), nullable=True))
    op.add_column("access_key", sa.Column("name", sa.String(60), nullable=True))
    create_policy()
    create_attachment()
    create_use_report()
    create_upstream()


def downgrade():
    for table in ("access_upstream", "access_use_report", "access_attachment", "access_policy"):
        op.drop_table(table)
    op.drop_column("access_key", "name")
    for name, _kind in reversed(COLUMNS):
        op.drop_column(APPLICATION, name)


def reference(name, target, *, table, nullable=False, index=False):
    return sa.Column(
        name,
        sa.Integer(),
        sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}"),
        nullable=nullable,
        index=index,
    )


def create_policy():
    table = "access_policy"
    op.create_table(
        table,
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        reference("created_by", "account", table=table, nullable=True),
        sa.PrimaryKeyConstraint("version", name=f"pk_{table}"),
    )


def create_attachment():
    table = "access_attachment"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        reference("application_id", APPLICATION, table=table, index=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def create_use_report():
    table = "access_use_report"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        reference("application_id", APPLICATION, table=table, index=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("incidents", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("public", sa.JSON(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def create_upstream():
    table = "access_upstream"
    op.create_table(
        table,
        reference("interface_id", "data_interface", table=table),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("rows_path", sa.String(200), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("secret_header", sa.String(60), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        reference("updated_by", "account", table=table, nullable=True),
        sa.Column("tested_at", MOMENT, nullable=True),
        sa.Column("test_code", sa.String(30), nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("interface_id", name=f"pk_{table}"),
    )
