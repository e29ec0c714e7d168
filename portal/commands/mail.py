"""`xiangyun mail`: is mail set up, what waits, what was refused."""

from __future__ import annotations

import click
from sqlalchemy import func, select

from portal.commands import opened_platform
from portal.jobs.messages import postman_of
from portal.jobs.people import site_of
from portal.models.message import OutgoingMessage
from portal.net.smtp import MailRefused, MailUnavailable
from portal.rules.mail_address import clean_address
from portal.services.mail_texts import trial
from portal.services.outgoing import EMAIL

LISTED = 20


@click.group("mail")
def mail() -> None:
    """Mail that the portal sends."""


@mail.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send a mail to ADDRESS now, and say what the server answers."""
    cleaned = clean_address(address)
    if cleaned is None:
        raise click.UsageError("not a mail address")
    with opened_platform() as platform:
        if not platform.settings.smtp_url:
            raise click.ClickException("XIANGYUN_SMTP_URL is not set")
        text = trial(site_of(platform))
        message = OutgoingMessage(
            id=0,
            channel=EMAIL,
            address=cleaned,
            subject=text.subject,
            body=text.body,
            created_at=platform.clock(),
        )
        try:
            postman_of(platform).hand_in(message)
        except (MailRefused, MailUnavailable) as error:
            raise click.ClickException(str(error)) from error
    click.echo("sent")


@mail.command("list")
def list_messages() -> None:
    """Print how many messages are in each state, and the newest that were refused."""
    with opened_platform() as platform, platform.database.reading() as session:
        stage = OutgoingMessage.stage
        for name, count in session.execute(select(stage, func.count()).group_by(stage)):
            click.echo(f"{name}\t{count}")
        refused = select(OutgoingMessage).where(stage == "failed")
        for one in session.scalars(refused.order_by(OutgoingMessage.id.desc()).limit(LISTED)):
            click.echo(f"{one.finished_at:%Y-%m-%d %H:%M}\t{one.kind}\t{one.address}\t{one.error}")


COMMANDS = (mail,)
