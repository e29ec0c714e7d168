"""Somebody at work in Chromium: in one language, on one screen; axe looks at every page they pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from babel.support import Translations
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.live import AXE, ROOT, faults_of, sign_in


@dataclass(frozen=True)
class Manner:
    """In which language and on how wide a screen somebody works."""

    language: str
    width: int
    height: int


DESK, PHONE = Manner("zh", 1440, 900), Manner("en", 390, 844)


class Day:
    """One person's browser. What it is told to find is Chinese; it looks for it as its reader reads."""

    def __init__(self, page: Page, url: str, manner: Manner) -> None:
        self.page, self._url = page, url
        self.passed: list[str] = []
        self.complaints: list[str] = []
        self._english = manner.language == "en"
        self._words = Translations.load(ROOT / "portal" / "translations", ["en"])
        self._axe = AXE.read_text(encoding="utf-8")
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def say(self, text: str, **values: object) -> str:
        """Return a text of the pages, as it stands in the sources, in the reader's language."""
        english = self._words.gettext(text)
        assert english != text, f"no page says {text}"
        found = english if self._english else text
        return found % values if values else found

    def begin(self, username: str) -> None:
        """Sign in; the day begins at the work list."""
        sign_in(self.page, self._url, username)
        self.opens("/work")

    def opens(self, path: str) -> None:
        answer = self.page.goto(self._url + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"
        self._look()

    def follows(self, name: str) -> None:
        """Follow the first link of this name."""
        self.leaves_by(self.page.get_by_role("link", name=name, exact=True).first)

    def turns_to(self, section: str) -> None:
        """Open a section of the workspace from its tabs."""
        tabs = self.page.locator(".work-tabs")
        self.leaves_by(tabs.get_by_role("link", name=self.say(section), exact=True))

    def presses(self, name: str) -> None:
        """Press the last button of this name: the page that comes is looked at."""
        self.leaves_by(self.page.get_by_role("button", name=self.say(name), exact=True).last)

    def unfolds(self, summary: str) -> None:
        self.page.locator("summary", has_text=self.say(summary)).first.click()

    def fills(self, name: str, text: str) -> None:
        self.page.locator(f"[name='{name}']:visible").first.fill(text)

    def sees(self, text: str, **values: object) -> None:
        """See a text of the pages."""
        self.reads(self.say(text, **values))

    def reads(self, written: str) -> None:
        """Read what somebody wrote."""
        expect(self.page.get_by_text(written).first).to_be_visible()

    def sees_link(self, name: str) -> None:
        expect(self.page.get_by_role("link", name=name, exact=True).first).to_be_visible()

    def sees_no_link(self, name: str) -> None:
        expect(self.page.get_by_role("link", name=name, exact=True)).to_have_count(0)

    def leaves_by(self, control: Locator) -> None:
        with self.page.expect_navigation():
            control.click()
        self._look()

    def _look(self) -> None:
        """Let axe look at the page with all its rules, and look for what runs over the edge."""
        path = urlsplit(self.page.url).path
        self.passed.append(path)
        self.page.evaluate(self._axe)
        faults = faults_of(self.page)
        assert not faults, f"{path}: {faults}"


@contextmanager
def day_of(browser: Browser, url: str, manner: Manner) -> Iterator[Day]:
    """Yield a day in a browser context of its own; no page may have broken in it."""
    context = browser.new_context(
        locale="en-GB" if manner.language == "en" else "zh-CN",
        viewport={"width": manner.width, "height": manner.height},
    )
    context.add_cookies([{"name": "lang", "value": manner.language, "url": url}])
    day = Day(context.new_page(), url, manner)
    yield day
    assert day.complaints == []
    context.close()
