"""pychrome, made fit: a time limit on every call, no cache of dead tabs, no per-byte UTF-8 check, no silent death.

In: the DevTools address. Out: one tab, and calls on it that end in time. After any error a new `Tabs` is made: a
pychrome Tab cannot be started again. pychrome prints tracebacks where its reading thread meets the end of the
connection; here the end is an ordinary exception that it knows.
"""

import functools
import json
import logging
import types
import warnings
from collections.abc import Callable
from typing import Any

import pychrome
import pychrome.tab
import requests
import websocket

from actors.pilot.watch import BLANK_PAGE, same_origin

CONNECT_S = 1.0
ENABLE_S = 1.5  # while a browser starts it has other things to do
LIST_S = 1.0
PROBE_S = 1.9  # two misses and the wait before the first are less than 5 s
CALL_S = 2.0
INTERRUPT_S = 0.5

OPEN_SOCKETS = "function () { return this.filter(s => s.readyState < 2).map(s => s.url) }"

CRASHED = {"error": {"message": "the page crashed"}}
"""The answer to all calls under way when the page crashes: it will never give one, and two seconds would pass."""

ERRORS = (
    KeyError,  # an answer that is not what was asked for: the page was gone
    pychrome.PyChromeException,
    requests.RequestException,
    websocket.WebSocketException,
    OSError,
    ValueError,
)


def _loads(text: str) -> Any:
    if not text:
        raise websocket.WebSocketConnectionClosedException("end of stream")
    return json.loads(text)


def patch() -> None:
    """Mend pychrome in this process; see the module's docstring."""
    pychrome.tab.websocket = types.SimpleNamespace(
        create_connection=functools.partial(
            websocket.create_connection, skip_utf8_validation=True, timeout=CONNECT_S, http_no_proxy=["*"]
        ),
        WebSocketException=websocket.WebSocketException,
        WebSocketTimeoutException=websocket.WebSocketTimeoutException,
    )
    pychrome.tab.json = types.SimpleNamespace(loads=_loads, dumps=json.dumps)
    logging.getLogger("pychrome.tab").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="pychrome")


class Tabs:
    """The tabs of one browser, and the connection to one of them."""

    def __init__(self, url: str, on_crash: Callable[..., None]) -> None:
        """url: http://127.0.0.1:PORT. on_crash is called from pychrome's thread, before calls under way are ended."""
        pychrome.Browser._all_tabs.clear()
        self._browser = pychrome.Browser(url=url)
        self._on_crash = on_crash
        self._tab: Any = None

    @property
    def connected(self) -> bool:
        """Whether the connection to the tab stands."""
        return self._tab is not None and not self._tab._stopped.is_set()

    def find(self, site: str) -> str:
        """Connect to the tab of `site`, else to a blank one; return "site", "blank" or "none". ERRORS."""
        tabs = self._browser.list_tab(timeout=LIST_S)
        for kind, fits in (("site", lambda url: same_origin(url, site)), ("blank", lambda url: url == BLANK_PAGE)):
            for tab in tabs:
                if fits(tab._kwargs.get("url", "")):
                    self._connect(tab)
                    return kind
        return "none"

    def new_tab(self) -> None:
        """Open a blank tab and connect to it. ERRORS."""
        self._connect(self._browser.new_tab(BLANK_PAGE, timeout=LIST_S))

    def _connect(self, tab: Any) -> None:
        def on_crash(**_: object) -> None:
            self._on_crash()
            for answer in list(tab.method_results.values()):
                answer.put(CRASHED)

        tab.set_listener("Inspector.targetCrashed", on_crash)
        tab.start()
        self._tab = tab
        tab.Inspector.enable(_timeout=ENABLE_S)

    def navigate(self, url: str) -> str | None:
        """Load `url`; return the network's error, None when it loads. ERRORS."""
        answer = self._tab.Page.navigate(url=url, _timeout=CALL_S)
        return answer.get("errorText") or None

    def interrupt(self) -> None:
        """End the JavaScript that is running: an endless loop blocks even a reload. ERRORS."""
        self._tab.Runtime.terminateExecution(_timeout=INTERRUPT_S)

    def reload(self) -> None:
        """Load the page again. ERRORS; a hung page may never answer."""
        self._tab.Page.reload(_timeout=CALL_S)

    def probe_browser(self) -> str:
        """Ask what the browser process alone can answer. ERRORS: no answer within 2 s."""
        return str(self._tab.Target.getTargetInfo(_timeout=PROBE_S)["targetInfo"]["url"])

    def probe_page(self) -> str:
        """Return the page's address, from its JavaScript. ERRORS: no answer within 2 s."""
        answer = self._tab.Runtime.evaluate(expression="location.href", returnByValue=True, _timeout=PROBE_S)
        return str(answer["result"].get("value", ""))

    def open_sockets(self) -> list[str]:
        """Return the addresses of the WebSockets that the page holds open or opens, whoever saw them open. ERRORS.

        Chromium looks through the page's memory for that, which collects its garbage: tens of milliseconds.
        """
        runtime = self._tab.Runtime
        group: dict[str, Any] = {"objectGroup": "sockets"}
        kind = runtime.evaluate(expression="WebSocket.prototype", _timeout=PROBE_S, **group)
        found = runtime.queryObjects(prototypeObjectId=kind["result"]["objectId"], _timeout=PROBE_S, **group)
        answer = runtime.callFunctionOn(
            objectId=found["objects"]["objectId"],
            functionDeclaration=OPEN_SOCKETS,
            returnByValue=True,
            _timeout=PROBE_S,
        )
        runtime.releaseObjectGroup(_timeout=PROBE_S, **group)
        return [str(url) for url in answer["result"].get("value", [])]

    def close(self) -> None:
        """Drop the connection; the tab stays open."""
        if self._tab is not None:
            self._tab.stop()
            self._tab = None
