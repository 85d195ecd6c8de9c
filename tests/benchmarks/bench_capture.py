"""What a capture does with a frame, beside the bare reading of Chromium's message.

Run it with `python tests/benchmarks/bench_capture.py`.

CDP messages are made from ticks, full snapshots and small requests. Prints microseconds a frame for the bare control,
`msgspec.json.decode` of the message and its payload's bytes, for the redactor alone, and for the capture's whole way
(decode, stream, redact, item, ring), of the game's socket and of one that does not count; the fastest of interleaved
turns, by processor time.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.bench_normalize import player_frames, snapshots, ticks
from tests.benchmarks.workloads import capture_turn, cdp_frame, foreign_turn, redact_turn, seconds_of

TURNS = 15


def bare_turn(payloads: list[bytes]) -> Callable[[], None]:
    """The control: a message's JSON, its payload as bytes, kept in a list."""
    messages = [cdp_frame(one, 20.0 + at / 100) for at, one in enumerate(payloads)]
    decode = msgspec.json.Decoder().decode

    def turn() -> None:
        kept = []
        for message in messages:
            kept.append(decode(message)["params"]["response"]["payloadData"].encode())

    return turn


def compare(name: str, texts: list[str]) -> None:
    """Print one kind of frame."""
    payloads = [text.encode() for text in texts]
    work = [bare_turn(payloads), redact_turn(payloads), capture_turn(payloads), foreign_turn(payloads)]
    best = [min(times) for times in zip(*([seconds_of(one) for one in work] for _ in range(TURNS)), strict=True)]
    bare_us, redact_us, game_us, foreign_us = (seconds / len(payloads) * 1e6 for seconds in best)
    size = sum(map(len, payloads)) / len(payloads) / 1000
    print(
        f"{name:14} {size:7.1f} KB  bare {bare_us:7.1f} us  redactor {redact_us:6.1f} us  capture {game_us:7.1f} us"
        f"  = {game_us / bare_us:4.2f} x bare, {1e6 / game_us:8,.0f} frames/s; foreign socket {foreign_us:7.1f} us"
    )


if __name__ == "__main__":
    compare("ticks", ticks() * 3)
    compare("snapshots", snapshots())
    compare("small updates", [frame.replace('"entries": 5000', '"entries": 1')[:400] for frame in player_frames()] * 3)
