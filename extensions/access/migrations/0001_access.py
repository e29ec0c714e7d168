"""Tables of conditional access.

Safe while the previous release runs: yes (new tables only).
Locks: none that matter.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001_access"
down_revision = None
branch_labels = ("access",)
depends_on = "0001_core"

MOMENT = sa.DateTime(timezone=True)


def upgrade():
    create_interface()
    create_application()
    create_records()


def downgrade():
    for table in ("api_call", "access_agreement", "access_key", "access_application"):
        op.drop_table(table)
    op.drop_table("data_interface")


def reference(name, target, *, table, nullable=False, index=False):
    return sa.Column(
        name,
        sa.Integer(),
        sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}"),
        nullable=nullable,
        index=index,
    )


def create_interface():
    table = "data_interface"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("api_code", sa.String(41), nullable=False),
        reference("entry_id", "catalogue_entry", table=table, index=True),
        reference("distribution_id", "distribution", table=table),
        reference("table_distribution_id", "distribution", table=table, nullable=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("sort_field", sa.String(63), nullable=False),
        sa.Column("daily_quota", sa.Integer(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        reference("created_by", "account", table=table, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("api_code", name=f"uq_{table}_api_code"),
    )


def create_application():
    table = "access_application"
    stamps = ("submitted", "accepted", "correction_notified", "extended", "approved", "rejected")
    stamps += ("activated", "suspended", "revoked")
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(30), nullable=False, index=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.String(36), nullable=True),
        reference("applicant_id", "account", table=table, index=True),
        reference("interface_id", "data_interface", table=table, index=True),
        reference("entry_id", "catalogue_entry", table=table, index=True),
        reference("version_id", "entry_version", table=table),
        reference("renews_id", "access_application", table=table, nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("volume_a_day", sa.Integer(), nullable=True),
        sa.Column("term_days", sa.Integer(), nullable=True),
        sa.Column("capability", sa.Text(), nullable=False),
        sa.Column("undertakings", sa.JSON(), nullable=False),
        sa.Column("correction", sa.JSON(), nullable=False),
        sa.Column("granted_fields", sa.JSON(), nullable=False),
        sa.Column("quota_day", sa.Integer(), nullable=True),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("reject_ground", sa.String(30), nullable=False),
        reference("decided_by", "account", table=table, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("modified_at", MOMENT, nullable=False),
        *(sa.Column(f"{stamp}_at", MOMENT, nullable=True) for stamp in stamps),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("form_key", name=f"uq_{table}_form_key"),
    )


def create_records():
    op.create_table(
        "access_key",
        sa.Column("id", sa.Integer(), nullable=False),
        reference("application_id", "access_application", table="access_key", index=True),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_key"),
        sa.UniqueConstraint("secret_hash", name="uq_access_key_secret_hash"),
    )
    op.create_table(
        "access_agreement",
        sa.Column("id", sa.Integer(), nullable=False),
        reference("application_id", "access_application", table="access_agreement"),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        reference("accepted_by", "account", table="access_agreement"),
        sa.Column("accepted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_agreement"),
        sa.UniqueConstraint("application_id", name="uq_access_agreement_application_id"),
    )
    op.create_table(
        "api_call",
        reference("application_id", "access_application", table="api_call"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "day", "hour", name="pk_api_call"),
    )
