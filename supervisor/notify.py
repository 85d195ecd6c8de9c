"""Words for the service manager: systemd's notification protocol, and what the whole tree's condition is in one line.

In: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` from the environment; states. Out: datagrams READY, STATUS,
WATCHDOG, RELOADING, STOPPING. Without a service manager every call does nothing. Never waits, never raises: a manager
that went away, or whose socket is full, is not our trouble.
"""

import contextlib
import os
import socket
import time
from collections import Counter
from collections.abc import Iterable, MutableMapping

from supervisor.child import Child

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
STATUS_S = 1.0  # how often the tree's condition is looked at; it is sent when it has changed


class Notifier:
    """Speaks to the service manager that started this process."""

    def __init__(self, address: str | None = None, watchdog_s: float | None = None) -> None:
        """address: a socket's path, `@name` for an abstract one; watchdog_s: how long the manager bears silence."""
        self._address = address.replace("@", "\0", 1) if address and address.startswith("@") else address
        self._beat_s = watchdog_s / 2 if watchdog_s else None
        self._next_beat_s = 0.0
        self._next_look_s = 0.0
        self._status = ""
        self._socket: socket.socket | None = None
        if address and address[0] in "/@":
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> "Notifier":
        """Take what the manager said out of the environment: no child may speak to it in our name."""
        given = {name: environ.pop(name, "") for name in VARIABLES}
        meant = given["WATCHDOG_PID"] in ("", str(os.getpid()))
        watchdog_us = int(given["WATCHDOG_USEC"]) if meant and given["WATCHDOG_USEC"].isdigit() else 0
        return cls(given["NOTIFY_SOCKET"] or None, watchdog_us / 1e6 or None)

    def ready(self, status: str) -> None:
        """All is up, or up again after a reload."""
        self._status = status
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """Say in one line how things are, where that is news."""
        if status != self._status:
            self._status = status
            self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """The settings are being read again; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        """The end has begun."""
        self._status = status
        self._send(f"STOPPING=1\nSTATUS={status}")

    def turn(self, now_s: float, children: Iterable[Child]) -> None:
        """Call this from the control loop, each turn: a loop that stands still is what the watchdog is for."""
        if self._socket is None:
            return
        if self._beat_s is not None and now_s >= self._next_beat_s:
            self._next_beat_s = now_s + self._beat_s
            self._send("WATCHDOG=1")
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + STATUS_S
            self.status(condition(children))

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket is not None and self._address is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(text.encode(), self._address)


def condition(children: Iterable[Child]) -> str:
    """Return the tree's condition in one line: how many are ready, and who is in which other state."""
    states = {child.id: child.state for child in children}
    counts = Counter(states.values())
    others = [f"{name} {state}" for name, state in states.items() if state != "ready"]
    if not others:
        return f"all {len(states)} actors are ready"
    return f"{counts['ready']} of {len(states)} actors are ready; {', '.join(others)}"
