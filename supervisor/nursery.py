"""Births and ends: orders children from the fork server, hears from it, and notices when it is dead or stuck itself.

In: children to start. Out: calls of `born`, `ended` and `server_died`, each from the control loop. Keeps the roster of
what runs for the next start's sweep. Decides nothing about restarts, and never waits.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from actors.core.loop import Loop
from supervisor.births import Exit, News, Preloaded, Started
from supervisor.child import Child
from supervisor.launch import ForkServer, Spawned
from supervisor.leftovers import Roster

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
        self._server = ForkServer(modules)
        self._watched: list[_Fd] = []  # the server's pidfd and channel, while the loop reads them
        self._expected: dict[int, tuple[Child, Spawned]] = {}  # by serial: whose end the server will report
        self._roster = Roster(runtime_dir)
        self._say = say
        self._born = born
        self._ended = ended
        self._server_died = server_died

    @property
    def warm(self) -> bool:
        """Whether the fork server has done its imports: it answers in milliseconds then."""
        return self._server.warm

    def ensure(self) -> None:
        """Start the fork server where there is none. ConnectionError: it has just died; OSError: it cannot start."""
        if self._server.pid is not None:
            if self._server.channel is None or not self._server.alive():
                raise ConnectionError("it has just died")  # the loop is about to hear of it
            return
        pid, channel = self._server.begin()
        self._watch(self._server.fileno(), self.look_at_server)
        self._watch(channel.fileno(), self._on_news)
        self._roster.add(SERVER, pid)

    def spawn(self, child: Child, config: bytes, demo: bool) -> Spawned:
        """Ask for the child's process. OSError: the fork server does not answer."""
        self.ensure()
        spec = child.spec
        process = self._server.spawn(spec.id, spec.start, config, demo, hang_s=spec.hang_s, path=spec.path)
        self._expected[process.serial] = (child, process)
        return process

    def down(self, child: Child) -> None:
        """Take note that the child runs no more and is not started again at once."""
        self._roster.remove(child.id)

    def look_at_server(self) -> None:
        """Tell the tree where the fork server is dead, once for each death; then only the kernel tells of the ends."""
        if self._server.pid is None or self._server.alive():
            return
        self._on_news()  # what it told before it died
        for watched in self._watched:
            self._loop.forget(watched)
        self._watched.clear()
        self._server.forget()
        left, self._expected = list(self._expected.values()), {}
        self._server_died()
        for child, process in left:
            if process.pid is None:
                self._end(child, process, None)
            else:
                self._watch_alone(child, process)

    def kill_server(self, why: str) -> None:
        """End a fork server that hangs; all children end with it."""
        self._say(f"the fork server {why}: killing it")
        self._server.kill()

    def look_for_unreported(self, children: Iterable[Child], now_s: float) -> None:
        """Ask the kernel for ends that the fork server should have reported: a stopped one reports none."""
        for child in children:
            process = child.process
            if process is None or process.serial not in self._expected or process.pid is None or process.runs:
                child.gone_s = None
            elif child.gone_s is None:
                child.gone_s = now_s
            elif now_s - child.gone_s >= REAP_S:
                self.kill_server(f"does not report the end of {child.id}")
                return

    def close(self) -> None:
        """End the fork server; the children must be down."""
        for watched in self._watched:
            self._loop.forget(watched)
        self._watched.clear()
        self._server.close()
        self._roster.clear()

    def _watch(self, fd: int, handler: Callable[[], None]) -> None:
        watched = _Fd(fd)
        self._watched.append(watched)
        self._loop.read(watched, handler)

    def _watch_alone(self, child: Child, process: Spawned) -> None:
        watched = _Fd(process.fileno())

        def on_end() -> None:
            self._loop.forget(watched)
            self._end(child, process, None)

        self._loop.read(watched, on_end)

    def _on_news(self) -> None:
        channel = self._watched[-1] if self._watched else None
        for news, pidfd in self._server.news():
            self._on_one(news, pidfd)
        if self._server.channel is None and channel is not None and len(self._watched) > 1:
            self._loop.forget(channel)  # its end is near, and the pidfd will tell
            self._watched.remove(channel)

    def _on_one(self, news: News, pidfd: int | None) -> None:
        if isinstance(news, Preloaded):
            for failure in news.failures:
                self._say(failure)
        elif isinstance(news, Started):
            child, process = self._expected[news.serial]
            process.began(news.pid, pidfd)
            self._roster.add(child.id, news.pid)
            self._born(child)
        elif isinstance(news, Exit):
            self._end(*self._expected.pop(news.serial), news.code)

    def _end(self, child: Child, process: Spawned, code: int | None) -> None:
        process.close()
        self._ended(child, code)


class _Fd:
    """A bare descriptor, for the loop."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd
