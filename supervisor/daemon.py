"""The daemon around the tree: locks, leftovers, signals, the first start, the last stop.

In: settings, and how to speak to whoever started it. Out: an exit code: 0 stopped as told (or running already), 1 an
actor did not become ready or the place is taken. Never leaves a process behind.
"""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from operator import attrgetter
from types import FrameType
from typing import Any

import msgspec

from actors.core.config import Config
from actors.core.endpoints import clear as clear_endpoints
from actors.core.files import partial_of, private_dir, remove_file
from actors.core.log import log_path, start_logging
from actors.core.ownership import UnsafeDirectory, place_fault
from supervisor import locks
from supervisor.child import are_up
from supervisor.console import Console
from supervisor.control import Control, Refused
from supervisor.figures import all_endpoints, web_address
from supervisor.keys import all_keys
from supervisor.leftovers import sweep
from supervisor.logs import last_lines
from supervisor.notify import Notifier, condition
from supervisor.plan import demo_config, groups, plan
from supervisor.reaper import LOOK_S, adopts_orphans, reap
from supervisor.relay import Format, Relay
from supervisor.reload import absolute, apply
from supervisor.settings import Loaded
from supervisor.spec import ChildSpec
from supervisor.status import Status
from supervisor.tree import Tree
from supervisor.words import duration
from vectra_player.version import __version__

LAST_WORDS = 12
CAPTURES = ("capture-a", "capture-b")
_ATTACHED_PARTIAL = partial_of("|".join(CAPTURES))

Planner = Callable[[Config, bool], list[ChildSpec]]


class Daemon:
    """One run of VECTRA."""

    def __init__(
        self,
        loaded: Loaded,
        read_again: Callable[[], Loaded],
        *,
        demo: bool,
        foreground: bool,
        announce: int | None,
        log_format: Format | None = None,
        planner: Planner = plan,
    ) -> None:
        self._loaded = loaded
        self._read_again = read_again
        self._demo = demo
        self._foreground = foreground
        self._planner = planner
        self.config = effective(loaded.config, demo)
        self._runtime = self.config.runtime_path
        self._log_format = log_format
        self._console = Console(os.dup(1) if foreground else announce, stamps=False, form=log_format)
        self._notifier = Notifier.from_environment(os.environ)
        self._relay: Relay | None = None
        self._announced = False
        self._exit_code = 0

    def run(self) -> int:
        """Run until told to stop; return the exit code."""
        os.umask(0o077)
        try:
            return self._run() if self._lock() else self._exit_code
        finally:
            if self._relay is not None:
                self._relay.close()
            self._console.close()
            self._notifier.close()

    def _run(self) -> int:
        self._start_logging()
        locks.record_pid(self._runtime)
        self._clear()
        self._tree = Tree(
            self._planner(self.config, self._demo), self.config, demo=self._demo, say=self._say,
            groups=groups(self.config),
        )  # fmt: skip
        self._status = Status(os.getpid(), self.config.data_path, self._runtime, self._demo)
        self._open_control()
        self._listen_to_signals()
        if adopts_orphans():
            self._tree.loop.every(LOOK_S, self._reap)
        self._log.info("version %s starts, pid %d, demo %s", __version__, os.getpid(), self._demo)
        try:
            self._work()
        except Exception as error:
            self._log.exception("the supervisor itself failed")
            self._console.line(f"the supervisor itself failed: {error!r}; see {log_path(self._runtime, 'supervisor')}")
            return 1
        finally:
            self._tree.close()
            self._clear_files()
            remove_file(self._runtime / locks.PID_FILE)
        self._say("stopped: everything is flushed, no process is left")
        return self._exit_code

    def _start_logging(self) -> None:
        output = os.dup(1)
        self._log = start_logging("supervisor", self._runtime, self.config.log)
        if self._log_format is None:
            os.close(output)
        else:  # all that is said stands in the logs, and those go out
            self._console.close()
            self._relay = Relay(self._runtime / "log", output, self._log_format)

    def _reap(self) -> None:
        if (count := reap()) > 0:
            self._log.debug("%d orphans were reaped", count)

    def _open_control(self) -> None:
        Control(
            self._tree,
            {
                "status": lambda args: self._on_status(),
                "config": lambda args: settings_view(self.config, self._loaded, self._demo),
                "restart": self._on_restart,
                "reload": lambda args: self._on_reload(),
                "stop": lambda args: self._on_stop("asked to"),
            },
        )

    @property
    def state(self) -> str:
        """The supervisor's state in contract 4.2."""
        if self._tree.stopping:
            return "stopping"
        return "running" if self._announced else "starting"

    def _work(self) -> None:
        self._began_s = time.monotonic()
        self._tree.start()
        while not self._tree.finished:
            self._tree.turn()
            self._notifier.turn(time.monotonic(), self._tree.children.values())
            if not self._announced and not self._tree.stopping:
                self._look_at_the_start()

    def _look_at_the_start(self) -> None:
        took_s = time.monotonic() - self._began_s
        late = took_s > self.config.supervisor.start_timeout_s
        if are_up(self._tree.children.values(), late=late):
            self._announced = True
            self._notifier.ready(condition(self._tree.children.values()))
            self._tree.diary.note("supervisor", "started", actors=list(self._tree.children), version=__version__)
            ready = [child for child in self._tree.children.values() if child.is_ready]
            self._log.info("%d of %d actors are ready after %.3f s", len(ready), len(self._tree.children), took_s)
            self._console.block(greeting(self.config, self._demo, len(ready), took_s, self._foreground))
            self._tell_of_extras()
            if self._foreground:
                self._console.stamps = True
            else:
                self._console.mark_ready()
            return
        ours = [child for child in self._tree.children.values() if child.spec.extra is None]
        looping = [child for child in ours if child.history.crash_looping]
        if looping or late:
            self._give_up(looping or [child for child in ours if not child.is_ready])

    def _tell_of_extras(self) -> None:
        """Name the user's own actors that are not ready: the tree is up without them."""
        for child in self._tree.children.values():
            if child.degraded:
                self._say(f"{child.id}, an actor of your own, is not ready: {child.reason(time.monotonic())}")

    def _give_up(self, failed: list[Any]) -> None:
        now_s = time.monotonic()
        self._exit_code = 1
        for child in failed:
            path = log_path(self._runtime, child.id)
            self._say(f"{child.id} did not become ready: {child.reason(now_s)}")
            words = child.last_exit.last_lines[-LAST_WORDS:] if child.last_exit else last_lines(path, LAST_WORDS)
            self._console.block("\n".join([f"  last lines of {path}:", *(f"    {line}" for line in words)]))
        self._on_stop("not all actors became ready")

    # What others ask.

    def _on_status(self) -> dict[str, Any]:
        self._tree.hear()
        return self._status.answer(self.state, list(self._tree.children.values()))

    def _on_restart(self, args: dict[str, Any]) -> dict[str, Any]:
        actor = args.get("actor")
        known = list(self._tree.children)
        if actor is not None and actor not in known:
            raise Refused(f"actor is {actor!r}, must be one of {', '.join(known)}.")
        if self._tree.stopping:
            raise Refused("VECTRA is stopping and restarts nothing any more. Start it again afterwards.")
        chosen = known if actor is None else [str(actor)]
        pids = {name: self._tree.children[name].pid for name in chosen}
        self._say(f"restarting {actor or 'all actors'}, as asked")
        self._tree.restart(chosen)
        return {"actors": pids}

    def _on_reload(self) -> dict[str, Any]:
        if self._tree.stopping:
            raise Refused("VECTRA is stopping and reloads nothing any more.")
        self._notifier.reloading()
        try:
            loaded, config, changed = apply(self._read_again, self.config, self._demo, self._tree, self._planner)
        finally:
            self._notifier.ready(condition(self._tree.children.values()))
        self._loaded, self.config = loaded, config
        self._say("reloaded: " + (f"{', '.join(changed)} restart" if changed else "no actor is touched"))
        return {"restarted": changed}

    def _on_stop(self, why: str) -> dict[str, Any]:
        if not self._tree.stopping:
            self._say(f"stopping ({why})")
            self._notifier.stopping(f"stopping ({why})")
            self._tree.diary.note("supervisor", "stopping", reason=why)
            self._tree.stop()
        return {"pid": os.getpid()}

    def _listen_to_signals(self) -> None:
        receiver, sender = socket.socketpair()
        receiver.setblocking(False)
        sender.setblocking(False)
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        self._wake = (receiver, sender)

        def on_signal(number: int, frame: FrameType | None) -> None:
            """Nothing to do here: the number arrives through the socket, in the loop's own time."""

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, on_signal)
        self._tree.loop.read(receiver, self._on_signals)

    def _on_signals(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for number in self._wake[0].recv(64):
                if self._tree.stopping:
                    self._say("asked again: killing what is still there")
                    self._tree.hurry()
                self._on_stop(signal.Signals(number).name)

    # Before and after.

    def _lock(self) -> bool:
        """Take the directories; where that cannot be, say why, and with which exit code this run ends."""
        try:
            runtime, data = private_dir(self._runtime), private_dir(self.config.data_path)
            for path in (runtime, data):
                if (fault := place_fault(path)) is not None:
                    raise UnsafeDirectory(path, fault)
            self._locks = [locks.take(runtime)]
            if not data.samefile(runtime):
                self._locks.append(locks.take(data))
            return True
        except locks.Locked as locked:
            self._refuse(locked)
        except OSError as error:
            self._exit_code = 1
            self._console.line(unusable(error))
        return False

    def _refuse(self, locked: locks.Locked) -> None:
        if locked.directory == self._runtime:
            self._console.line(f"vectra-supervisor is already running (pid {locked.pid or 'not known yet'}).")
            return
        self._exit_code = 1
        self._console.line(f"{locked} Stop that one, or set data_dir to another directory.")

    def _clear(self) -> None:
        if found := sweep(self._runtime):
            self._say(f"ended what an earlier start had left running: {', '.join(found)}")
        self._clear_files()
        self._log.info("data in %s, runtime files in %s", self.config.data_path, self._runtime)

    def _clear_files(self) -> None:
        """Remove what told of an earlier run: by the names that we give, whatever else lies there stays."""
        clear_endpoints(self._runtime)
        for name in ("browser.json", "children.json", *(f"attached/{name}" for name in CAPTURES)):
            remove_file(self._runtime / name)
        for path in (self._runtime / "attached").glob(".*.tmp"):
            if _ATTACHED_PARTIAL.fullmatch(path.name):
                remove_file(path)

    def _say(self, text: str) -> None:
        self._log.info(text)
        self._console.line(text)


def unusable(error: OSError) -> str:
    """Say that a directory cannot be made or locked, and what to do."""
    if isinstance(error, UnsafeDirectory):
        return str(error)
    return (
        f"{error.filename}: cannot be used: {error.strerror}. Give yourself the rights, or set data_dir or runtime_dir "
        "to another place; `vectra-supervisor doctor` looks at both."
    )


def effective(config: Config, demo: bool) -> Config:
    """Return the settings as the actors get them: the demo's where asked for, directories as absolute paths."""
    return absolute(demo_config(config) if demo else config)


def settings_view(config: Config, loaded: Loaded, demo: bool) -> dict[str, Any]:
    """Return the settings in force and where each came from, for the system page."""
    given = absolute(loaded.config)
    changed = {key: "the demo" for key in all_keys() if demo and attrgetter(key)(given) != attrgetter(key)(config)}
    return {"path": loaded.path, "config": msgspec.to_builtins(config), "sources": {**loaded.sources, **changed}}


def greeting(config: Config, demo: bool, actors: int, took_s: float, foreground: bool) -> str:
    """Return what `start` prints once all is ready."""
    urls = all_endpoints(config.runtime_path)
    rows = [
        ("control room", web_address(config.runtime_path)),
        ("monitor", urls["monitor"]),
        ("feed", urls["feed"]),
        ("ZeroMQ events", urls["events"]),
        ("ZeroMQ requests", urls["requests"]),
        ("simulator", urls["simulator"]),
        ("data", str(config.data_path)),
        ("logs", str(config.runtime_path / "log")),
    ]
    what = "VECTRA's demo" if demo else "VECTRA"
    end = "Ctrl-C stops it." if foreground else "`vectra-supervisor stop` stops it."
    head = f"{what} is ready: {actors} actors in {duration(took_s)}. {end}"
    return "\n".join([head, *(f"  {name:<16} {value}" for name, value in rows if value)])
