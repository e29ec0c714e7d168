"""People: messages that go out, links in mails, second factors, delegations, identities.

Adds outgoing_message, mailed_link, second_factor, recovery_code, login_step, delegation and
external_identity; columns of account and login_session that the previous release never reads.

Safe while the previous release runs: yes (new tables; columns with defaults of the database).
Locks: short, on account and login_session.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_people"
down_revision = "0006_search_counts"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade():
    _account_columns()
    _messages()
    _sign_in()
    _absence_and_identity()


def _account_columns():
    empty, no = sa.text("''"), sa.false()
    for column in (
        sa.Column("email_verified_at", AT, nullable=True),
        sa.Column("phone", sa.String(20), nullable=False, server_default=empty),
        sa.Column("digest", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("verified_by", sa.String(300), nullable=False, server_default=empty),
        sa.Column("erased_at", AT, nullable=True),
    ):
        op.add_column("account", column)
    op.create_index("ix_account_email", "account", ["email"])
    for column in (
        sa.Column("agent", sa.String(200), nullable=False, server_default=empty),
        sa.Column("address", sa.String(60), nullable=False, server_default=empty),
        sa.Column("must_enrol", sa.Boolean(), nullable=False, server_default=no),
    ):
        op.add_column("login_session", column)


def _messages():
    op.create_table(
        "outgoing_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("key", sa.String(100), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=True),
        sa.Column("finished_at", AT, nullable=True),
        sa.Column("error", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_outgoing_message_account_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_message"),
        sa.UniqueConstraint("key", name="uq_outgoing_message_key"),
    )
    op.create_index("ix_outgoing_message_account_id", "outgoing_message", ["account_id"])
    op.create_index("ix_outgoing_message_state", "outgoing_message", ["state"])
    op.create_table(
        "mailed_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_mailed_link_account_id_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_mailed_link_organisation_id_organisation",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account.id"], name="fk_mailed_link_created_by_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mailed_link"),
        sa.UniqueConstraint("token_hash", name="uq_mailed_link_token_hash"),
    )
    op.create_index("ix_mailed_link_account_id", "mailed_link", ["account_id"])
    op.create_index("ix_mailed_link_organisation_id", "mailed_link", ["organisation_id"])


def _sign_in():
    op.create_table(
        "second_factor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.String(1400), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("confirmed_at", AT, nullable=True),
        sa.Column("last_used_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_second_factor_account_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_second_factor"),
        sa.UniqueConstraint("credential_id", name="uq_second_factor_credential_id"),
    )
    op.create_index("ix_second_factor_account_id", "second_factor", ["account_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_recovery_code_account_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"])
    op.create_table(
        "login_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_login_step_account_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_login_step"),
        sa.UniqueConstraint("token_hash", name="uq_login_step_token_hash"),
    )
    op.create_index("ix_login_step_account_id", "login_step", ["account_id"])


def _absence_and_identity():
    op.create_table(
        "delegation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("substitute_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_delegation_account_id_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["substitute_id"],
            ["account.id"],
            name="fk_delegation_substitute_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delegation"),
    )
    op.create_index("ix_delegation_account_id", "delegation", ["account_id"])
    op.create_index("ix_delegation_substitute_id", "delegation", ["substitute_id"])
    op.create_table(
        "external_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("level", sa.String(60), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("last_used_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_external_identity_account_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_external_identity"),
        sa.UniqueConstraint("issuer", "subject", name="uq_external_identity_issuer_subject"),
    )
    op.create_index("ix_external_identity_account_id", "external_identity", ["account_id"])


def downgrade():
    for table in (
        "external_identity",
        "delegation",
        "login_step",
        "recovery_code",
        "second_factor",
        "mailed_link",
        "outgoing_message",
    ):
        op.drop_table(table)
    for column in ("must_enrol", "address", "agent"):
        op.drop_column("login_session", column)
    op.drop_index("ix_account_email", table_name="account")
    for column in ("erased_at", "verified_by", "digest", "phone", "email_verified_at"):
        op.drop_column("account", column)
