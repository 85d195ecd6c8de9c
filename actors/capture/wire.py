"""The part of the Chrome DevTools Protocol that a capture speaks, as msgspec structs.

In: a message's bytes; only the fields that count are decoded. Out: `Envelope` and, by method, one struct of parameters.
Never fails on what it does not know: unknown methods and fields are passed over.
"""

import base64
import binascii
from typing import Any

import msgspec
from msgspec import Raw, Struct


class Wire(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Base: CDP's own field names in camel case."""


class Envelope(Wire, frozen=True, kw_only=True):
    """An event (`method`), or the answer to the command `id`."""

    id: int = 0
    method: str = ""
    session_id: str = ""
    params: Raw = Raw(b"{}")
    result: Raw = Raw()  # empty where there is an error instead


class TargetInfo(Wire, frozen=True, kw_only=True):
    """A page, frame, worker, extension, …"""

    target_id: str
    type: str
    url: str = ""


class AttachedToTarget(Wire, frozen=True, kw_only=True):
    """A session to a target began."""

    session_id: str
    target_info: TargetInfo
    waiting_for_debugger: bool = False


class DetachedFromTarget(Wire, frozen=True, kw_only=True):
    """A session ended."""

    session_id: str


class SocketCreated(Wire, frozen=True, kw_only=True):
    """A page made a WebSocket. CDP gives no time with it."""

    request_id: str
    url: str


class Handshake(Wire, frozen=True, kw_only=True):
    """An HTTP request's headers."""

    headers: dict[str, Any] = {}


class SocketHandshake(Wire, frozen=True, kw_only=True):
    """A WebSocket's request goes out; its headers are the browser's, no page can forge them."""

    request_id: str
    request: Handshake = Handshake()

    @property
    def origin(self) -> str:
        """Return the origin of the document or worker that opened it, "" where it is not told."""
        return next((str(value) for name, value in self.request.headers.items() if name.lower() == "origin"), "")


class SocketClosed(Wire, frozen=True, kw_only=True):
    """It is closed; CDP gives neither code nor reason."""

    request_id: str
    timestamp: float


class SocketError(Wire, frozen=True, kw_only=True):
    """It failed; a close follows."""

    request_id: str
    error_message: str = ""


class Payload(Wire, frozen=True, kw_only=True):
    """A message: text as it is, anything else base64."""

    opcode: float
    payload_data: str


class SocketFrame(Wire, frozen=True, kw_only=True):
    """A message was sent or received."""

    request_id: str
    timestamp: float
    response: Payload


class Request(Wire, frozen=True, kw_only=True):
    """An HTTP request."""

    url: str
    method: str
    post_data: str | None = None
    has_post_data: bool = False


class Redirect(Wire, frozen=True, kw_only=True):
    """The answer that redirected a request."""

    url: str = ""


class RequestSent(Wire, frozen=True, kw_only=True):
    """A page sent an HTTP request, or was redirected."""

    request_id: str
    timestamp: float
    request: Request
    document_url: str = msgspec.field(default="", name="documentURL")  # of a worker its script's
    type: str = ""
    frame_id: str = ""
    redirect_response: Redirect | None = None


class Response(Wire, frozen=True, kw_only=True):
    """The head of an answer."""

    status: int
    from_service_worker: bool = False
    from_disk_cache: bool = False
    from_prefetch_cache: bool = False

    @property
    def is_own_word(self) -> bool:
        """Whether the server itself said yes, now: a service worker may answer with what it likes."""
        return self.status == 200 and not (self.from_service_worker or self.from_disk_cache or self.from_prefetch_cache)


class ResponseReceived(Wire, frozen=True, kw_only=True):
    """The head arrived."""

    request_id: str
    timestamp: float
    response: Response


class LoadingEnded(Wire, frozen=True, kw_only=True):
    """The body is whole, or will never be."""

    request_id: str
    timestamp: float


class PageFrame(Wire, frozen=True, kw_only=True):
    """A document in a page."""

    id: str
    url: str = ""
    parent_id: str | None = None


class FrameNavigated(Wire, frozen=True, kw_only=True):
    """A frame shows another document."""

    frame: PageFrame


class BindingCalled(Wire, frozen=True, kw_only=True):
    """A script called a function that we put into its world."""

    name: str
    payload: str


class Body(Wire, frozen=True, kw_only=True):
    """The answer to Network.getResponseBody, or getRequestPostData."""

    body: str = ""
    post_data: str = ""
    base64_encoded: bool = msgspec.field(default=False, name="base64Encoded")


class NoParams(Wire, frozen=True, kw_only=True):
    """Parameters that nobody reads."""


EVENTS: dict[str, type[Wire]] = {
    "Target.attachedToTarget": AttachedToTarget,
    "Target.detachedFromTarget": DetachedFromTarget,
    "Network.webSocketCreated": SocketCreated,
    "Network.webSocketWillSendHandshakeRequest": SocketHandshake,
    "Network.webSocketClosed": SocketClosed,
    "Network.webSocketFrameError": SocketError,
    "Network.webSocketFrameReceived": SocketFrame,
    "Network.webSocketFrameSent": SocketFrame,
    "Network.requestWillBeSent": RequestSent,
    "Network.responseReceived": ResponseReceived,
    "Network.loadingFinished": LoadingEnded,
    "Network.loadingFailed": LoadingEnded,
    "Page.frameNavigated": FrameNavigated,
    "Inspector.targetCrashed": NoParams,
    "Runtime.bindingCalled": BindingCalled,
}

_ENVELOPE = msgspec.json.Decoder(Envelope)
_PARAMS = {method: msgspec.json.Decoder(kind) for method, kind in EVENTS.items()}
_BODY = msgspec.json.Decoder(Body)
_ENCODER = msgspec.json.Encoder()


class Undecodable(Exception):
    """A message of the browser is not what the protocol says. Count it and go on."""


def decode(message: bytes) -> Envelope:
    """Return a message with its parameters still as bytes. Undecodable: no JSON, or not CDP's."""
    try:
        return _ENVELOPE.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(str(error)) from error


def decode_params(envelope: Envelope) -> Wire | None:
    """Return an event's parameters, None for an event that nobody reads. Undecodable: other fields than expected."""
    decoder = _PARAMS.get(envelope.method)
    if decoder is None:
        return None
    try:
        return decoder.decode(envelope.params)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(f"{envelope.method}: {error}") from error


def decode_body(result: Raw) -> Body:
    """Return an answer that carries a body."""
    try:
        return _BODY.decode(result)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(str(error)) from error


def payload_of(opcode: int, text: str) -> bytes:
    """Return a message's exact bytes; CDP gives all but text as base64."""
    if opcode == 1:
        return text.encode(errors="surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode(errors="surrogatepass")


def text_of(result: Raw, *, sent: bool) -> str | None:
    """Return an answer's body, or what a request carried, None where there is none."""
    if not bytes(result):
        return None
    answer = decode_body(result)
    text = answer.post_data if sent else answer.body
    return payload_of(2, text).decode(errors="replace") if answer.base64_encoded else text


class Command(Struct, frozen=True, kw_only=True):
    """A command to the browser. `session` is empty for the browser itself."""

    id: int
    method: str
    params: dict[str, Any] = {}
    session: str = ""

    def encode(self) -> bytes:
        """Return the message to send."""
        message: dict[str, Any] = {"id": self.id, "method": self.method, "params": self.params}
        if self.session:
            message["sessionId"] = self.session
        return _ENCODER.encode(message)
