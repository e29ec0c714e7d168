"""Jobs of mail: send one message, queue what was left over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.net.text_gateway import gateway_of
from portal.services.outgoing import Postman, TextGateway, find_gateway, queue_left_over

if TYPE_CHECKING:
    from portal.platform import Platform


def postman_of(platform: Platform) -> Postman:
    """Return the postman with the mail server and the gateway of the settings."""
    settings = platform.settings
    return Postman(
        platform.database,
        platform.clock,
        smtp_url=settings.smtp_url,
        sender=settings.effective_mail_from,
        sender_name=settings.site_title,
        host=settings.site_name,
        gateway=lambda: _gateway(platform),
    )


def _gateway(platform: Platform) -> TextGateway | None:
    """Return the gateway of an entry point where one is named, else the one of SMS_URL."""
    settings = platform.settings
    if settings.sms_gateway:
        return find_gateway(settings.sms_gateway)
    hosts = frozenset(settings.fetch_allowed_hosts)
    return gateway_of(settings.sms_url, settings.sms_token, hosts)


def send_message(platform: Platform, payload: dict[str, Any]) -> None:
    postman_of(platform).send(int(payload["message_id"]))


def send_left_over(platform: Platform, _payload: dict[str, Any]) -> None:
    settings = platform.settings
    if settings.smtp_url or settings.sends_texts:
        with platform.database.writing() as session:
            queue_left_over(session, platform.clock)
