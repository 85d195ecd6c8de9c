"""Launch Chromium, tell everyone where its DevTools are, and end when it ends.

In: settings. Out: `browser.json`, the endpoint `cdp`, an exit code: 1 when Chromium ended by itself or could not be
started, with the reason as the last line of the log. Opens no page but about:blank, sends no CDP command, reads nothing
of what the browser shows.
"""

import errno
import http.client
import json
import os
import shutil
import signal
import socket
import sys

from actors.browser.chromium import Chromium, PidFd
from actors.browser.command import (
    LISTENING,
    TAKEN_OVER,
    Unusable,
    arguments,
    check_display,
    find_binary,
)
from actors.browser.profile import ProfileLock, check_unused, forget_tabs
from actors.core import endpoints
from actors.core.browser_file import BrowserFile, remove_browser_file, write_browser_file
from actors.core.clock import monotonic_s, now_us
from actors.core.runtime import Context

TURN_S = 0.1
AGAIN_S = 0.01  # while a predecessor's Chromium is dying
GRACE_S = 2.0  # a predecessor's Chromium, killed with its actor, needs up to 0.1 s to be gone
START_S = 20.0  # on a cold, loaded machine
ANSWER_S = 0.5


class BrowserActor:
    """Checks, launch, publication, watch."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._log = context.log
        self._config = context.config
        self._chromium: Chromium | None = None
        self._lock: ProfileLock | None = None
        self._since_s = monotonic_s()
        self._announced: BrowserFile | None = None
        self._published = False
        self._failure: str | None = None

    def run(self) -> None:
        """Work until Chromium ends or we are told to stop. SystemExit(1): Chromium ended, or never answered."""
        try:
            self._binary = find_binary(self._config.browser.binary, shutil.which)
            check_display(self._config, dict(os.environ))
        except Unusable as reason:
            self._fail(str(reason))
        if self._failure is None:
            self._context.loop.every(TURN_S, self._advance)
            self._context.loop.each_turn(self._advance)
            self._advance()
            self._context.run_loop()
        self._finish()

    def _advance(self) -> None:
        """Launch as soon as nothing stands in the way; give up when it takes too long."""
        if self._failure is not None or self._published:
            return
        waited_s = monotonic_s() - self._since_s
        if self._chromium is not None:
            if waited_s > START_S:
                self._fail(f"Chromium's DevTools did not answer within {START_S:.0f} s; its words stand above")
            elif self._announced is not None:
                self._verify(self._announced)
            return
        try:
            self._launch()
        except Unusable as reason:
            if waited_s > GRACE_S:
                self._fail(str(reason))
            self._context.loop.again(AGAIN_S)

    def _launch(self) -> None:
        profile = self._config.profile_path
        if self._lock is None:
            self._lock = ProfileLock(profile)
            remove_browser_file(self._context.runtime_dir)  # a killed predecessor's
        check_unused(profile)
        check_port(self._config.browser.cdp_port)
        forget_tabs(profile)
        as_root = os.geteuid() == 0
        if as_root:
            self._log.warning("running as root: Chromium is started with --no-sandbox")
        command = arguments(self._config, self._binary, demo=self._context.demo, as_root=as_root)
        self._since_s = monotonic_s()
        self._chromium = Chromium(self._context, command)
        self._log.info("Chromium started with pid %d: %s", self._chromium.pid, " ".join(command))
        self._context.loop.read(self._chromium.output, self._read_output)
        self._context.loop.read(PidFd(self._chromium.pidfd), self._on_end)

    def _read_output(self) -> None:
        if self._chromium is None:
            return
        for line in self._chromium.lines():
            if (found := LISTENING.search(line)) is not None and not self._published:
                browser = BrowserFile(
                    pid=self._chromium.pid, port=int(found[2]), ws=found[1], guid=found[3], started_us=now_us()
                )
                self._announced = browser
                self._verify(browser)
            elif TAKEN_OVER in line:
                self._fail(f"the profile {self._config.profile_path} is in use by another browser. Close it.")

    def _verify(self, browser: BrowserFile) -> None:
        """Publish the browser once the one that answers on its port is it; no answer yet: the next turn asks again."""
        answered = guid_at(browser.port)
        if answered == browser.guid:
            self._publish(browser)
        elif answered is not None:
            self._fail(
                f"port {browser.port} answers as browser {answered}, not as the one just started, {browser.guid}. "
                "Another browser listens there: close it, or set browser.cdp_port to 0."
            )

    def _publish(self, browser: BrowserFile) -> None:
        self._published = True
        write_browser_file(self._context.runtime_dir, browser)
        endpoints.publish(self._context.runtime_dir, "cdp", f"http://127.0.0.1:{browser.port}")
        self._log.info("browser %s answers on port %d", browser.guid, browser.port)
        self._context.stats.update(chromium_pid=browser.pid, port=browser.port)
        self._context.ready()

    def _on_end(self) -> None:
        if self._chromium is None or not self._chromium.ended():
            return
        code = self._chromium.process.wait()
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with code {code}"
        self._fail(f"Chromium ended {how}")

    def _fail(self, why: str) -> None:
        self._failure = self._failure or why
        self._context.loop.stop()

    def _finish(self) -> None:
        if self._published:
            remove_browser_file(self._context.runtime_dir)
            endpoints.withdraw(self._context.runtime_dir, "cdp")
        if self._chromium is not None:
            self._chromium.lines()
            self._chromium.quit()
        if self._lock is not None:
            self._lock.release()
        if self._failure is not None:
            self._log.error("%s", self._failure)
            sys.exit(1)


def check_port(port: int) -> None:
    """Unusable: somebody listens on the port. Chromium would bind [::1] and run, unreachable, silently."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        if not port or (family == socket.AF_INET6 and not socket.has_ipv6):
            continue
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise Unusable(
                        f"port {port} is taken by another program. Close it (another browser with DevTools?), "
                        "or set browser.cdp_port to another port, or to 0 for any free one."
                    ) from None


def guid_at(port: int) -> str | None:
    """Return the GUID of the browser that answers on 127.0.0.1:port, None where none does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/json/version")
        version = json.loads(connection.getresponse().read())
        return str(version["webSocketDebuggerUrl"]).rpartition("/")[2]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def run(context: Context) -> None:
    """Be the browser's actor."""
    BrowserActor(context).run()
