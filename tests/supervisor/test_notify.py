"""What a service manager hears, on a real datagram socket: a path, or an abstract name."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.child import Child
from supervisor.notify import VARIABLES, Notifier, condition
from supervisor.spec import ChildSpec
from tests.supervisor.running import LIMIT_S, child, running, until

Hear = Callable[[], list[str]]


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Hear]]:
    """A service manager's end: its address as NOTIFY_SOCKET has it, and what it heard since the last call."""
    abstract = request.param == "abstract"
    address = f"@vectra-{os.getpid()}-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address.replace("@", "\0", 1) if abstract else address)
        receiver.setblocking(False)

        def hear() -> list[str]:
            heard = []
            while True:
                try:
                    heard.append(receiver.recv(4096).decode())
                except BlockingIOError:
                    return heard

        yield address, hear


def test_each_word_arrives_as_the_protocol_has_it(manager: tuple[str, Hear]) -> None:
    address, hear = manager
    notifier = Notifier(address)
    notifier.ready("all 2 actors are ready")
    notifier.status("all 2 actors are ready")
    notifier.status("1 of 2 actors are ready; web hung")
    notifier.reloading()
    notifier.stopping("asked to")
    ready, status, reloading, stopping = hear()
    assert ready == "READY=1\nSTATUS=all 2 actors are ready"
    assert status == "STATUS=1 of 2 actors are ready; web hung"
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert stopping == "STOPPING=1\nSTATUS=asked to"
    notifier.close()
    notifier.status("not heard any more")
    assert hear() == []


def test_the_watchdog_is_fed_twice_within_its_time_and_the_condition_told_when_it_changes(
    manager: tuple[str, Hear],
) -> None:
    address, hear = manager
    notifier = Notifier(address, watchdog_s=10)
    web = Child(ChildSpec(id="web", start="web.actor:run"))
    for now_s in (0.0, 1.0, 4.9, 5.0, 9.9, 10.0):
        notifier.turn(now_s, [web])
    heard = hear()
    assert heard.count("WATCHDOG=1") == 3
    assert [word for word in heard if word != "WATCHDOG=1"] == ["STATUS=0 of 1 actors are ready; web stopped"]
    web.said_ready(11.0)
    notifier.turn(11.0, [web])
    assert hear() == ["STATUS=all 1 actors are ready"]
    notifier.close()


def test_the_words_for_us_are_taken_out_of_the_environment() -> None:
    environ = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
    Notifier.from_environment(environ).close()
    assert environ == {"HOME": "/"}


def test_a_manager_that_is_gone_and_words_for_another_process_do_no_harm(tmp_path: Path) -> None:
    gone = Notifier(str(tmp_path / "nobody"), watchdog_s=1)
    gone.ready("x")
    gone.turn(1.0, [])
    gone.close()
    silent = Notifier.from_environment({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"})
    silent.turn(1.0, [])
    silent.ready("x")
    silent.close()


def test_the_condition_names_everyone_who_is_not_ready() -> None:
    ready, down = (Child(ChildSpec(id=name, start="a:b")) for name in ("web", "writer"))
    ready.said_ready(1.0)
    assert condition([ready, down]) == "1 of 2 actors are ready; writer stopped"


@pytest.mark.system
def test_a_real_supervisor_tells_the_manager_its_whole_life_and_no_child_can(
    manager: tuple[str, Hear], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, hear = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    heard: list[str] = []

    def has(word: str) -> bool:
        heard.extend(hear())
        return any(word in message for message in heard)

    with running(tmp_path, [child("a"), child("b")]) as supervisor:
        until(lambda: has("READY=1\nSTATUS=all 2 actors are ready"))
        heard.clear()
        until(lambda: has("WATCHDOG=1") and heard.count("WATCHDOG=1") >= 3)
        environ = Path(f"/proc/{supervisor.pid('a')}/environ").read_bytes()
        assert not any(name.encode() in environ for name in VARIABLES)
        heard.clear()
        command = [sys.executable, "-P", "-m", "vectra_player.entry", "reload", "--set", f"data_dir={tmp_path}"]
        subprocess.run(command, check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL)
        until(lambda: has("READY=1"))
        told = [message.partition("\n")[0] for message in heard if "WATCHDOG" not in message]
        assert told[-2:] == ["RELOADING=1", "READY=1"]
        assert supervisor.stop() == 0
        assert has("STOPPING=1\nSTATUS=stopping")
