"""Harvest: sources that are paused, removed and hold sealed keys; column mappings; trials; link checks.

Safe while the previous release runs: yes (columns with defaults of the database or nullable; a new
table). Locks: short, on harvest_source, harvest_run and harvest_item.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_gathering"
down_revision = "0009_duties"
branch_labels = None
depends_on = None

_SOURCE = (
    ("paused", sa.Boolean(), sa.false()),
    ("sealed", sa.Text(), ""),
    ("keep_files", sa.String(10), "link"),
    ("row_version", sa.Integer(), "1"),
)
_SOURCE_NULLABLE = (
    ("removed_at", sa.DateTime(timezone=True)),
    ("columns", sa.JSON()),
    ("sample", sa.JSON()),
)


def upgrade():
    for name, kind, default in _SOURCE:
        column = sa.Column(name, kind, nullable=False, server_default=default)
        op.add_column("harvest_source", column)
    for name, kind in _SOURCE_NULLABLE:
        op.add_column("harvest_source", sa.Column(name, kind))
    trial = sa.Column("trial", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("harvest_run", trial)
    op.add_column("harvest_item", sa.Column("changes", sa.JSON()))
    op.create_table(
        "file_check",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "distribution_id", sa.Integer(), sa.ForeignKey("distribution.id"), nullable=False
        ),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True)),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("distribution_id", name="uq_file_check_distribution_id"),
    )
    op.create_index("ix_file_check_next_at", "file_check", ["next_at"])


def downgrade():
    op.drop_table("file_check")
    op.drop_column("harvest_item", "changes")
    op.drop_column("harvest_run", "trial")
    for name in [*(one[0] for one in _SOURCE_NULLABLE), *(one[0] for one in _SOURCE)]:
        op.drop_column("harvest_source", name)
