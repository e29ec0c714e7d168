"""Gateway: records of calls, limits by second and term, keys that sign access tokens.

Safe while the previous release runs: yes (new tables, and columns that may be empty).
Locks: none that matter.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_gateway"
down_revision = "0001_access"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
APPLICATION = "access_application"


def upgrade():
    for name in ("per_second", "quota_term"):
        op.add_column(APPLICATION, sa.Column(name, sa.Integer(), nullable=True))
    op.create_table(
        "access_signing_key",
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("public_pem", sa.Text(), nullable=False),
        sa.Column("sealed_private", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_access_signing_key"),
    )
    op.create_table(
        "access_term_use",
        application_of("access_term_use"),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_access_term_use"),
    )
    create_calls()


def downgrade():
    for table in ("access_call", "access_term_use", "access_signing_key"):
        op.drop_table(table)
    for name in ("quota_term", "per_second"):
        op.drop_column(APPLICATION, name)


def application_of(table):
    return sa.Column(
        "application_id",
        sa.Integer(),
        sa.ForeignKey(f"{APPLICATION}.id", name=f"fk_{table}_application_id_{APPLICATION}"),
        nullable=False,
    )


def create_calls():
    op.create_table(
        "access_call",
        sa.Column("id", sa.Integer(), nullable=False),
        application_of("access_call"),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("called_at", MOMENT, nullable=False),
        sa.Column("credential", sa.String(8), nullable=False),
        sa.Column("operation", sa.String(16), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_call"),
    )
    op.create_index(
        "ix_access_call_application_id_called_at", "access_call", ["application_id", "called_at"]
    )
