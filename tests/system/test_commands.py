"""Commands that a user gives to all of VECTRA while it runs, and how they exit when all is well: `doctor`, `events`,
`restart`. What else they say and how they fail is tested with a supervisor of few children, in tests/supervisor."""

import json
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.house import House, house

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as it:
        it.wait_until(lambda status: status["source"].get("connected"))
        yield it


def pids(demo: House) -> dict[str, int]:
    return {actor["name"]: actor["pid"] for actor in demo.status()["actors"]}


def test_doctor_finds_nothing_to_mend(demo: House) -> None:
    result = demo.run("doctor")
    assert (result.returncode, result.stderr) == (0, ""), result
    assert {line[:5] for line in result.stdout.splitlines()} == {"ok   "}


def test_events_go_on_from_a_number_until_ctrl_c(demo: House) -> None:
    with subprocess.Popen(
        demo._command("events", "--type", "game.tick", "--since", "0", "--json"),
        env=demo.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        head = demo.status()["journal"]["seq"]
        events = [json.loads(process.stdout.readline())]
        while events[-1]["seq"] <= head:
            events.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")
    assert {event["type"] for event in events} == {"game.tick"}
    assert events[0]["prev"] is None, "the first of all"
    assert [event["prev"] for event in events[1:]] == [event["seq"] for event in events[:-1]]


def test_one_actor_is_restarted_and_no_other(demo: House) -> None:
    before = pids(demo)
    result = demo.run("restart", "state")
    assert (result.returncode, result.stdout, result.stderr) == (0, "state is ready again.\n", "")
    after = pids(demo)
    assert {name for name in after if after[name] != before[name]} == {"state"}


def test_all_actors_are_restarted_and_none_has_failed(demo: House) -> None:
    before = pids(demo)
    result = demo.run("restart", timeout_s=120)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"All {len(before)} actors are ready again.\n", "")
    status = demo.wait_ready()
    assert all(actor["pid"] != before[actor["name"]] for actor in status["actors"])
    assert [actor["restarts"] for actor in status["actors"]] == [0] * len(before)
    demo.wait_until(lambda status: status["source"].get("connected"))
