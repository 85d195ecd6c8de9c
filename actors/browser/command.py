"""Chromium's command line, and how to read what Chromium says at its start. Pure.

In: settings and what is installed. Out: an argument list. Never the page's URL (a socket that it opens before a
capture is attached would be missed), never `--remote-allow-origins` (our clients send no Origin; it would let web pages
in), never anything that disables extensions (a wallet is one).
"""

import re
from collections.abc import Callable
from pathlib import Path

from actors.core.config import Config

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge",
    "brave-browser",
)

QUIET = (
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-crash-restore-bubble",
    "--noerrdialogs",
    "--password-store=basic",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)
DEMO = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)

LISTENING = re.compile(r"DevTools listening on (ws://127\.0\.0\.1:(\d+)/devtools/browser/([0-9A-Za-z-]+))")
TAKEN_OVER = "existing browser session"


class Unusable(Exception):
    """The browser cannot be started, and why, in words for the user. Trying again helps only when that has changed."""


def find_binary(configured: str | None, which: Callable[[str], str | None]) -> str:
    """Return the browser's path. Unusable: there is none."""
    if configured is not None:
        found = which(str(Path(configured).expanduser()))
        if found is None:
            raise Unusable(
                f"browser.binary is {configured!r}, must be a program that can be run. "
                "Correct it, or remove the line to search for Chromium."
            )
        return found
    for name in NAMES:
        if (found := which(name)) is not None:
            return found
    raise Unusable(
        f"no browser found: none of {', '.join(NAMES)} is installed. Install one: apt-get install chromium "
        "(as root), or set browser.binary."
    )


def arguments(config: Config, binary: str, *, demo: bool, as_root: bool) -> list[str]:
    """Return the whole command line."""
    browser = config.browser
    return [
        binary,
        f"--remote-debugging-port={browser.cdp_port}",
        f"--user-data-dir={config.profile_path}",
        *QUIET,
        *(["--headless=new"] if browser.headless else []),
        *(["--no-sandbox"] if as_root else []),
        *(DEMO if demo else []),
        *browser.args,
        "about:blank",
    ]


def check_display(config: Config, environment: dict[str, str]) -> None:
    """Unusable: a window is wanted, and there is nowhere to show it."""
    if not config.browser.headless and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        raise Unusable(
            "browser.headless is false, but there is no display (DISPLAY and WAYLAND_DISPLAY are unset). "
            "Start in a desktop session, or set browser.headless: true."
        )


def lock_holder(link_target: str, host: str) -> tuple[int | None, bool]:
    """Read the target of Chromium's SingletonLock, `<host>-<pid>`: return the pid and whether it is of this host."""
    place, _, number = link_target.rpartition("-")
    return (int(number) if number.isdecimal() else None), place == host
