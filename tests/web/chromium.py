"""A headless Chromium with one page, over CDP: open addresses, evaluate, press keys, take pictures, and keep every
complaint (console errors, exceptions, refused requests, violations of the content policy)."""

import base64
import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

import websocket

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
)  # fmt: skip
LIMIT_S = 45.0


def binary() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Chromium:
    """One browser with one page."""

    def __init__(self, profile: Path) -> None:
        found = binary()
        assert found is not None
        self.complaints: list[str] = []
        self._number = 0
        self._events: list[dict[str, Any]] = []
        command = [found, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        self._socket = websocket.create_connection(self._address(), timeout=LIMIT_S, suppress_origin=True)
        self._session: str | None = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _address(self) -> str:
        assert self.process.stderr is not None
        fd = self.process.stderr.fileno()
        seen = b""
        while select.select([fd], [], [], LIMIT_S)[0] and (piece := os.read(fd, 65536)):
            seen += piece
            for line in seen.splitlines():
                if line.startswith(b"DevTools listening on "):
                    return line.split()[-1].decode()
        raise AssertionError(f"no DevTools address in: {seen!r}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self.process.kill()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.process.wait(5)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a CDP method and return its result; events that come in between are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result
            self._hear(answer)

    def _hear(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.complaints.append(str(details.get("exception", {}).get("description", details["text"])))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(str(arg.get("value")) for arg in params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def open(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self.forget()
        self.call("Page.navigate", url=url)
        self.loaded()

    def forget(self) -> None:
        """Forget what was heard: the next `loaded` waits for a page that is loaded after this."""
        self._events.clear()

    def loaded(self) -> None:
        """Wait until a page is loaded."""
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._hear(json.loads(self._socket.recv()))

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, condition: str, limit_s: float = 10.0) -> Any:
        """Wait until a JavaScript condition holds, looked at once a frame; return its value."""
        script = f"""new Promise((resolve, reject) => {{
            const end = performance.now() + {limit_s * 1000};
            const look = () => {{
                const value = (() => {{ return {condition}; }})();
                if (value) resolve(value);
                else if (performance.now() > end) reject(new Error("never: " + {json.dumps(condition)}));
                else requestAnimationFrame(look);
            }};
            look();
        }})"""
        return self.evaluate(script)

    def text(self, selector: str) -> str:
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))

    def press(self, key: str) -> None:
        """Press and release a key that types one character."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")

    def size(self, width: int, height: int, *, scale: float = 1, phone: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )

    def scheme(self, name: str) -> None:
        """Be a system whose theme is dark or light."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save what is seen as PNG; whole: also what one must scroll to."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
