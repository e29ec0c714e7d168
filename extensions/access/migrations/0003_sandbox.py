"""Sandbox: made tables, keys of accounts, their calls; and what interfaces did on each day.

Safe while the previous release runs: yes (new tables only).
Locks: none that matter.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_sandbox"
down_revision = "0002_gateway"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "access_sandbox",
        reference("interface_id", "data_interface", "access_sandbox"),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("table", sa.JSON(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("interface_id", name="pk_access_sandbox"),
    )
    op.create_table(
        "access_sandbox_key",
        sa.Column("id", sa.Integer(), nullable=False),
        reference("account_id", "account", "access_sandbox_key", index=True),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_sandbox_key"),
        sa.UniqueConstraint("secret_hash", name="uq_access_sandbox_key_secret_hash"),
    )
    op.create_table(
        "access_sandbox_call",
        reference("account_id", "account", "access_sandbox_call"),
        reference("interface_id", "data_interface", "access_sandbox_call"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "interface_id", "day", name="pk_access_sandbox_call"),
    )
    op.create_table(
        "access_interface_day",
        reference("interface_id", "data_interface", "access_interface_day"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("interface_id", "day", name="pk_access_interface_day"),
    )


def downgrade():
    for table in (
        "access_interface_day", "access_sandbox_call", "access_sandbox_key", "access_sandbox",
    ):  # fmt: skip
        op.drop_table(table)


def reference(name, target, table, *, index=False):
    return sa.Column(
        name,
        sa.Integer(),
        sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}"),
        nullable=False,
        index=index,
    )
