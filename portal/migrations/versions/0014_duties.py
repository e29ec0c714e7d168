"""People: when a mobile number was confirmed; a confirmed number is one account's.

Safe while the previous release runs: yes (a column without a value; the former release fills in no
number, so the index stands over nothing at first).
Locks: short, on account.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_duties"
down_revision = "0013_harvest"
branch_labels = None
depends_on = None

CONFIRMED = sa.text("phone_verified_at IS NOT NULL")


def upgrade():
    op.add_column(
        "account", sa.Column("phone_verified_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "uq_account_phone",
        "account",
        ["phone"],
        unique=True,
        sqlite_where=CONFIRMED,
        postgresql_where=CONFIRMED,
    )


def downgrade():
    op.drop_index("uq_account_phone", table_name="account")
    op.drop_column("account", "phone_verified_at")
