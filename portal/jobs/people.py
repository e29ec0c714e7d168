"""Jobs about people: the mails that a form asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.services import deadline_alerts, digest, phone_registration, registration
from portal.services.mail_texts import Site

if TYPE_CHECKING:
    from portal.platform import Platform

ALERTS_A_TIME = 200  # told together, so that one person gets one mail


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


def text_registration_code(platform: Platform, payload: dict[str, Any]) -> None:
    with platform.database.writing() as session:
        phone_registration.text_code(
            session,
            platform.clock,
            platform.settings.site_title,
            payload["mobile"],
            payload["wish"],
        )


def mail_digests(platform: Platform, _payload: dict[str, Any]) -> None:
    """Write everybody's mail of the day, each in a transaction of its own."""
    if not platform.settings.smtp_url:
        return
    with platform.database.reading() as session:
        if not digest.is_mail_day(session, platform.clock):
            return
        accounts = digest.readers(session)
    outside = [source for extension in platform.extensions for source in extension.work]
    for account_id in accounts:
        with platform.database.writing() as session:
            digest.write_digest(session, platform.clock, site_of(platform), account_id, outside)


def alert_deadlines(platform: Platform, _payload: dict[str, Any]) -> None:
    """Remind of what comes due, and tell heads before it is missed; on working days."""
    with platform.database.reading() as session:
        if not digest.is_mail_day(session, platform.clock):
            return
        due = deadline_alerts.list_due(session, platform.clock)
    for start in range(0, len(due), ALERTS_A_TIME):
        with platform.database.writing() as session:
            found = [
                one
                for deadline_id in due[start : start + ALERTS_A_TIME]
                for one in deadline_alerts.alert(session, platform.clock, deadline_id)
            ]
            deadline_alerts.write_alert_mails(session, platform.clock, site_of(platform), found)
