"""The sample's news, policy, questions, terms and privacy, shown at once."""

from __future__ import annotations

import json
from pathlib import Path

from portal.actor import Actor, RoleIn
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.organisations import BUREAU_CODE
from portal.services.site_pages import PageText, SitePageService

FILE = Path(__file__).parent / "data" / "site_pages.jsonl"


def load_pages(platform: Platform) -> int:
    """Write and show every page of the sample; return how many."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    with platform.database.writing() as session:
        bureau = get_organisation(session, BUREAU_CODE)
        actor = Actor(None, "示例经办人", (RoleIn("bureau_admin", bureau.id, bureau.code),))
        service = SitePageService(session, platform.clock)
        for page in map(json.loads, lines):
            kind, slug = page.pop("kind"), page.pop("slug")
            service.show(actor, service.create(actor, kind, slug, PageText(**page)))
    return len(lines)
