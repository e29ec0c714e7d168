"""Add partial_upload, and data_version.reason: what a new version changed.

Safe while the previous release runs: yes (a new table; a column with a default of the database).
Locks: short, on data_version only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_uploads"
down_revision = "0002_source_fingerprint"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("data_version", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "partial_upload",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(36), nullable=False),
        sa.Column("entry_id", sa.Integer(), sa.ForeignKey("catalogue_entry.id"), nullable=False),
        sa.Column("replaces_id", sa.Integer(), sa.ForeignKey("distribution.id")),
        sa.Column("distribution_id", sa.Integer(), sa.ForeignKey("distribution.id")),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("filename", sa.String(300), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("lease", sa.String(36), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_partial_upload_public_id"),
    )
    for column in ("entry_id", "account_id", "state", "expires_at"):
        op.create_index(f"ix_partial_upload_{column}", "partial_upload", [column])


def downgrade():
    op.drop_table("partial_upload")
    op.drop_column("data_version", "reason")
