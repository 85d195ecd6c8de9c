"""The Python library over networks that break, fall silent, or lie between two hosts."""

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import zmq.auth

import vectra_player
from actors.core.config import BusSection
from tests.broadcaster.stage import Stage, frames, stage
from tests.broadcaster.wire import Wire
from tests.processes import ROOT
from vectra_player.event import Hole

pytestmark = pytest.mark.system


def ticks(house: Stage) -> list[int]:
    return [event.seq for event in house.events if event.type == "game.tick"]


@contextlib.contextmanager
def wires(house: Stage) -> Iterator[tuple[Wire, Wire, dict[str, str]]]:
    """A piece of network before each of the two doors."""
    ports = [urlsplit(house.endpoint(name)).port or 0 for name in ("events", "requests")]
    with Wire(ports[0]) as events, Wire(ports[1]) as requests:
        address = {"events": f"tcp://127.0.0.1:{events.port}", "requests": f"tcp://127.0.0.1:{requests.port}"}
        yield events, requests, address


def test_broken_and_silent_networks_make_no_hole_and_no_double() -> None:
    holes: list[Hole] = []
    with stage() as house:
        house.write(frames(20))
        with house.broadcaster(), wires(house) as (events, requests, addresses):
            following = vectra_player.subscribe("game.tick", since=0, on_hole=holes.append, **addresses)  # type: ignore[arg-type]
            got = [next(following).seq for _ in ticks(house)]
            for life, break_it in enumerate((events.cut, requests.cut, events.freeze, requests.freeze), start=1):
                break_it()
                house.write(frames(20, first=20 * life))
                house.beat()
                got += [next(following).seq for _ in range(len(ticks(house)) - len(got))]
            following.close()
            assert got == ticks(house)
            assert holes == []


def test_the_async_twin_survives_a_cut_and_a_killed_broadcaster() -> None:
    async def take(house: Stage) -> list[int]:
        got: list[int] = []
        addresses = {name: house.endpoint(name) for name in ("events", "requests")}
        following = vectra_player.asubscribe("game.tick", since=0, **addresses)  # type: ignore[arg-type]
        for life in range(3):
            with house.broadcaster() as running:
                house.write(frames(20, first=40 * life + 20))
                while len(got) < len(ticks(house)):
                    house.beat()
                    got.append((await anext(following)).seq)
                running.kill()
                if life < 2:
                    house.write(frames(20, first=40 * life + 40), live=False)
        await following.aclose()
        return got

    with stage() as house:
        with house.broadcaster():
            house.write(frames(20))
        got = asyncio.run(take(house))
        assert got == ticks(house)


NETWORK = "10.213.77."
FOLLOW = """
import json, sys, vectra_player
events, requests, server, me, count = sys.argv[1:]
keys = vectra_player.load_keys(server, me)
following = vectra_player.subscribe("game.tick", since=0, events=events, requests=requests, keys=keys)
print(json.dumps([next(following).seq for _ in range(int(count))]))
try:
    vectra_player.snapshot(requests=requests, timeout_s=1.0)
except TimeoutError:
    print("locked")
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def two_hosts() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them."""
    hosts = f"va{os.getpid()}", f"vb{os.getpid()}"
    if shutil.which("ip") is None:
        pytest.skip("no ip here")
    try:
        for host in hosts:
            ip("netns", "add", host)
        ip("link", "add", "cable", "netns", hosts[0], "type", "veth", "peer", "name", "cable", "netns", hosts[1])
        for number, host in enumerate(hosts, start=1):
            ip("-n", host, "addr", "add", f"{NETWORK}{number}/24", "dev", "cable")
            ip("-n", host, "link", "set", "cable", "up")
            ip("-n", host, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as error:
        remove(hosts)
        pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
    yield hosts
    remove(hosts)


def remove(hosts: tuple[str, str]) -> None:
    for host in hosts:
        subprocess.run(["ip", "netns", "del", host], check=False, capture_output=True)


@contextlib.contextmanager
def on(host: str) -> Iterator[None]:
    """Be on that host: what this thread starts and binds is there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as here, Path(f"/run/netns/{host}").open() as there:
        assert libc.setns(there.fileno(), 0) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(here.fileno(), 0) == 0


def test_with_keys_a_program_on_another_host_follows_and_without_it_hears_nothing(
    two_hosts: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "clients").mkdir()
    for name in ("server", "me"):
        zmq.auth.create_certificates(tmp_path, name)
    shutil.copy(tmp_path / "me.key", tmp_path / "clients")
    address = f"tcp://{NETWORK}1:0"
    bus = BusSection(
        events=address, requests=address,
        curve_secret_file=str(tmp_path / "server.key_secret"), curve_clients_dir=str(tmp_path / "clients"),
    )  # fmt: skip
    with stage(bus=bus) as house:
        house.write(frames(40))
        with contextlib.ExitStack() as running:
            with on(two_hosts[0]):
                running.enter_context(house.broadcaster())
            count = len(ticks(house)) + 8
            client = subprocess.Popen(
                ["ip", "netns", "exec", two_hosts[1], sys.executable, "-c", FOLLOW,
                 house.endpoint("events"), house.endpoint("requests"),
                 str(tmp_path / "server.key"), str(tmp_path / "me.key_secret"), str(count)],
                stdout=subprocess.PIPE, text=True, cwd=ROOT,
            )  # fmt: skip
            house.write(frames(20, first=40))
            house.beat()
            said, _ = client.communicate(timeout=40)
            seqs, locked = said.splitlines()
            assert json.loads(seqs) == ticks(house)
            assert locked == "locked"
            assert house.endpoint("events").startswith(f"tcp://{NETWORK}1:")
