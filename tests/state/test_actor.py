"""The state actor as a process: what it tells, answers, keeps, and how it goes on after a kill."""

import signal
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actors.core import streams
from actors.core.bus import Bus
from actors.core.checkpoints import Checkpoints
from actors.core.config import Config
from actors.core.messages import SEQ_STEP, Event, Events, LiveState, SnapshotQuery
from actors.state.actor import resume
from tests.writer.nursery import Nursery
from tests.writer.source import Source, event_batches

pytestmark = pytest.mark.system

STATE = "actors.state.actor:run"
GAME = "20251215-0123456789abcdef"
ME = "did:privy:me"


def event(number: int, kind: str, **data: Any) -> Event:
    return Event(number * SEQ_STEP, kind, 1_765_800_000_000 + number, GAME, msgspec.json.encode(data))


def tick(number: int, tick: int) -> Event:
    data = {"gameId": GAME, "tickCount": tick, "price": 1 + tick / 10, "phase": "ACTIVE", "cooldownTimer": 0}
    return event(number, "game.tick", **data)


def story() -> list[Event]:
    """A round in which we buy at tick 10, seen until tick 29; record 21 tells that an older round is over."""
    events = [tick(number, number) for number in range(1, 11)]
    events.append(event(11, "player.state", id=ME, cash=1.0, positionQty=0, avgCost=0))
    events.append(event(12, "player.state", id=ME, cash=0.5, positionQty=0.25, avgCost=2.0))
    events += [tick(number, number - 2) for number in range(13, 21)]
    events.append(event(21, "game.completed", id="older"))
    return events + [tick(number, number - 3) for number in range(22, 33)]


class Listener:
    """What web and broadcaster see of it."""

    def __init__(self, config: Config) -> None:
        self._bus = Bus(config.runtime_path)
        self._live = self._bus.inbox(streams.LIVE_STATE)
        self._queries = self._bus.dealer(streams.QUERIES)
        self.told: list[LiveState] = []

    def listen(self) -> int:
        """Take what was told; return the last number."""
        while (state := self._live.receive()) is not None:
            self.told.append(state)
        return self.told[-1].seq if self.told else -1

    def ask(self, source: Source[Events]) -> LiveState:
        """Ask as soon as state is reached: just after its restart nobody is there to take the question."""
        answers: list[LiveState | None] = [None]

        def answered() -> bool:
            answers[0] = self._queries.ask(SnapshotQuery(id="q1"), 0.5)
            return answers[0] is not None

        source.pump(answered)
        assert answers[0] is not None
        return answers[0]

    def close(self) -> None:
        self._bus.close()


@pytest.fixture
def listener(config: Config) -> Iterator[Listener]:
    listener = Listener(config)
    yield listener
    listener.close()


def data_of(state: LiveState) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(state.state)
    return data


def test_it_tells_each_change_and_answers_with_the_prices(nursery: Nursery, config: Config, listener: Listener) -> None:
    events = story()
    with Source(config.runtime_path, "state", event_batches(events[:-1])) as source:
        pid = nursery.start("state", STATE, config)
        source.pump(lambda: source.have >= source.last)
        source.extend(event_batches(events))
        source.pump(lambda: listener.listen() == events[-1].seq)
        answer = listener.ask(source)
        assert nursery.end(pid) == 0
    assert (answer.id, answer.seq, answer.first_tick) == ("q1", events[-1].seq, 1)
    assert answer.prices == [1 + number / 10 for number in range(1, 30)]
    assert answer.last == {"game.tick": answer.seq, "player.state": 12 * SEQ_STEP, "game.completed": 21 * SEQ_STEP}
    told = data_of(listener.told[-1])
    assert listener.told[-1].prices == []
    assert told == data_of(answer)
    known = {"gameId": GAME, "tick": 29, "cash": 0.5, "positionQty": 0.25, "entryTick": 10, "timeInPosition": 19}
    assert {key: told[key] for key in known} == known


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_position_and_entry_tick_survive_a_restart(
    nursery: Nursery, config: Config, listener: Listener, how: signal.Signals
) -> None:
    events = story()
    batches = event_batches(events)
    with Source(config.runtime_path, "state", batches[:21]) as source:
        pid = nursery.start("state", STATE, config)
        source.pump(lambda: source.acked >= source.last)  # a round's end is kept at once
        nursery.end(pid, how)
        source.expect()
        source.extend(batches)
        pid = nursery.start("state", STATE, config)
        source.pump(lambda: source.have >= source.last)
        answer = listener.ask(source)
        assert nursery.end(pid) == 0
    data = data_of(answer)
    assert (data["entryTick"], data["timeInPosition"], data["positionQty"]) == (10, 19, 0.25)
    assert answer.prices == [1 + number / 10 for number in range(1, 30)]
    assert resume(config.data_path / "state")[0] == source.last


def test_a_stop_keeps_what_is_synced_and_nothing_beyond(nursery: Nursery, config: Config) -> None:
    batches = event_batches(story())
    with Source(config.runtime_path, "state", batches[:5]) as source:
        pid = nursery.start("state", STATE, config)
        source.pump(lambda: source.have >= source.last)
        assert nursery.end(pid) == 0
        source.expect()
        source.batches = batches
        source.synced = batches[4].upto
        pid = nursery.start("state", STATE, config)
        source.pump(lambda: source.have >= source.last)
        assert nursery.end(pid) == 0
    have, live = resume(config.data_path / "state")
    assert (have, live.seq) == (batches[4].upto, batches[4].upto)


def test_every_event_counts_once_when_ranges_come_again(nursery: Nursery, config: Config, listener: Listener) -> None:
    spans = ((number, number * 2_000_000) for number in range(1, 401))
    gaps = [event(number, "system.gap", from_us=at, to_us=at + 1_000_000, cause="test") for number, at in spans]
    batches = event_batches(gaps)
    with Source(config.runtime_path, "state", batches) as source:
        source.skip = {batches[7].upto, batches[200].upto}
        for goal in (100, 250):
            pid = nursery.start("state", STATE, config)
            source.pump(lambda: source.have >= goal * SEQ_STEP)  # noqa: B023
            nursery.end(pid, signal.SIGKILL)
            source.expect()
        pid = nursery.start("state", STATE, config)
        source.pump(lambda: source.have >= source.last)
        assert data_of(listener.ask(source))["gaps"] == {"count": 400, "seconds": 400.0}
        assert nursery.end(pid) == 0


def test_a_snapshot_of_another_version_is_passed_over(config: Config) -> None:
    checkpoints = Checkpoints(config.data_path / "state")
    assert resume(config.data_path / "state")[0] == 0
    checkpoints.save(256, b'{"seq":256}')
    checkpoints.save(512, b'{"seq":"of another kind"}')
    checkpoints.save(768, b"\xff")
    have, live = resume(config.data_path / "state")
    assert (have, live.seq) == (256, 256)


def test_what_is_no_question_is_passed_over(nursery: Nursery, config: Config, listener: Listener) -> None:
    with Source(config.runtime_path, "state", event_batches(story())) as source:
        pid = nursery.start("state", STATE, config)
        source.pump(lambda: source.have >= source.last)
        listener._queries.socket.send(b"\xc1 no message")
        assert listener.ask(source).seq == source.last
        assert nursery.end(pid) == 0
    assert isinstance(source.batches[0], Events)
