"""Births and ends: asks the fork server for children, hears from it, and notices when it is dead or stuck itself.

In: children to start. Out: calls of `born`, `ended` and `server_died`, each from the control loop. Keeps the roster of
what runs for the next start's sweep. Decides nothing about restarts, and never waits.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from actors.core.loop import Loop
from supervisor.child import Child
from supervisor.launch import Exit, ForkServer, Spawned, Started
from supervisor.leftovers import Roster
from supervisor.preload import begin

REAP_S = 1.0  # an end that the fork server does not report for so long, microseconds otherwise: it hangs
SERVER = "fork-server"


class Nursery:
    """The fork server of one tree, and its children's processes."""

    def __init__(
        self,
        loop: Loop,
        runtime_dir: Path,
        modules: Sequence[str],
        *,
        say: Callable[[str], None],
        born: Callable[[Child], None],
        ended: Callable[[Child, int | None], None],
        server_died: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._server = ForkServer(runtime_dir, modules)
        self._watched: _Fd | None = None  # the server's pidfd, while the loop reads it
        self._roster = Roster(runtime_dir)
        self._say = say
        self._born = born
        self._ended = ended
        self._server_died = server_died
        self._preload_seen: int | None = None

    def ensure(self) -> int:
        """Return the fork server's pid, starting it where there is none. EOFError: it has just died."""
        if self._server.pid is not None:
            if not self._server.alive():
                raise EOFError("it has just died")  # the loop is about to hear of it
            return self._server.pid
        pid = self._server.ensure()
        self._watched = _Fd(self._server.fileno())
        self._loop.read(self._watched, self.look_at_server)
        self._roster.add(SERVER, pid)
        return pid

    def spawn(self, child: Child, config: bytes, demo: bool) -> Spawned:
        """Ask for the child's process. OSError, EOFError: the fork server does not answer."""
        server_pid = self.ensure()
        process = self._server.spawn(child.id, begin, (child.id, child.spec.start, config, demo, server_pid))
        self._loop.read(process, lambda: self._on_news(child, process))
        return process

    def down(self, child: Child) -> None:
        """Take note that the child runs no more and is not started again at once."""
        self._roster.remove(child.id)

    def look_at_server(self) -> None:
        """Tell the tree where the fork server is dead; once for each death."""
        if self._watched is None or self._server.alive():
            return
        self._loop.forget(self._watched)
        self._watched = None
        self._server.forget()
        self._server_died()

    def kill_server(self, why: str) -> None:
        """End a fork server that hangs; all children end with it."""
        self._say(f"the fork server {why}: killing it")
        self._server.kill()

    def look_for_unreported(self, children: Iterable[Child], now_s: float) -> None:
        """Ask the kernel for ends that the fork server should have reported: a stopped one reports none."""
        for child in children:
            process = child.process
            if process is None or process.pid is None or process.runs or process.orphaned:
                child.gone_s = None
            elif child.gone_s is None:
                child.gone_s = now_s
            elif now_s - child.gone_s >= REAP_S:
                self.kill_server(f"does not report the end of {child.id}")
                return

    def close(self) -> None:
        """End the fork server; the children must be down."""
        if self._watched is not None:
            self._loop.forget(self._watched)
            self._watched = None
        self._server.close()
        self._roster.clear()

    def _on_news(self, child: Child, process: Spawned) -> None:
        watched = _Fd(process.fileno())
        news = process.news()
        if isinstance(news, Started):
            self._roster.add(child.id, news.pid)
            self._look_at_preload()
            self._born(child)
        elif isinstance(news, Exit):
            self._loop.forget(watched)
            process.close()
            if news.code is None:
                self.look_at_server()  # the child's end may be seen before the fork server's own
            self._ended(child, news.code)
        elif process.fileno() != watched.fileno():
            self._loop.forget(watched)
            self._loop.read(process, lambda: self._on_news(child, process))

    def _look_at_preload(self) -> None:
        """Tell, once for each fork server, what it could not import: multiprocessing itself would keep silent."""
        if self._preload_seen != self._server.pid:
            self._preload_seen = self._server.pid
            for failure in self._server.preload_failures():
                self._say(failure)


class _Fd:
    """A bare descriptor, for the loop."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd
