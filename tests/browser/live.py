"""The portal served for a browser: a thread on 127.0.0.1, and what journeys need of pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from werkzeug.serving import make_server

from portal.app import create_app
from portal.platform import Platform
from tests.factories import PASSWORD

ROOT = Path(__file__).parents[2]
AXE = ROOT / "themes" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = Path(__file__).parent / "screenshots"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = ((1440, 900), (390, 844))


@contextmanager
def served(platform: Platform) -> Iterator[str]:
    """Yield the address at which the portal answers."""
    server = make_server("127.0.0.1", 0, create_app(platform), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def sign_in(page: Page, url: str, username: str) -> None:
    page.goto(f"{url}/login")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda address: "/login" not in address)


def look(page: Page, name: str) -> None:
    """Keep a picture at both widths, and find no fault of WCAG 2.2 A or AA and no overflow."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png", full_page=True)
        faults = accessibility_faults(page)
        assert not faults, f"{name} at {width}: {faults}"
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{name} at {width} is {wider} px too wide"
    page.set_viewport_size({"width": WIDTHS[0][0], "height": WIDTHS[0][1]})


def accessibility_faults(page: Page) -> list[str]:
    """Run axe-core; the page's own policy forbids it as a script element, so it is evaluated."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", WCAG
    )
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


def faults_of(page: Page) -> list[str]:
    """Run axe with every rule on (best practices too) and look for what runs over the edge.

    axe itself must be on the page already (`page.evaluate(AXE.read_text())`).
    """
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    faults = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*faults, f"{wider} px too wide"] if wider > 0 else faults
