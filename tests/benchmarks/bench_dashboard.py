"""The Live page in a real Chromium beside the real house: how soon it shows data, and what leaving it open costs.

    python tests/benchmarks/bench_dashboard.py [--loads 20] [--seconds 60] [--minutes 5] [--speed 10]
                                               [--parts paint bytes cpu heap]

paint: from the navigation to the frame after the one in which price, price line and 50 rounds stood, by the page's own
clock. Each load opens the printed link (its redirect included) in a fresh browser context, a second after the last one.
bytes: what such a load transfers, with the socket's first message. cpu: all processes of that Chromium as a share of
one core at real rate, beside an empty page, a bare page on which lightweight-charts gets 4 updates a second, and the
Live page in a hidden tab. heap: after each minute's garbage collection, at so many times the real rate; the bound is
for `--minutes 60`.

Chromium is headless without a GPU: what a graphics card would do is in these shares too. Others' load moves all of it:
the load average stands beside each figure. Exit 1 where a bound is missed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil
import websocket

from actors.browser.command import find_binary
from tests.benchmarks.bare_site import Silent, served
from tests.house import house
from tests.processes import ROOT, wait_for
from tests.web.rounds_on_disk import game_row, write_rounds

PAINT_MS, KILOBYTES, CORE_PERCENT, GROWTH_MB = 300.0, 300.0, 10.0, 20.0  # the bounds
SETTLE_S, REST_S = 5.0, 1.0  # after the start, and before each load: what went before is over
PARTS = ("paint", "bytes", "cpu", "heap")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1366,900",
    "--remote-debugging-port=0",
)  # fmt: skip
VENDOR = ROOT / "web/static/vendor/lightweight-charts.standalone.production.mjs"
BARE = b"""<!doctype html><title>bare</title><div id="chart" style="width: 900px; height: 420px"></div>
<script type="module">
import { LineSeries, createChart } from "/vendor.mjs";
const line = createChart(document.getElementById("chart")).addSeries(LineSeries);
const point = (time) => ({ time, value: 1 + Math.sin(time / 20) / 4 });
let time = 100;
line.setData(Array.from({ length: time }, (_, tick) => point(tick)));
setInterval(() => {
  time += 1;
  if (time % 300 === 0) line.setData([]);
  line.update(point(time));
}, 250);
</script>"""
WATCH = """(() => {
  const find = (id) => document.getElementById(id);
  const canvas = CanvasRenderingContext2D.prototype;
  const { beginPath, moveTo, lineTo, stroke } = canvas;
  let moves = 0, lines = 0, drawn = false;
  Object.assign(canvas, {
    beginPath() { moves = lines = 0; beginPath.call(this); },
    moveTo(x, y) { moves += 1; moveTo.call(this, x, y); },
    lineTo(x, y) { lines += 1; lineTo.call(this, x, y); },
    stroke(...path) { drawn ||= moves === 1 && lines > 1; stroke.apply(this, path); },
  });
  const look = () => {
    const numbers = () => find("rounds").children.length >= 50 && /[0-9]/.test(find("price").textContent);
    if (drawn && (!find("rounds") || numbers())) window.seenAt = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""
"""Runs before the page's own scripts and thus first in each frame: what it sees was painted in the frame before. The
price line is the one path of a chart with a single beginning and more than two points."""
SEEN = """(() => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return window.seenAt && paint ? [window.seenAt, paint.startTime] : null;
})()"""


class Chromium:
    """A browser that nothing but this program's few orders steers, over one connection."""

    def __init__(self, profile: str) -> None:
        command = [find_binary(None, shutil.which), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
        told = Path(profile) / "DevToolsActivePort"  # the port, and the path of the browser's own socket
        port, path = wait_for(lambda: told.read_text().split() if told.exists() else [])
        self._socket = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=60, suppress_origin=True)
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        for process in reversed(self.processes()):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(10)

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Give an order and return its result; events that come meanwhile are kept."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": params}
        self._socket.send(json.dumps(order | ({"sessionId": session} if session else {})))
        while (message := json.loads(self._socket.recv())).get("id") != self._number:
            self.events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        result: dict[str, Any] = message["result"]
        return result

    def processes(self) -> list[psutil.Process]:
        """Return the browser and all its children."""
        root = psutil.Process(self._process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_s(self) -> dict[int, float]:
        """Return what each process has used."""
        used = {}
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used[process.pid] = times.user + times.system
        return used


class Tab:
    """One page in a browser context of its own: without cache, cookies or connections of another's."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self._context = browser.call("Target.createBrowserContext")["browserContextId"]
        self._target = browser.call("Target.createTarget", url="about:blank", browserContextId=self._context)[
            "targetId"
        ]
        self._session = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Give the page an order."""
        return self.browser.call(method, self._session, **params)

    def evaluate(self, expression: str) -> Any:
        """Return an expression's value."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def cover(self) -> None:
        """Open another tab over it: it is hidden then."""
        self.browser.call("Target.createTarget", url="about:blank", browserContextId=self._context)
        wait_for(lambda: self.evaluate("document.hidden"))

    def close(self) -> None:
        """Close it and forget its context."""
        self.browser.call("Target.disposeBrowserContext", browserContextId=self._context)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Run a browser on a fresh profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, Chromium(profile) as browser:
        yield browser


@contextmanager
def living(speed: float) -> Iterator[str]:
    """Run the demo with 60 rounds on disk; give the link that its start prints."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        rows = [game_row(number, seq=2**52 + 256 * number) for number in range(60)]
        write_rounds(Path(home) / "data" / "demo", rows)
        with house(Path(home), {"VECTRA_SIMULATOR_SPEED": str(speed)}) as running:
            wait_for(lambda: running.status()["source"].get("connected"))
            token = (Path(home) / "data" / "run" / "web_token").read_text()
            yield f"{running.status()['endpoints']['web'].split('?')[0]}?token={token}"


class BarePage(Silent):
    """The controls: the library alone, and nothing."""

    def do_GET(self) -> None:
        """Answer with the page or the library."""
        body, kind = (VENDOR.read_bytes(), "text/javascript") if self.path == "/vendor.mjs" else (BARE, "text/html")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)


def tell(what: str, figure: str) -> None:
    """Print one figure with the machine's load."""
    print(f"{what:44} {figure:58} load {os.getloadavg()[0]:.1f}", flush=True)


def pass_s(seconds: float) -> None:
    """Let time pass: it is what is measured."""
    threading.Event().wait(seconds)


def paint(browser: Chromium, link: str, loads: int) -> list[str]:
    """Open the page and the control in turn, so many times; tell when they stood."""
    seen: dict[str, list[float]] = {"first paint with data": [], "bare chart with data": []}
    first: list[float] = []
    with served(BarePage) as bare:
        for name, url in [*zip(seen, (link, bare), strict=True)] * loads:
            seen_ms, first_ms = stood(browser, url)
            seen[name].append(seen_ms)
            first += [first_ms] if url == link else []
    for name, times in seen.items():
        p90 = statistics.quantiles(times, n=10)[-1]
        tell(f"{name}, {loads} cold loads", f"p50 {statistics.median(times):.0f} ms, p90 {p90:.0f} ms")
    tell("first paint of anything", f"p50 {statistics.median(first):.0f} ms")
    p50 = statistics.median(next(iter(seen.values())))
    return [f"first paint with data {p50:.0f} ms, at most {PAINT_MS:g}"] if p50 > PAINT_MS else []


def stood(browser: Chromium, url: str) -> tuple[float, float]:
    """Open a page; return the milliseconds to all of it and to its first content."""
    tab = Tab(browser)
    tab.call("Page.enable")
    tab.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    pass_s(REST_S)
    tab.call("Page.navigate", url=url)
    seen_ms, first_ms = wait_for(lambda: tab.evaluate(SEEN), 30, 0.1)
    tab.close()
    return max(seen_ms, first_ms), first_ms


def transferred(browser: Chromium, link: str) -> list[str]:
    """Tell the bytes of a cold load: bodies and headers as received, and the socket's first message uncompressed."""
    tab = Tab(browser)
    tab.call("Network.enable")
    browser.events.clear()
    tab.call("Page.navigate", url=link)
    wait_for(lambda: tab.evaluate("document.querySelectorAll('#rounds li').length >= 50"), 30, 0.1)
    pass_s(1.0)
    tab.evaluate("0")  # takes in the events until now
    tab.close()
    http = ws = 0
    for event in browser.events:
        params = event.get("params", {})
        if event["method"] == "Network.loadingFinished":
            http += params["encodedDataLength"]
        elif event["method"] == "Network.requestWillBeSent" and "redirectResponse" in params:
            http += params["redirectResponse"]["encodedDataLength"]
        elif event["method"] == "Network.webSocketFrameReceived" and not ws:
            ws = len(params["response"]["payloadData"].encode())
    total = (http + ws) / 1000
    tell("transferred by a cold load", f"{total:.1f} KB: HTTP {http / 1000:.1f}, first message {ws / 1000:.1f}")
    return [f"transferred {total:.1f} KB, at most {KILOBYTES:g}"] if total > KILOBYTES else []


def share(browser: Chromium, what: str, seconds: float) -> float:
    """Tell the percentage of one core that the whole browser uses over so many seconds."""
    pass_s(SETTLE_S)
    before, begin_s = browser.cpu_s(), time.monotonic()
    pass_s(seconds)
    took_s, after = time.monotonic() - begin_s, browser.cpu_s()
    percent = {pid: 100 * (used_s - before.get(pid, 0.0)) / took_s for pid, used_s in after.items()}
    parts = ", ".join(f"{value:.1f}" for value in sorted(percent.values(), reverse=True)[:4])
    tell(f"{what}, {seconds:.0f} s", f"{sum(percent.values()):.1f} % of a core (by process: {parts})")
    return sum(percent.values())


def processor(browser: Chromium, link: str, seconds: float) -> list[str]:
    """Tell the shares of the controls, the Live page, and the Live page in a hidden tab."""
    tab = Tab(browser)
    share(browser, "empty page", seconds)
    with served(BarePage) as bare:
        tab.call("Page.navigate", url=bare)
        share(browser, "bare chart, 4 updates a second", seconds)
    tab.call("Page.navigate", url=link)
    ours = share(browser, "Live page at real rate", seconds)
    tab.cover()
    share(browser, "Live page in a hidden tab", seconds)
    return [f"{ours:.1f} % of a core, at most {CORE_PERCENT:g}"] if ours > CORE_PERCENT else []


def heap(browser: Chromium, link: str, minutes: int, speed: float) -> list[str]:
    """Leave the page open; tell its heap, nodes and listeners after each minute."""
    tab = Tab(browser)
    tab.call("Performance.enable")
    tab.call("Page.navigate", url=link)
    pass_s(SETTLE_S)
    sizes: list[float] = []
    for minute in range(minutes + 1):
        pass_s(60 if minute else 0)
        tab.call("HeapProfiler.collectGarbage")
        metrics = {one["name"]: one["value"] for one in tab.call("Performance.getMetrics")["metrics"]}
        sizes.append(metrics["JSHeapUsedSize"] / 1e6)
        counts = f"{metrics['Nodes']} nodes, {metrics['JSEventListeners']} listeners"
        tell(f"open for {minute} min at {speed:g}x", f"heap {sizes[-1]:.2f} MB, {counts}")
    slope = statistics.linear_regression(range(minutes + 1), sizes).slope * 60
    tell("heap", f"{sizes[-1] - sizes[0]:+.2f} MB from first to last; {slope:+.2f} MB an hour by regression")
    return [f"heap grew by {max(sizes) - sizes[0]:.1f} MB"] if max(sizes) - sizes[0] > GROWTH_MB else []


def main() -> int:
    """Measure what was asked for; say which bounds are missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--loads", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--speed", type=float, default=10)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    missed: list[str] = []
    if {"paint", "bytes", "cpu"} & set(asked.parts):
        with living(1) as link, chromium() as browser:
            if "paint" in asked.parts:
                missed += paint(browser, link, asked.loads)
            if "bytes" in asked.parts:
                missed += transferred(browser, link)
            if "cpu" in asked.parts:
                missed += processor(browser, link, asked.seconds)
    if "heap" in asked.parts:
        with living(asked.speed) as link, chromium() as browser:
            missed += heap(browser, link, asked.minutes, asked.speed)
    print("\n".join(missed) or "every bound is kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
