"""The fork server by itself, spoken to as the supervisor does: births, ends, its reserve, and a kernel that refuses."""

import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from actors.core.config import Config
from supervisor.births import Exit, News, Preloaded, Started
from supervisor.launch import ForkServer, readable
from tests.supervisor.running import is_gone, until

pytestmark = pytest.mark.system


@contextmanager
def server(*modules: str) -> Iterator[tuple[ForkServer, socket.socket]]:
    """Run one for the length of a block; it has done its imports."""
    forks = ForkServer(modules)
    _, channel = forks.begin()
    try:
        yield forks, channel
    finally:
        forks.close()


def heard(forks: ForkServer, channel: socket.socket, count: int) -> list[tuple[News, int | None]]:
    """Wait for so many news."""
    news: list[tuple[News, int | None]] = []
    while len(news) < count:
        assert readable(channel.fileno(), 60_000)
        news += forks.news()
    return news


def config(home: Path) -> bytes:
    return msgspec.msgpack.encode(Config(data_dir=str(home)))


def test_it_tells_of_its_imports_a_birth_with_a_pidfd_and_the_end_with_its_code(tmp_path: Path) -> None:
    with server("no_such_module") as (forks, channel):
        child = forks.spawn("a", "tests.supervisor.children:exits_at_once", config(tmp_path), False)
        (preloaded, _), (started, pidfd), (ended, _) = heard(forks, channel, 3)
        assert isinstance(preloaded, Preloaded)
        assert "no_such_module cannot be imported" in preloaded.failures[0]
        assert forks.warm
        assert isinstance(started, Started)
        assert pidfd is not None
        assert not os.get_inheritable(pidfd)
        child.began(started.pid, pidfd)
        assert not child.runs
        child.close()
        assert ended == Exit(serial=child.serial, code=1)


def test_a_child_from_the_reserve_is_a_child_like_any_other_and_has_none_of_its_descriptors(tmp_path: Path) -> None:
    with server() as (forks, channel):
        heard(forks, channel, 1)
        assert forks.pid is not None
        reserve = until(lambda: children_of(forks.pid))[0]
        spawned = forks.spawn("a", "tests.supervisor.children:works", config(tmp_path), False)
        ((started, pidfd),) = heard(forks, channel, 1)
        assert isinstance(started, Started)
        assert started.pid == reserve
        spawned.began(started.pid, pidfd)
        log = tmp_path / "run" / "log" / "a.log"
        until(lambda: log.exists() and "ready" in log.read_text())
        assert Path(f"/proc/{reserve}/comm").read_text() == "a\n"
        until(lambda: [pid for pid in children_of(forks.pid) if pid != reserve])  # the next reserve
        ours = {str(path.readlink()) for path in Path(f"/proc/{forks.pid}/fd").iterdir()}
        its = {str(path.readlink()) for path in Path(f"/proc/{reserve}/fd").iterdir()}
        assert not {link for link in ours & its if link.startswith(("socket", "anon_inode:[pidfd"))}
        spawned.send_signal(signal.SIGTERM)
        assert heard(forks, channel, 1) == [(Exit(serial=spawned.serial, code=0), None)]
        spawned.close()


def test_its_end_leaves_nobody_not_even_the_reserve(tmp_path: Path) -> None:
    with server() as (forks, channel):
        heard(forks, channel, 1)
        pid = forks.pid
        assert pid is not None
        reserve = until(lambda: children_of(pid))[0]
    assert is_gone(pid)
    assert is_gone(reserve)


def test_a_kernel_that_gives_no_process_is_that_childs_failure_alone(tmp_path: Path) -> None:
    with server() as (forks, channel):
        heard(forks, channel, 1)
        assert forks.pid is not None
        until(lambda: children_of(forks.pid) and watched_by(forks.pid))
        before = resource.prlimit(forks.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(forks.pid, resource.RLIMIT_NOFILE, (3, before[1]))  # a second child finds no descriptor
        first = forks.spawn("a", "tests.supervisor.children:works", config(tmp_path), False)
        second = forks.spawn("b", "tests.supervisor.children:works", config(tmp_path), False)
        (started, pidfd), (ended, _) = heard(forks, channel, 2)
        assert isinstance(started, Started)
        assert ended == Exit(serial=second.serial, code=os.EX_OSERR)
        resource.prlimit(forks.pid, resource.RLIMIT_NOFILE, before)
        first.began(started.pid, pidfd)
        assert first.runs
        third = forks.spawn("b", "tests.supervisor.children:exits_at_once", config(tmp_path), False)
        (_, other), (ended, _) = heard(forks, channel, 2)
        assert other is not None
        os.close(other)
        assert ended == Exit(serial=third.serial, code=1)
        first.close()


def watched_by(pid: int | None) -> list[str]:
    """Return the pidfds that a process holds: it knows these children."""
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
    return [link for link in links if link == "anon_inode:[pidfd]"]


def children_of(pid: int | None) -> list[int]:
    """Return the living children of a process."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if not is_gone(int(child))]
