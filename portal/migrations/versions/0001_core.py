"""The first schema of the core.

Safe while the previous release runs: yes (there is none).
Locks: none that matter.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001_core"
down_revision = None
branch_labels = ("core",)
depends_on = None

CIRCLES = (
    (
        "fk_catalogue_entry_published_version_id_entry_version",
        "catalogue_entry",
        "published_version_id",
        "entry_version",
    ),
    (
        "fk_distribution_current_version_id_data_version",
        "distribution",
        "current_version_id",
        "data_version",
    ),
)
APPEND_ONLY = ("audit_event", "audit_seal", "audit_sealed_event")


def upgrade():
    create_tables()
    if op.get_bind().dialect.name == "postgresql":
        for name, table, column, target in CIRCLES:
            op.create_foreign_key(name, table, target, [column], ["id"])
    for table in APPEND_ONLY:
        refuse_changes(table)


def refuse_changes(table):
    """Make the table append-only: the database itself refuses UPDATE and DELETE."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )


def create_tables():
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("applicant_kind", sa.String(length=40), nullable=False),
        sa.Column("applicant_name", sa.String(length=200), nullable=False),
        sa.Column("identity_verified", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("public_id", name="uq_account_public_id"),
        sa.UniqueConstraint("username", name="uq_account_username"),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=120), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.String(length=30), nullable=False),
        sa.Column("to_state", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("in_time", sa.Boolean(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("event_key", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
        sa.UniqueConstraint(
            "flow", "subject_id", "event_key", name="uq_audit_event_flow_subject_id_event_key"
        ),
    )
    op.create_index("ix_audit_event_entry_id", "audit_event", ["entry_id"], unique=False)
    op.create_index("ix_audit_event_subject_id", "audit_event", ["subject_id"], unique=False)
    op.create_table(
        "audit_seal",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("previous_digest", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_seal"),
    )
    op.create_table(
        "calendar_day",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("date", name="pk_calendar_day"),
    )
    op.create_table(
        "code_sequence",
        sa.Column("front", sa.String(length=30), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("front", name="pk_code_sequence"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=40), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_waiting", "job", ["state", "run_at"], unique=False)
    op.create_index(
        "uq_job_key",
        "job",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state = 'queued' AND key IS NOT NULL"),
        postgresql_where=sa.text("state = 'queued' AND key IS NOT NULL"),
    )
    op.create_table(
        "job_schedule",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("cron", sa.String(length=100), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_job_schedule"),
    )
    op.create_table(
        "kept_value",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_kept_value"),
    )
    op.create_table(
        "login_failure",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_login_failure"),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("by_analogy", sa.Boolean(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("serial", sa.String(length=3), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("default_theme", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["organisation.id"], name="fk_organisation_parent_id_organisation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.UniqueConstraint("code", name="uq_organisation_code"),
        sa.UniqueConstraint("public_id", name="uq_organisation_public_id"),
        sa.UniqueConstraint("slug", name="uq_organisation_slug"),
    )
    op.create_table(
        "rate_window",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window_start", name="pk_rate_window"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_api_token_account_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )
    op.create_index("ix_api_token_account_id", "api_token", ["account_id"], unique=False)
    op.create_table(
        "audit_sealed_event",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("seal_number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["audit_event.id"], name="fk_audit_sealed_event_event_id_audit_event"
        ),
        sa.ForeignKeyConstraint(
            ["seal_number"],
            ["audit_seal.number"],
            name="fk_audit_sealed_event_seal_number_audit_seal",
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_audit_sealed_event"),
        sa.UniqueConstraint(
            "seal_number", "position", name="uq_audit_sealed_event_seal_number_position"
        ),
    )
    op.create_table(
        "deadline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("actor_kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("events", sa.String(length=300), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=1), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("met", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_deadline_organisation_id_organisation",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deadline"),
    )
    op.create_index("ix_deadline_due_on", "deadline", ["due_on"], unique=False)
    op.create_index("ix_deadline_entry_id", "deadline", ["entry_id"], unique=False)
    op.create_index("ix_deadline_organisation_id", "deadline", ["organisation_id"], unique=False)
    op.create_index("ix_deadline_subject_id", "deadline", ["subject_id"], unique=False)
    op.create_table(
        "harvest_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("schedule", sa.String(length=100), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_harvest_source_organisation_id_organisation",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_harvest_source"),
        sa.UniqueConstraint("name", name="uq_harvest_source_name"),
    )
    op.create_index(
        "ix_harvest_source_organisation_id", "harvest_source", ["organisation_id"], unique=False
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_login_session_account_id_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_login_session"),
        sa.UniqueConstraint("token_hash", name="uq_login_session_token_hash"),
    )
    op.create_index("ix_login_session_account_id", "login_session", ["account_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name="fk_membership_account_id_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_membership_organisation_id_organisation",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        sa.UniqueConstraint(
            "account_id",
            "role",
            "organisation_id",
            name="uq_membership_account_id_role_organisation_id",
        ),
    )
    op.create_index("ix_membership_account_id", "membership", ["account_id"], unique=False)
    op.create_index(
        "ix_membership_organisation_id", "membership", ["organisation_id"], unique=False
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_notice_account_id_account", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["audit_event.id"], name="fk_notice_event_id_audit_event"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_account_id", "notice", ["account_id"], unique=False)
    op.create_index("ix_notice_event_id", "notice", ["event_id"], unique=False)
    op.create_table(
        "catalogue_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=100), nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("metadata_profile", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("responsible_dept_id", sa.Integer(), nullable=False),
        sa.Column("published_version_id", sa.Integer(), nullable=True),
        sa.Column("supplementary", sa.Boolean(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("remote_id", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("metadata_modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_reason", sa.Text(), nullable=False),
        sa.Column("retired_by_source", sa.Boolean(), nullable=False),
        sa.Column("needs_second_look", sa.Boolean(), nullable=False),
        sa.Column("livelihood_confirmed", sa.Boolean(), nullable=False),
        sa.Column("hvd_tagged", sa.Boolean(), nullable=False),
        sa.Column("value_score", sa.Float(), nullable=False),
        sa.Column("value_badge", sa.Boolean(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("index_version", sa.Integer(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["organisation.id"], name="fk_catalogue_entry_provider_id_organisation"
        ),
        sa.ForeignKeyConstraint(
            ["published_version_id"],
            ["entry_version.id"],
            name="fk_catalogue_entry_published_version_id_entry_version",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["responsible_dept_id"],
            ["organisation.id"],
            name="fk_catalogue_entry_responsible_dept_id_organisation",
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["harvest_source.id"], name="fk_catalogue_entry_source_id_harvest_source"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_entry"),
        sa.UniqueConstraint("code", name="uq_catalogue_entry_code"),
        sa.UniqueConstraint("public_id", name="uq_catalogue_entry_public_id"),
        sa.UniqueConstraint("slug", name="uq_catalogue_entry_slug"),
        sa.UniqueConstraint(
            "source_id", "remote_id", name="uq_catalogue_entry_source_id_remote_id"
        ),
    )
    op.create_index(
        "ix_catalogue_entry_provider_id", "catalogue_entry", ["provider_id"], unique=False
    )
    op.create_index(
        "ix_catalogue_entry_responsible_dept_id",
        "catalogue_entry",
        ["responsible_dept_id"],
        unique=False,
    )
    op.create_index("ix_catalogue_entry_source_id", "catalogue_entry", ["source_id"], unique=False)
    op.create_table(
        "harvest_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["harvest_source.id"], name="fk_harvest_run_source_id_harvest_source"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_harvest_run"),
    )
    op.create_index("ix_harvest_run_source_id", "harvest_run", ["source_id"], unique=False)
    op.create_index(
        "uq_harvest_run_live",
        "harvest_run",
        ["source_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('gathering', 'writing')"),
        postgresql_where=sa.text("state IN ('gathering', 'writing')"),
    )
    op.create_table(
        "distribution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=100), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=100), nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("current_version_id", sa.Integer(), nullable=True),
        sa.Column("remote_id", sa.String(length=300), nullable=True),
        sa.Column("foreign", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["current_version_id"],
            ["data_version.id"],
            name="fk_distribution_current_version_id_data_version",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_distribution_entry_id_catalogue_entry"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_distribution"),
        sa.UniqueConstraint("public_id", name="uq_distribution_public_id"),
    )
    op.create_index("ix_distribution_entry_id", "distribution", ["entry_id"], unique=False)
    op.create_table(
        "entry_document",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("package", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_entry_document_entry_id_catalogue_entry"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_entry_document"),
    )
    op.create_table(
        "entry_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("theme", sa.String(length=30), nullable=False),
        sa.Column("share_type", sa.String(length=30), nullable=False),
        sa.Column("open_type", sa.String(length=30), nullable=False),
        sa.Column("security_level", sa.String(length=5), nullable=False),
        sa.Column("acquisition_method", sa.String(length=30), nullable=False),
        sa.Column("update_frequency", sa.String(length=30), nullable=False),
        sa.Column("editors", sa.JSON(), nullable=False),
        sa.Column("return_defects", sa.JSON(), nullable=False),
        sa.Column("change_note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_entry_version_entry_id_catalogue_entry"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_entry_version"),
        sa.UniqueConstraint("entry_id", "number", name="uq_entry_version_entry_id_number"),
    )
    op.create_index("ix_entry_version_entry_id", "entry_version", ["entry_id"], unique=False)
    op.create_index("ix_entry_version_state", "entry_version", ["state"], unique=False)
    op.create_index(
        "uq_entry_version_unfinished",
        "entry_version",
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('draft', 'submitted', 'returned', 'approved')"),
        postgresql_where=sa.text("state IN ('draft', 'submitted', 'returned', 'approved')"),
    )
    op.create_table(
        "freshness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_freshness_entry_id_catalogue_entry"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_freshness"),
        sa.UniqueConstraint("entry_id", name="uq_freshness_entry_id"),
    )
    op.create_index("ix_freshness_state", "freshness", ["state"], unique=False)
    op.create_table(
        "harvest_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.String(length=300), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_harvest_item_entry_id_catalogue_entry"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["harvest_run.id"],
            name="fk_harvest_item_run_id_harvest_run",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_harvest_item"),
        sa.UniqueConstraint("run_id", "remote_id", name="uq_harvest_item_run_id_remote_id"),
    )
    op.create_index("ix_harvest_item_run_id", "harvest_item", ["run_id"], unique=False)
    op.create_table(
        "index_request",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_index_request_entry_id_catalogue_entry"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_index_request"),
    )
    op.create_index(
        "ix_index_request_requested_at", "index_request", ["requested_at"], unique=False
    )
    op.create_table(
        "open_list_release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(length=40), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["catalogue_entry.id"],
            name="fk_open_list_release_entry_id_catalogue_entry",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_open_list_release_organisation_id_organisation",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_open_list_release"),
        sa.UniqueConstraint(
            "organisation_id", "number", name="uq_open_list_release_organisation_id_number"
        ),
    )
    op.create_table(
        "search_denial",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_search_denial_entry_id_catalogue_entry"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_search_denial"),
    )
    op.create_table(
        "data_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("distribution_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("table_state", sa.String(length=20), nullable=False),
        sa.Column("table", sa.JSON(), nullable=True),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.Column("table_error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account.id"], name="fk_data_version_created_by_account"
        ),
        sa.ForeignKeyConstraint(
            ["distribution_id"],
            ["distribution.id"],
            name="fk_data_version_distribution_id_distribution",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_data_version"),
        sa.UniqueConstraint(
            "distribution_id", "number", name="uq_data_version_distribution_id_number"
        ),
    )
    op.create_index(
        "ix_data_version_distribution_id", "data_version", ["distribution_id"], unique=False
    )
    op.create_index("ix_data_version_sha256", "data_version", ["sha256"], unique=False)
    op.create_table(
        "download",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("distribution_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["distribution_id"],
            ["distribution.id"],
            name="fk_download_distribution_id_distribution",
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_download_entry_id_catalogue_entry"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_download"),
        sa.UniqueConstraint(
            "distribution_id",
            "day",
            "visitor",
            "form",
            name="uq_download_distribution_id_day_visitor_form",
        ),
    )
    op.create_index("ix_download_entry_id", "download", ["entry_id"], unique=False)
    op.create_table(
        "open_list_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("open_type", sa.String(length=30), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.Integer(), nullable=True),
        sa.Column("review", sa.JSON(), nullable=False),
        sa.Column("planned_open_date", sa.Date(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspended_by", sa.String(length=30), nullable=False),
        sa.Column("removal_notice_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_open_list_entry_entry_id_catalogue_entry"
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["account.id"], name="fk_open_list_entry_proposed_by_account"
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["account.id"], name="fk_open_list_entry_reviewed_by_account"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["entry_version.id"], name="fk_open_list_entry_version_id_entry_version"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_open_list_entry"),
    )
    op.create_index("ix_open_list_entry_entry_id", "open_list_entry", ["entry_id"], unique=False)
    op.create_index("ix_open_list_entry_state", "open_list_entry", ["state"], unique=False)
    op.create_index(
        "uq_open_list_entry_live",
        "open_list_entry",
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('rejected', 'removed')"),
        postgresql_where=sa.text("state NOT IN ('rejected', 'removed')"),
    )


def downgrade():
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in APPEND_ONLY:
        if postgresql:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
            op.execute(f"DROP FUNCTION {table}_refuse()")
        else:
            op.execute(f"DROP TRIGGER {table}_no_update")
            op.execute(f"DROP TRIGGER {table}_no_delete")
    if postgresql:
        for name, table, _column, _target in CIRCLES:
            op.drop_constraint(name, table, type_="foreignkey")
    drop_tables()


def drop_tables():
    op.drop_index(
        "uq_open_list_entry_live",
        table_name="open_list_entry",
        sqlite_where=sa.text("state NOT IN ('rejected', 'removed')"),
        postgresql_where=sa.text("state NOT IN ('rejected', 'removed')"),
    )
    op.drop_index("ix_open_list_entry_state", table_name="open_list_entry")
    op.drop_index("ix_open_list_entry_entry_id", table_name="open_list_entry")
    op.drop_table("open_list_entry")
    op.drop_index("ix_download_entry_id", table_name="download")
    op.drop_table("download")
    op.drop_index("ix_data_version_sha256", table_name="data_version")
    op.drop_index("ix_data_version_distribution_id", table_name="data_version")
    op.drop_table("data_version")
    op.drop_table("search_denial")
    op.drop_table("open_list_release")
    op.drop_index("ix_index_request_requested_at", table_name="index_request")
    op.drop_table("index_request")
    op.drop_index("ix_harvest_item_run_id", table_name="harvest_item")
    op.drop_table("harvest_item")
    op.drop_index("ix_freshness_state", table_name="freshness")
    op.drop_table("freshness")
    op.drop_index(
        "uq_entry_version_unfinished",
        table_name="entry_version",
        sqlite_where=sa.text("state IN ('draft', 'submitted', 'returned', 'approved')"),
        postgresql_where=sa.text("state IN ('draft', 'submitted', 'returned', 'approved')"),
    )
    op.drop_index("ix_entry_version_state", table_name="entry_version")
    op.drop_index("ix_entry_version_entry_id", table_name="entry_version")
    op.drop_table("entry_version")
    op.drop_table("entry_document")
    op.drop_index("ix_distribution_entry_id", table_name="distribution")
    op.drop_table("distribution")
    op.drop_index(
        "uq_harvest_run_live",
        table_name="harvest_run",
        sqlite_where=sa.text("state IN ('gathering', 'writing')"),
        postgresql_where=sa.text("state IN ('gathering', 'writing')"),
    )
    op.drop_index("ix_harvest_run_source_id", table_name="harvest_run")
    op.drop_table("harvest_run")
    op.drop_index("ix_catalogue_entry_source_id", table_name="catalogue_entry")
    op.drop_index("ix_catalogue_entry_responsible_dept_id", table_name="catalogue_entry")
    op.drop_index("ix_catalogue_entry_provider_id", table_name="catalogue_entry")
    op.drop_table("catalogue_entry")
    op.drop_index("ix_notice_event_id", table_name="notice")
    op.drop_index("ix_notice_account_id", table_name="notice")
    op.drop_table("notice")
    op.drop_index("ix_membership_organisation_id", table_name="membership")
    op.drop_index("ix_membership_account_id", table_name="membership")
    op.drop_table("membership")
    op.drop_index("ix_login_session_account_id", table_name="login_session")
    op.drop_table("login_session")
    op.drop_index("ix_harvest_source_organisation_id", table_name="harvest_source")
    op.drop_table("harvest_source")
    op.drop_index("ix_deadline_subject_id", table_name="deadline")
    op.drop_index("ix_deadline_organisation_id", table_name="deadline")
    op.drop_index("ix_deadline_entry_id", table_name="deadline")
    op.drop_index("ix_deadline_due_on", table_name="deadline")
    op.drop_table("deadline")
    op.drop_table("audit_sealed_event")
    op.drop_index("ix_api_token_account_id", table_name="api_token")
    op.drop_table("api_token")
    op.drop_table("rate_window")
    op.drop_table("organisation")
    op.drop_table("login_failure")
    op.drop_table("kept_value")
    op.drop_table("job_schedule")
    op.drop_index(
        "uq_job_key",
        table_name="job",
        sqlite_where=sa.text("state = 'queued' AND key IS NOT NULL"),
        postgresql_where=sa.text("state = 'queued' AND key IS NOT NULL"),
    )
    op.drop_index("ix_job_waiting", table_name="job")
    op.drop_table("job")
    op.drop_table("code_sequence")
    op.drop_table("calendar_day")
    op.drop_table("audit_seal")
    op.drop_index("ix_audit_event_subject_id", table_name="audit_event")
    op.drop_index("ix_audit_event_entry_id", table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_table("account")
