"""The normalizer's process between a real journal and consumers that behave as they like."""

import time
from pathlib import Path
from typing import Any

import pytest

from actors.core import messages as m
from actors.core import streams
from actors.core.bus import Bus
from actors.core.config import Config, Journal
from actors.core.flow import Intake
from actors.journal.core import JournalCore
from actors.journal.store import Store
from tests.players import URL
from tests.processes import process, wait_for

pytestmark = pytest.mark.system

FRAMES = 600
TAKEN = 100
LARGE = b'42["n",{"pad":"' + b"x" * 120_000 + b'"}]'  # a message each; the pipes hold some four hundred of them


def filled(settings: Config) -> None:
    """Write a journal of large frames."""
    store = Store(settings.data_path / "journal", Journal())
    core = JournalCore(store.memory, "rugs", 1)
    core.note(1, "recording", on=True, by="test")
    items: list[m.Captured] = [m.Attached(1, 1, 0.0, "G"), m.StreamOpened(2, 1, 0.0, "G/T/1", URL, "websocket")]
    items += [m.FrameSeen(n, n, n / 100, "G/T/1", False, 1, LARGE) for n in range(3, FRAMES + 3)]
    core.take(m.CaptureBatch(capture="capture-a", incarnation=1, epoch=1, nack=0, after=0, upto=items[-1].n,
                             read_until_s=0.0, attached="G", items=items), 0.0, 0.0)  # fmt: skip
    batch = core.batch()
    assert batch is not None
    store.write(batch)
    store.sync()
    store.close()


class Consumer:
    """One receiving end, played to the letter of the flow."""

    def __init__(self, bus: Bus, name: str, stream: streams.Stream) -> None:
        self._inbox = bus.inbox(stream)
        self._positions = bus.outbox(streams.EVENT_POSITIONS)
        self._intake = Intake(name, time.monotonic_ns(), 0)
        self.taken: list[Any] = []

    def publish(self) -> None:
        self._positions.send(self._intake.position())

    def take(self, most: int) -> None:
        """Take up to `most` messages that are there."""
        for _ in range(most):
            batch = self._inbox.receive()
            if batch is None:
                break
            after = self._intake.take(batch)
            if after is not None:
                items = batch.rows if isinstance(batch, m.Rows) else batch.events
                self.taken += [item for item in items if item.seq > after]


def frames(consumer: Consumer) -> list[int]:
    """Return the numbers of the large frames that a consumer has taken."""
    return [
        item.seq
        for item in consumer.taken
        if getattr(item, "doc_type", getattr(item, "type", "")) in ("ws_event", "raw.n")
    ]


def test_a_consumer_that_took_nothing_for_a_while_goes_on_where_it_was_left(tmp_path: Path) -> None:
    settings = Config(data_dir=str(tmp_path / "d"), runtime_dir=str(tmp_path / "r"))
    filled(settings)
    bus = Bus(settings.runtime_path)
    reports = bus.inbox(streams.REPORTS)
    writer, state = Consumer(bus, "writer", streams.ROWS), Consumer(bus, "state", streams.EVENTS)
    figures: dict[str, Any] = {}

    def hear() -> dict[str, Any]:
        writer.publish()
        state.publish()
        while (report := reports.receive()) is not None:
            if isinstance(report, m.Progress) and report.actor == "normalizer":
                figures.update(report.stats)
        return figures

    def state_is_done() -> bool:
        hear()
        state.take(50)
        writer.take(TAKEN - len(frames(writer)))
        return len(frames(state)) == FRAMES and figures.get("set_aside") == ["writer"]

    def writer_is_done() -> bool:
        hear()
        state.take(50)
        writer.take(50)
        return len(frames(writer)) == FRAMES and figures["rewinds"] > rewinds and not figures["set_aside"]

    with (
        process("journal", "actors.journal.actor:run", settings),
        process("normalizer", "actors.normalizer:run", settings),
    ):
        wait_for(state_is_done, 60)
        rewinds = figures["rewinds"]
        wait_for(writer_is_done, 60)
        figures.clear()
        wait_for(hear, 10)  # the last word on what was derived
    bus.close()
    assert frames(writer) == sorted(set(frames(writer)))
    assert frames(state) == frames(writer)
    derived_again = figures["rows"] - FRAMES
    assert derived_again < FRAMES - TAKEN
