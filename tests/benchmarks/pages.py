"""How soon a page shows its largest part, in Chromium with the processor slowed down four times.

`python -m tests.benchmarks.pages URL` measures a running portal; `make bench` measures its own.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.services.browser import find_chromium

SLOWER = 4
TIMES = 3
AIM_MS, AIM_KB = 1000, 100
PHONE = {"width": 390, "height": 844}
LARGEST = """() => new Promise((done) => {
  let last = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) last = e.startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => done(last), 300);
})"""
PICTURES = ("Image",)


@dataclass(frozen=True)
class View:
    """One first view: largest contentful paint in ms, KB over the wire without pictures."""

    paint_ms: float
    sent_kb: float


def first_view(browser: Browser, address: str, *, slower: int = SLOWER) -> View:
    """Open the address in a context without a cache and measure it."""
    context = browser.new_context(locale="zh-CN", viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    sent = _watch(page, slower)
    page.goto(address, wait_until="load")
    paint = float(page.evaluate(LARGEST))
    context.close()
    return View(paint, sum(sent.values()) / 1024)


def _watch(page: Page, slower: int) -> dict[str, float]:
    """Slow the page down and return the bytes of its answers as they come, pictures left out."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    pictures: set[str] = set()
    sent: dict[str, float] = {}

    def begun(event: dict[str, Any]) -> None:
        if event["type"] in PICTURES or event["response"]["mimeType"].startswith("image/"):
            pictures.add(event["requestId"])

    def ended(event: dict[str, Any]) -> None:
        if event["requestId"] not in pictures:
            sent[event["requestId"]] = float(event["encodedDataLength"])

    session.on("Network.responseReceived", begun)
    session.on("Network.loadingFinished", ended)
    return sent


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**find_chromium().options)
        try:
            yield browser
        finally:
            browser.close()


def measure(addresses: dict[str, str]) -> list[tuple[str, View]]:
    """Return the median view of each named address; each is opened once before, to warm it up."""
    found = []
    with chromium() as browser:
        for name, address in addresses.items():
            first_view(browser, address, slower=1)
            views = [first_view(browser, address) for _n in range(TIMES)]
            paint = statistics.median(view.paint_ms for view in views)
            found.append((name, View(paint, max(view.sent_kb for view in views))))
    return found


def say(found: list[tuple[str, View]]) -> None:
    print(f"largest contentful paint, processor {SLOWER} × slowed (aim: {AIM_MS} ms, {AIM_KB} KB)")
    for name, view in found:
        print(f"  {name:<16}{view.paint_ms:7.0f} ms{view.sent_kb:9.1f} KB before pictures")


if __name__ == "__main__":
    url = sys.argv[1].rstrip("/")
    paths = sys.argv[2:] or ["/", "/dataset"]
    say(measure({path: url + path for path in paths}))
