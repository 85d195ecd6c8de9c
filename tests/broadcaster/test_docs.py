"""The programs of `docs/how-to/subscribe.md` run as they stand there, but for the addresses."""

import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broadcaster.stage import Stage, stage, tick_frame
from tests.broadcaster.test_javascript import FLAG, NODE, node_has_websocket

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/how-to/subscribe.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
PROGRAMS = {"python-library": "vectra_player.subscribe(", "python-async": "asubscribe(", "pyzmq": "zmq.SUB"}


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage() as made, made.broadcaster():
        yield made


def program(marker: str, house: Stage) -> str:
    code: str = next(code for _, code in BLOCKS if marker in code)
    for default, name in (
        ("tcp://127.0.0.1:9100", "events"),
        ("tcp://127.0.0.1:9101", "requests"),
        ("ws://127.0.0.1:9000/feed", "feed"),
    ):
        code = code.replace(default, house.endpoint(name))
    return code


def first_line(command: list[str], house: Stage) -> str:
    """Run a program while ticks come; return the first line it prints."""
    environment = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), "VECTRA_RUNTIME_DIR": str(house.runtime_dir)}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert running.stdout is not None
    try:
        for _ in range(500):
            number = len(house.events)
            house.write([tick_frame(number)])
            if select.select([running.stdout], [], [], 0.02)[0]:
                return running.stdout.readline().decode()
        raise AssertionError("it printed nothing within 10 s")
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


@pytest.mark.parametrize("marker", PROGRAMS.values(), ids=PROGRAMS)
def test_the_python_programs_print_ticks(house: Stage, marker: str) -> None:
    line = first_line([sys.executable, "-c", program(marker, house)], house)
    assert int(line.split()[0]) in {event.seq for event in house.events}


@pytest.mark.skipif(not node_has_websocket(), reason="no Node with a WebSocket of its own")
def test_the_node_program_prints_ticks(house: Stage) -> None:
    line = first_line([str(NODE), FLAG, "-e", program("new WebSocket(", house)], house)
    assert int(line.split()[0]) in {event.seq for event in house.events}
