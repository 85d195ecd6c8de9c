"""The browser's side of a conversation with the tap, played by hand: what it tells, and what the tap makes of it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from actors.capture.socket_filter import SocketFilter
from actors.capture.tap import Out, Tap
from actors.capture.wire import Command
from actors.core.messages import Captured, FrameSeen, StreamClosed
from actors.rugs.veil import Veil

PAGE = "T1"


class Play:
    """A browser's side of the conversation, by hand."""

    def __init__(
        self,
        *,
        settled: bool = True,
        known: Iterable[str] = (),
        veil: Veil | None = None,
        pattern: str = "",
    ) -> None:
        """pattern: of the sockets that count; empty where all do."""
        self.tap = Tap("guid", 1000.0, known=known, veil=veil, sockets=SocketFilter(pattern))
        self.commands: list[Command] = []
        self.items: list[Captured] = []
        self.now_s = 10.0
        self.take(self.tap.begin(self.now_s))
        if settled:
            self.attach("S1", PAGE)
            self.answer_all()
            self.fresh()

    def take(self, out: Iterable[Out]) -> None:
        for each in out:
            (self.commands if isinstance(each, Command) else self.items).append(each)  # type: ignore[arg-type]

    def fresh(self) -> list[Captured]:
        items, self.items = self.items, []
        return items

    def event(self, method: str, session: str = "S1", **params: Any) -> None:
        message = {"method": method, "sessionId": session, "params": params}
        self.take(self.tap.handle(msgspec.json.encode(message), self.now_s))

    def answer(self, command: Command, result: dict[str, Any] | None) -> None:
        body = {"error": {"code": -32000}} if result is None else {"result": result}
        self.take(self.tap.handle(msgspec.json.encode({"id": command.id, **body}), self.now_s))

    def answer_all(self) -> None:
        while self.commands:
            self.answer(self.commands.pop(0), {})

    def attach(self, session: str, target: str, kind: str = "page", url: str = "about:blank", parent: str = "") -> None:
        info = {"targetId": target, "type": kind, "url": url}
        self.event("Target.attachedToTarget", parent, sessionId=session, targetInfo=info, waitingForDebugger=True)

    def said(self) -> list[tuple[str, str]]:
        said = [(command.method, command.session) for command in self.commands]
        self.commands.clear()
        return said

    def frame(
        self, text: str, *, sent: bool = False, request: str = "9.1", session: str = "S1", at_s: float = 11.0
    ) -> None:
        method = "Network.webSocketFrameSent" if sent else "Network.webSocketFrameReceived"
        response = {"opcode": 1, "mask": sent, "payloadData": text}
        self.event(method, session, requestId=request, timestamp=at_s, response=response)

    def open(self, url: str = "wss://h/ws", request: str = "9.1", session: str = "S1") -> None:
        self.event("Network.webSocketCreated", session, requestId=request, url=url)

    def poll(self, request: str, sid: str = "", *, post: str | None = None, at_s: float = 11.0) -> None:
        url = "https://h/socket.io/?EIO=4&transport=polling" + (f"&sid={sid}" if sid else "")
        body: dict[str, Any] = {"url": url, "method": "GET" if post is None else "POST"}
        if post:
            body["postData"] = post
        self.event(
            "Network.requestWillBeSent",
            requestId=request,
            timestamp=at_s,
            request=body | {"hasPostData": post is not None},
        )

    def answered(self, request: str, at_s: float = 12.0, status: int = 200) -> None:
        self.event("Network.responseReceived", requestId=request, timestamp=at_s, response={"status": status})

    def loaded(self, request: str) -> None:
        self.event("Network.loadingFinished", requestId=request, timestamp=12.5)

    def navigate(self, url: str, frame: str = PAGE, session: str = "S1", **more: Any) -> None:
        self.event("Page.frameNavigated", session, frame={"id": frame, "url": url, **more})


def texts(items: list[Captured]) -> list[bytes]:
    return [item.payload for item in items if isinstance(item, FrameSeen)]


def closings(play: Play) -> list[tuple[str, str, float]]:
    return [(item.stream, item.cause, item.cdp_s) for item in play.fresh() if isinstance(item, StreamClosed)]
