"""Compiling and reviewing: similar entries that were shown, scheduled release, templates, lists
that are checked in the background, and names that an entry had before.

Safe while the previous release runs: yes (columns with a default of the database, or empty; new
tables).
Locks: short, on entry_version only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_compiling"
down_revision = "0007_people"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "entry_version",
        sa.Column("similar_entries", sa.JSON(), nullable=False, server_default="[]"),
    )
    op.add_column("entry_version", sa.Column("release_on", sa.Date(), nullable=True))
    op.create_table(
        "entry_template",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False
        ),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.Integer(), sa.ForeignKey("account.id")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("organisation_id", "name", name="uq_entry_template_name"),
    )
    op.create_table(
        "list_check",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "organisation_id", sa.Integer(), sa.ForeignKey("organisation.id"), nullable=False
        ),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("filename", sa.String(300), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_list_check_account_id", "list_check", ["account_id"])
    op.create_table(
        "former_slug",
        sa.Column("slug", sa.String(120), primary_key=True),
        sa.Column("entry_id", sa.Integer(), sa.ForeignKey("catalogue_entry.id"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_former_slug_entry_id", "former_slug", ["entry_id"])


def downgrade():
    op.drop_table("former_slug")
    op.drop_table("list_check")
    op.drop_table("entry_template")
    op.drop_column("entry_version", "release_on")
    op.drop_column("entry_version", "similar_entries")
