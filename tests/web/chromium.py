"""The system's Chromium for tests, driven by Playwright, and the complaints of its pages: console errors and warnings,
exceptions, requests that failed, violations of the content policy.

Nothing is downloaded. What is to come is waited for with `expect`: Playwright's `wait_for_function` calls eval, which
our content policy refuses. While a Chromium is open, its thread counts as running an event loop: no asyncio beside it.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

FLAGS = ("--disable-gpu", "--disable-quic")  # beside those that Playwright passes
GIVEN_UP = "WebSocket is closed before the connection is established"  # by the page, on a machine with other work
LIMIT_MS = 45_000.0  # caps a failure, on a machine with other work

expect.set_options(timeout=LIMIT_MS)


def binary() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run one for the length of a with block, headless and with a fresh profile."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=binary(), args=FLAGS) as browser,
    ):
        yield browser


def new_page(browser: Browser, *, phone: bool = False) -> Page:
    """Open a page that shares nothing with others: of a desktop, or of a phone 360 pixels wide."""
    width, height = (360, 800) if phone else (1280, 900)
    context = browser.new_context(viewport={"width": width, "height": height}, is_mobile=phone)
    context.set_default_timeout(LIMIT_MS)
    return context.new_page()


def complaints_of(context: BrowserContext) -> list[str]:
    """Return a list that grows by each later complaint of the pages."""
    complaints: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert") and GIVEN_UP not in message.text:
            complaints.append(f"{message.text} {message.location['url']}")

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # which is what a page does to its own when it is left
            complaints.append(f"{request.failure} {request.url}")

    context.on("console", said)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("requestfailed", failed)
    return complaints
