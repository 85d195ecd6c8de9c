"""A piece of network between a client and the broadcaster that a test can cut, or freeze as a pulled cable does."""

import contextlib
import selectors
import socket
import threading
from typing import Self

PORTION = 65_536


class Wire:
    """Forwards TCP connections from `port` to `target`, both ways, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._others: dict[socket.socket, socket.socket] = {}
        self._stale: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        for one in [*self._others, *self._stale, self._listener]:
            one.close()
        self._selector.close()

    def cut(self) -> None:
        """Break all connections; new ones go through."""
        with self._lock:
            for one in list(self._others):
                self._drop(one)

    def freeze(self) -> None:
        """Let all connections stand as they are, silent for ever, and tell neither side; new ones go through."""
        with self._lock:
            for one in list(self._others):
                self._selector.unregister(one)
                self._stale.append(one)
            self._others.clear()

    def _run(self) -> None:
        while not self._end.is_set():
            for key, _ in self._selector.select(0.02):
                with self._lock:
                    self._serve(key.fileobj)  # type: ignore[arg-type]  # we registered sockets only

    def _serve(self, ready: socket.socket) -> None:
        if ready is self._listener:
            client, _ = ready.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                client.close()
                return
            for one, other in ((client, server), (server, client)):
                self._others[one] = other
                self._selector.register(one, selectors.EVENT_READ)
        elif ready in self._others:
            try:
                piece = ready.recv(PORTION)
                self._others[ready].sendall(piece)
            except OSError:
                piece = b""
            if not piece:
                self._drop(ready)

    def _drop(self, one: socket.socket) -> None:
        other = self._others.pop(one, None)
        for end in (one, other):
            if end is not None:
                self._others.pop(end, None)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(end)
                end.close()
