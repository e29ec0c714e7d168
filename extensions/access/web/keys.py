"""A grant's holder: more keys, the use report, and the agreement as a file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext

from extensions.access.agreement_pdf import agreement_pdf
from extensions.access.models.agreement import find_agreement
from extensions.access.models.application import get_application
from extensions.access.permissions import AccessPermission
from extensions.access.rules import Report
from extensions.access.services.applications import ApplicationService
from extensions.access.web.answers import decide, refused
from extensions.access.web.developer import application_page, key_page, own_application
from extensions.access.web.forms import plain, whole
from portal.errors import NotFound
from portal.permissions import require
from portal.web.access import signed_in, writes
from portal.web.attachment import attachment
from portal.web.context import actor, clock, session
from portal.web.work.decisions import REFUSALS, form_date, form_key, form_seen

blueprint = Blueprint("access_keys", __name__)
ID = "int(max=2147483647)"


@blueprint.post(f"/applications/<{ID}:application_id>/keys")
@writes
def add(application_id: int) -> Any:
    """Add a key; the answer shows the secret, once."""
    application = own_application(application_id)
    try:
        new = _service().add_key(
            actor(),
            application,
            name=plain("key_name"),
            expires_on=form_date("expires_on", gettext("到期日")),
            seen=form_seen(),
            key=form_key(),
        )
    except REFUSALS as error:
        return refused(error, lambda problem: application_page(application, problem))
    return key_page(application, new)


@blueprint.post(f"/applications/<{ID}:application_id>/keys/end")
@writes
def end(application_id: int) -> Any:
    application = own_application(application_id)
    return decide(
        lambda: _service().end_key(
            actor(), application, key_id=whole(plain("key_id")) or 0, key=form_key()
        ),
        lambda problem: application_page(application, problem),
        done=gettext("密钥已停用，用它的调用立即停止。"),
        target=f"/applications/{application.id}",
    )


@blueprint.post(f"/applications/<{ID}:application_id>/report")
@writes
def report(application_id: int) -> Any:
    application = own_application(application_id)
    names = ("title", "kind", "url", "description")
    public = {name: plain(name) for name in names} if plain("public") == "yes" else None
    return decide(
        lambda: _service().report_use(
            actor(),
            application,
            Report(plain("result"), plain("incidents"), public),
            key=form_key(),
        ),
        lambda problem: application_page(application, problem),
        done=gettext("使用报告已提交，可以申请续期了。"),
        target=f"/applications/{application.id}",
    )


@blueprint.get(f"/applications/<{ID}:application_id>/agreement.pdf")
@signed_in
def agreement(application_id: int) -> Any:
    """Give the accepted agreement to its parties and the Bureau."""
    application = get_application(session(), application_id)
    require(actor(), AccessPermission.APPLICATION_READ, application)
    kept = find_agreement(session(), application.id)
    if kept is None:
        raise NotFound("使用协议还没有签订。")
    body = agreement_pdf(kept.text, kept.hash, application.applicant_name, kept.accepted_at)
    name = f"{gettext('使用协议')}-{application.number}.pdf"
    response = attachment(body, "application/pdf", name, application.number)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _service() -> ApplicationService:
    return ApplicationService(session(), clock())
