"""The fork server: a warm process whose copies are the children. A copy costs milliseconds, an interpreter hundreds.

In: orders from the supervisor over one socket. Out: news over the same socket, and children. One thread, which waits
for the socket and for its children's pidfds. It keeps one copy in reserve, made when it is quiet: a restart then costs
neither the fork nor the page tables, only a message to a process that waits for it. Never outlives the supervisor.
"""

import contextlib
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from actors.core.lifeline import die_with_parent
from supervisor.births import LARGEST_BYTES, Exit, News, Preloaded, Prepare, Spawn, Started, decode_order, encode
from supervisor.preload import preload

RETRY_MS = 5_000  # after a fork that the kernel refused, when nothing was even ordered
QUIET_MS = 50  # without an order for so long, the next reserve is forked: not while a child that was just made starts

Become = Callable[[Spawn, int], None]


class _Copy:
    """One forked process, and the pidfd that tells its end."""

    def __init__(self, pid: int, serial: int | None, orders: socket.socket | None) -> None:
        self.pid = pid
        self.serial = serial  # None for the reserve
        self.orders = orders  # how the reserve is told what to become
        try:
            self.pidfd = os.pidfd_open(pid)  # not reaped before we say so: it is this very process
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise


class Server:
    """Forks on order, reports births and ends."""

    def __init__(self, channel: socket.socket, become: Become) -> None:
        self._channel = channel
        self._become = become
        self._copies: dict[int, _Copy] = {}  # by pidfd
        self._reserve: _Copy | None = None
        self._quiet_ms = QUIET_MS
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)

    def serve(self) -> None:
        """Work until the supervisor closes the socket; its death does so too."""
        while True:
            ready = self._poll.poll(self._quiet_ms if self._reserve is None else None)
            if not ready:
                self._make_reserve()
            for fd, _ in ready:
                if fd in self._copies:
                    self._reap(self._copies[fd])
                elif not self._take_order():
                    self._end_reserve()
                    return

    def _take_order(self) -> bool:
        try:
            data = self._channel.recv(LARGEST_BYTES)
        except ConnectionError:
            return False
        if not data:
            return False
        order = decode_order(data)
        if isinstance(order, Spawn):
            self._make(order, data)
        return True

    def _make(self, order: Spawn, data: bytes) -> None:
        try:
            copy = self._from_reserve(order, data) or self._fork(order)
        except OSError as error:  # no memory, too many processes: that child's failure, not everybody's
            print(f"no process for {order.name}: {error}", file=sys.stderr, flush=True)
            self._tell(Exit(serial=order.serial, code=os.EX_OSERR))
        else:
            self._tell(Started(serial=order.serial, pid=copy.pid), copy.pidfd)

    def _make_reserve(self) -> None:
        try:
            self._reserve = self._fork(None)
            self._quiet_ms = QUIET_MS
        except OSError:
            self._quiet_ms = RETRY_MS

    def _from_reserve(self, order: Spawn, data: bytes) -> _Copy | None:
        copy, self._reserve = self._reserve, None
        if copy is None or copy.orders is None:
            return None
        try:
            copy.orders.send(data)
        except OSError:  # it died while it waited; its end is reported to nobody
            return None
        finally:
            copy.orders.close()
        copy.serial = order.serial
        return copy

    def _fork(self, order: Spawn | None) -> _Copy:
        """Fork a child, or with no order the reserve."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) if order is None else (None, None)
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            if ours is not None:
                ours.close()
            self._be_a_copy(order, theirs, server)
        if theirs is not None:
            theirs.close()
        copy = _Copy(pid, order.serial if order is not None else None, ours)
        self._copies[copy.pidfd] = copy
        self._poll.register(copy.pidfd, select.POLLIN)
        return copy

    def _be_a_copy(self, order: Spawn | None, orders: socket.socket | None, server: int) -> NoReturn:
        """Become a child; runs in the forked process and never returns."""
        try:
            die_with_parent(server)
            self._channel.close()
            for fd in self._copies:
                os.close(fd)
            if order is None and orders is not None:
                order = _awaited(orders)
            if order is not None:
                self._become(order, server)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)

    def _reap(self, copy: _Copy) -> None:
        _, status = os.waitpid(copy.pid, 0)
        self._poll.unregister(copy.pidfd)
        del self._copies[copy.pidfd]
        os.close(copy.pidfd)
        if copy.serial is not None:
            self._tell(Exit(serial=copy.serial, code=os.waitstatus_to_exitcode(status)))
        elif copy is self._reserve:
            self._reserve = None
            if copy.orders is not None:
                copy.orders.close()

    def _tell(self, news: News, *fds: int) -> None:
        with contextlib.suppress(ConnectionError):  # the supervisor is gone: the next read says so
            socket.send_fds(self._channel, [encode(news)], fds)

    def _end_reserve(self) -> None:
        if self._reserve is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._reserve.pid, signal.SIGKILL)
            os.waitpid(self._reserve.pid, 0)


def _awaited(orders: socket.socket) -> Spawn | None:
    """Wait as the reserve until there is work; None when the fork server is gone."""
    data = orders.recv(LARGEST_BYTES)
    orders.close()
    order = decode_order(data) if data else None
    return order if isinstance(order, Spawn) else None


def be_an_actor(order: Spawn, server: int) -> None:
    """Be the actor that was ordered. Does not return."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as comm:  # noqa: PTH123 - top shows who it is
        comm.write(order.name)
    enter = importlib.import_module("actors.core.runtime").enter
    enter(order.name, order.start, order.config, order.demo, server, hang_s=order.hang_s, path=order.path)


def main(fd: int) -> None:
    """Serve the supervisor at the other end of this descriptor."""
    channel = socket.socket(fileno=fd)
    os.set_inheritable(fd, False)
    first = decode_order(channel.recv(LARGEST_BYTES))
    if not isinstance(first, Prepare):
        raise TypeError(f"the first order is {first!r}, must be Prepare")
    channel.send(encode(Preloaded(failures=preload(first.parent, first.modules))))
    Server(channel, be_an_actor).serve()
