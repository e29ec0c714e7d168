"""Holiday notices, responsible departments, random inspections, pages of the site, versions of code
lists, and what stands beside supplementary entries.

Safe while the previous release runs: yes (new tables only).
Locks: none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_duties"
down_revision = "0008_compiling"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "calendar_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("whole_year", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("loaded_by", sa.String(length=120), nullable=False),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_notice"),
    )
    op.create_index("ix_calendar_notice_year", "calendar_notice", ["year"])
    _responsibility()
    _spot_checks()
    _pages()
    op.create_table(
        "code_list_release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("released_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_code_list_release"),
        sa.UniqueConstraint("list_name", "number", name="uq_code_list_release_list_name_number"),
    )
    _supplementary()


def _responsibility():
    op.create_table(
        "business_system",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_business_system"),
        sa.UniqueConstraint("code", name="uq_business_system_code"),
    )
    op.create_table(
        "system_member",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name="pk_system_member"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"],
            name="fk_system_member_organisation_id_organisation",
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["business_system.id"],
            name="fk_system_member_system_id_business_system",
        ),
    )  # fmt: skip
    op.create_index("ix_system_member_system_id", "system_member", ["system_id"])
    op.create_table(
        "responsible_assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(length=120), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_responsible_assignment"),
        sa.UniqueConstraint("system_id", "from_on", name="uq_responsible_assignment_system_id_from_on"),
        sa.ForeignKeyConstraint(
            ["system_id"], ["business_system.id"],
            name="fk_responsible_assignment_system_id_business_system",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"],
            name="fk_responsible_assignment_organisation_id_organisation",
        ),
    )  # fmt: skip
    op.create_index(
        "ix_responsible_assignment_organisation_id", "responsible_assignment", ["organisation_id"]
    )


def _spot_checks():
    op.create_table(
        "spot_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("sample_size", sa.Integer(), nullable=False),
        sa.Column("population", sa.JSON(), nullable=False),
        sa.Column("population_digest", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("public_value", sa.String(length=200), nullable=False),
        sa.Column("announced_by", sa.String(length=120), nullable=False),
        sa.Column("announced_at", INSTANT, nullable=False),
        sa.Column("drawn_at", INSTANT, nullable=True),
        sa.Column("concluded_at", INSTANT, nullable=True),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spot_check"),
    )
    op.create_table(
        "spot_check_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("finding", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("found_by", sa.String(length=120), nullable=False),
        sa.Column("found_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_spot_check_item"),
        sa.UniqueConstraint("check_id", "place", name="uq_spot_check_item_check_id_place"),
        sa.ForeignKeyConstraint(
            ["check_id"], ["spot_check.id"], name="fk_spot_check_item_check_id_spot_check"
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name="fk_spot_check_item_entry_id_catalogue_entry"
        ),
    )
    op.create_index("ix_spot_check_item_check_id", "spot_check_item", ["check_id"])
    op.create_index("ix_spot_check_item_entry_id", "spot_check_item", ["entry_id"])


def _pages():
    op.create_table(
        "site_page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("shown_number", sa.Integer(), nullable=True),
        sa.Column("first_shown_at", INSTANT, nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_site_page"),
        sa.UniqueConstraint("slug", name="uq_site_page_slug"),
    )
    op.create_index("ix_site_page_kind", "site_page", ["kind"])
    op.create_table(
        "site_page_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_en", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("written_by", sa.String(length=120), nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("shown_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_site_page_version"),
        sa.UniqueConstraint("page_id", "number", name="uq_site_page_version_page_id_number"),
        sa.ForeignKeyConstraint(
            ["page_id"], ["site_page.id"], name="fk_site_page_version_page_id_site_page"
        ),
    )


def _supplementary():
    op.create_table(
        "coverage_dismissal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("provincial_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("dismissed_by", sa.String(length=120), nullable=False),
        sa.Column("dismissed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_coverage_dismissal"),
        sa.UniqueConstraint(
            "version_id", "provincial_id", name="uq_coverage_dismissal_version_id_provincial_id"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["entry_version.id"],
            name="fk_coverage_dismissal_version_id_entry_version",
        ),
        sa.ForeignKeyConstraint(
            ["provincial_id"], ["catalogue_entry.id"],
            name="fk_coverage_dismissal_provincial_id_catalogue_entry",
        ),
    )  # fmt: skip
    op.create_table(
        "supplementary_absorption",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("provincial_id", sa.Integer(), nullable=False),
        sa.Column("absorbed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_supplementary_absorption"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"],
            name="fk_supplementary_absorption_entry_id_catalogue_entry",
        ),
        sa.ForeignKeyConstraint(
            ["provincial_id"], ["catalogue_entry.id"],
            name="fk_supplementary_absorption_provincial_id_catalogue_entry",
        ),
    )  # fmt: skip
    op.create_index(
        "ix_supplementary_absorption_provincial_id", "supplementary_absorption", ["provincial_id"]
    )


def downgrade():
    for table in (
        "supplementary_absorption", "coverage_dismissal", "code_list_release", "site_page_version",
        "site_page", "spot_check_item", "spot_check", "responsible_assignment", "system_member",
        "business_system", "calendar_notice",
    ):  # fmt: skip
        op.drop_table(table)
