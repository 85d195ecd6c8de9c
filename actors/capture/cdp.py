"""The browser-level DevTools socket: whole CDP messages in, commands out, never waiting once it is open.

websocket-client does the handshake and the framing; its socket is non-blocking afterwards, and the frame buffer goes on
where it stopped. A turn reads at most `TURN_BYTES` and `TURN_S`, so that neither one huge frame nor five seconds of
frames at once, from a page that was busy so long, can stop the loop's count on a busy machine. Never asks
for a message size limit (a 90 MB frame is a frame) and never validates UTF-8 a second time: websocket-client does that
byte by byte in Python, which alone cost two thirds of a core at 500 frames a second.
"""

import socket
import time
from collections.abc import Iterator

import websocket
from websocket import ABNF

OPEN_TIMEOUT_S = 0.4  # under half of a capture's hang limit, 1 s
TURN_BYTES = 8_000_000
TURN_S = 0.1  # what comes of the messages included; of a capture's hang limit, 1 s
READ_BYTES = 262_144


class ConnectionGone(Exception):
    """The browser's end is gone, or never was there. Connect again when the browser is back."""


class CdpSocket:
    """One connection to `ws://127.0.0.1:PORT/devtools/browser/GUID`."""

    def __init__(self, url: str) -> None:
        """Connect. ConnectionGone: nobody there, another browser's GUID, or no answer within `OPEN_TIMEOUT_S`."""
        try:
            self._ws = websocket.create_connection(
                url,
                timeout=OPEN_TIMEOUT_S,
                skip_utf8_validation=True,
                suppress_origin=True,
                enable_multithread=False,
                http_no_proxy=["*"],
            )
        except (websocket.WebSocketException, OSError) as error:
            raise ConnectionGone(f"cannot connect: {error}") from error
        if self._ws.sock is None:
            raise ConnectionGone("cannot connect: no socket")
        self._socket: socket.socket = self._ws.sock
        self._socket.setblocking(False)
        self._ws.frame_buffer.recv = self._take
        self._budget = 0
        self._until_s = 0.0
        self._ahead = memoryview(b"")  # read from the kernel, not yet asked for
        self._unsent = bytearray()
        self.read_until_s = time.monotonic()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def messages(self) -> Iterator[bytes]:
        """Yield what has arrived, at most `TURN_BYTES` and for `TURN_S`. ConnectionGone: the other end is gone.

        When it finds the socket empty, `read_until_s` moves to the moment before the last look.
        """
        self._budget = TURN_BYTES
        looked_s = time.monotonic()
        self._until_s = looked_s + TURN_S
        while True:
            try:
                opcode, frame = self._ws.recv_data_frame()
            except BlockingIOError:
                if self._budget > 0:
                    self.read_until_s = looked_s
                return
            except (websocket.WebSocketException, OSError) as error:
                raise ConnectionGone("connection lost") from error
            if opcode == ABNF.OPCODE_CLOSE:
                raise ConnectionGone("connection closed by the browser")
            yield frame.data

    def send(self, message: bytes) -> None:
        """Send, or keep what the socket does not take now for `flush`. ConnectionGone: the other end is gone."""
        self._unsent += ABNF.create_frame(message, ABNF.OPCODE_TEXT).format()
        self.flush()

    def flush(self) -> None:
        """Send what is kept, as far as the socket takes it."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError as error:
            raise ConnectionGone("connection lost") from error

    def close(self) -> None:
        """Drop the connection; Chromium detaches all its sessions."""
        self._socket.close()

    def _take(self, size: int) -> bytes:
        """Return up to `size` bytes to the frame buffer; BlockingIOError where there are none, or the turn is over."""
        if not self._ahead:
            if time.monotonic() > self._until_s:
                self._budget = 0
            if self._budget <= 0:
                raise BlockingIOError
            chunk = self._socket.recv(READ_BYTES)
            if not chunk:
                raise websocket.WebSocketConnectionClosedException("end of stream")
            self._budget -= len(chunk)
            self._ahead = memoryview(chunk)
        taken = bytes(self._ahead[:size])
        self._ahead = self._ahead[size:]
        return taken
