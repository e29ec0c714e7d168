"""The use page in a real browser: accessible, and no wider than a desk or a telephone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from extensions.access.rules import Terms
from portal.clock import system_clock
from portal.platform import Platform
from tests.extensions.access.conftest import Served
from tests.extensions.access.test_browser import AXE, check_accessible, sign_in
from tests.extensions.access.test_call_log import log_of
from tests.extensions.access.test_use import site_of
from tests.factories import SetClock

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TERMS = Terms(
    fields=("stop_code", "stop_name"), quota_day=100, per_minute=50, term_days=90, per_second=40
)


def test_the_use_page_fits_and_is_accessible(
    make_platform: Callable[..., Platform],
    serve: Callable[..., Served],
    browser: Browser,
    clock: SetClock,
) -> None:
    clock.now = system_clock()
    served = serve(make_platform("sqlite"), TERMS)
    for path in ("/rows?limit=3", "/rows?limit=2", "/aggregate?group_by=stop_name", "/rows?no=1"):
        served.get(path)
    log_of(served).flush()
    site = site_of(served)
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        page = sign_in(browser, site, url, "developer", script=True)
        page.goto(f"{url}/applications/{served.application_id}/use")
        assert page.locator("progress").count() == 1
        page.click("main summary")
        if AXE.exists():
            check_accessible(page)
    finally:
        server.shutdown()
        thread.join()
