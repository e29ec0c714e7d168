"""`xiangyun user create`, `xiangyun token`."""

from __future__ import annotations

import secrets

import click

from portal.codes import code_list
from portal.commands import opened_platform
from portal.models.account import get_account
from portal.models.organisation import get_organisation
from portal.services.accounts import create_account, create_token

ROLES = [role.code for role in code_list("roles")]


@click.group("user")
def user() -> None:
    """Accounts."""


@user.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="Role of roles.csv.")
@click.option("--org", "organisation_code", help="Code of the organisation the role is in.")
@click.option("--password", help="Made and printed when not given.")
@click.option("--verified", is_flag=True, help="The person's real name was verified.")
def create(
    name: str, role: str, organisation_code: str | None, password: str | None, verified: bool
) -> None:
    """Make the account NAME with a role; print its password when it was made here."""
    made = password or secrets.token_urlsafe(12)
    with opened_platform() as platform, platform.database.writing() as session:
        organisation = get_organisation(session, organisation_code) if organisation_code else None
        create_account(
            session,
            platform.clock,
            username=name,
            password=made,
            memberships=[(role, organisation)],
            applicant_kind="natural_person" if role == "applicant" else "",
            identity_verified=verified,
        )
    if password is None:
        click.echo(made)


@click.command("token")
@click.argument("name")
@click.option("--label", default="command line", help="What the token is for.")
def token(name: str, label: str) -> None:
    """Print a new Action API token of the account NAME, and nothing else."""
    with opened_platform() as platform, platform.database.writing() as session:
        made = create_token(session, platform.clock, get_account(session, name), label)
    click.echo(made)


COMMANDS = (user, token)
