"""A recording goes through the server to the byte, in its order and at its pace."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors.core.config import Simulator
from actors.simulator.replay import delay_s, read_recording
from actors.simulator.server import SimulatorServer

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
LIMIT_S = 20.0
RECORDINGS = ["2025-12-06-anonymous.jsonl.gz", "2025-12-14-anonymous.jsonl.gz", "2026-02-06-samples.jsonl.gz"]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def received(frame: str, t: float = 0.0) -> dict[str, Any]:
    return {"t": t, "dir": "received", "frame": frame}


async def replayed(path: Path, count: int, speed: float = 0) -> tuple[list[str], list[float]]:
    """Return the first `count` frames that a client gets of a replay, and when."""
    frames: list[str] = []
    times: list[float] = []
    async with SimulatorServer(Simulator(replay=str(path), replay_speed=speed)) as server:
        url = f"{server.url}socket.io/?EIO=4&transport=websocket&frontend-version=1.0"
        async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
            await socket.receive_str(timeout=LIMIT_S)
            await socket.send_str("40")
            await socket.receive_str(timeout=LIMIT_S)
            while len(frames) < count:
                frames.append(await socket.receive_str(timeout=LIMIT_S))
                times.append(asyncio.get_running_loop().time())
            await socket.send_str('421["ping",{"lastPing":1}]')  # the server is up still, and silent but for answers
            assert await socket.receive_str(timeout=LIMIT_S) == "431[]"
    return frames, times


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.skipif(not CAPTURES.exists(), reason="no recorded sessions at ../shared/captures")
def test_a_real_session_arrives_byte_for_byte(name: str) -> None:
    with gzip.open(CAPTURES / name, "rt") as lines:
        expected = [json.loads(line)["frame"] for line in lines]
    frames, _ = asyncio.run(replayed(CAPTURES / name, len(expected)))
    assert frames == expected


def test_only_received_events_and_acknowledgements_are_replayed(tmp_path: Path) -> None:
    lines = [
        received('0{"sid":"x"}'),
        received('40{"sid":"x"}'),
        received('42["one", 1.0]'),
        {"t": 0, "dir": "sent", "frame": '42["buyOrder",{}]'},
        received("2"),
        received("43[]", 1) | {"extra": {"ignored": True}},
        received("41"),
        received('451-["binary",{"_placeholder":true,"num":0}]'),
        received('42["\\u00e9 é"]', 2),
    ]
    path = write(tmp_path / "session.jsonl.gz", lines)
    assert [recorded.frame for recorded in read_recording(path)] == ['42["one", 1.0]', "43[]", '42["\\u00e9 é"]']
    frames, _ = asyncio.run(replayed(path, 3))
    assert frames == ['42["one", 1.0]', "43[]", '42["\\u00e9 é"]']


def test_a_plain_file_is_read_as_well_as_a_compressed_one(tmp_path: Path) -> None:
    path = write(tmp_path / "session.jsonl", [received('42["one"]')])
    assert [recorded.frame for recorded in read_recording(path)] == ['42["one"]']


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(json.dumps(received('42["one"]')) + "\nnonsense\n")
    with pytest.raises(ValueError, match=r"session\.jsonl:2: not a line of a recording"):
        list(read_recording(path))


def test_a_missing_recording_is_an_error_at_once(tmp_path: Path) -> None:
    async def serve() -> None:
        async with SimulatorServer(Simulator(replay=str(tmp_path / "none.jsonl.gz"))):
            pass

    with pytest.raises(FileNotFoundError):
        asyncio.run(serve())


def test_a_recordings_damage_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text("nonsense\n")

    async def serve() -> None:
        async with SimulatorServer(Simulator(replay=str(path))) as server, aiohttp.ClientSession() as session:
            url = f"{server.url}socket.io/?EIO=4&transport=websocket&frontend-version=1.0"
            async with session.ws_connect(url) as socket:
                await socket.send_str("40")
                await asyncio.wait_for(server.run_until(asyncio.Event()), LIMIT_S)

    with pytest.raises(ValueError, match="not a line of a recording"):
        asyncio.run(serve())


def test_delays_follow_the_recorded_times() -> None:
    assert delay_s(None, 5, 1) == 0
    assert delay_s(5, 7, 1) == 2
    assert delay_s(5, 7, 4) == 0.5
    assert delay_s(7, 5, 1) == 0
    assert delay_s(5, 7, 0) == 0


def test_a_replay_keeps_the_recorded_pace_times_the_factor(tmp_path: Path) -> None:
    path = write(tmp_path / "session.jsonl.gz", [received(f'42["n",{n}]', n * 0.5) for n in range(5)])
    _, times = asyncio.run(replayed(path, 5, speed=10))
    assert times[-1] - times[0] >= 0.18
