"""Jobs about people: the mails that a form asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.services import registration
from portal.services.mail_texts import Site

if TYPE_CHECKING:
    from portal.platform import Platform


def site_of(platform: Platform) -> Site:
    settings = platform.settings
    return Site(settings.site_title, settings.site_url.rstrip("/"))


def mail_registration_link(platform: Platform, payload: dict[str, Any]) -> None:
    with platform.database.writing() as session:
        registration.mail_registration(
            session, platform.clock, site_of(platform), payload["email"], payload["wish"]
        )


def mail_reset_link(platform: Platform, payload: dict[str, Any]) -> None:
    with platform.database.writing() as session:
        registration.mail_reset(
            session, platform.clock, site_of(platform), payload["name"], payload["wish"]
        )
