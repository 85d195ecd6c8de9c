"""The lossless stream under every kind of loss: a model sender and receiver, with hypothesis as the saboteur."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.core.flow import Intake, Outlet
from actors.core.messages import Position, Records


def batch(epoch: int, nack: int, after: int, upto: int, synced: int = 0) -> Records:
    return Records(epoch=epoch, nack=nack, after=after, upto=upto, synced=synced, records=[])


def test_a_batch_that_continues_is_taken_from_where_the_receiver_stands() -> None:
    intake = Intake("r", epoch=1, have=100)
    assert intake.take(batch(1, 0, 100, 200)) == 100
    assert intake.take(batch(1, 0, 150, 300)) == 200
    assert intake.have == 300


def test_a_hole_is_asked_for_once() -> None:
    intake = Intake("r", epoch=1, have=0)
    assert intake.take(batch(1, 0, 10, 20)) is None
    assert intake.nack == 1
    assert intake.take(batch(1, 0, 20, 30)) is None
    assert intake.nack == 1, "the second batch was sent before the request took effect"


def test_batches_of_another_epoch_are_dropped() -> None:
    intake = Intake("r", epoch=2, have=0)
    assert intake.take(batch(1, 0, 0, 10)) is None
    assert (intake.have, intake.stale) == (0, 1)


def test_an_empty_batch_carries_the_news_of_a_sync() -> None:
    intake = Intake("r", epoch=1, have=10)
    assert intake.take(batch(1, 0, 10, 10, synced=7)) is None
    assert (intake.synced, intake.stale, intake.nack) == (7, 0, 0)


def test_the_sender_goes_back_once_for_each_request() -> None:
    outlet = Outlet("r")
    ask = Position(receiver="r", epoch=5, nack=1, have=40, acked=30)
    assert outlet.hear(ask)
    outlet.at = 90
    assert not outlet.hear(ask)
    assert (outlet.at, outlet.acked) == (90, 30)


def test_a_position_of_a_dead_predecessor_is_passed_over() -> None:
    outlet = Outlet("r")
    outlet.hear(Position(receiver="r", epoch=5, nack=0, have=40, acked=40))
    assert not outlet.hear(Position(receiver="r", epoch=4, nack=9, have=10, acked=10))
    assert (outlet.at, outlet.acked) == (40, 40)


class World:
    """A sender with all numbers 1..total, a receiver, and a pipe between them that forgets on demand."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.outlet = Outlet("r")
        self.pipe: list[Records] = []
        self.durable: list[int] = []
        self.taken: list[int] = []
        self.epoch = 1
        self.intake = Intake("r", 1, 0)

    def send(self, size: int) -> None:
        upto = min(self.outlet.at + size, self.total)
        if self.outlet.known and upto > self.outlet.at:
            self.pipe.append(batch(self.outlet.epoch, self.outlet.nack, self.outlet.at, upto, synced=upto))
            self.outlet.at = upto

    def receive(self) -> None:
        if self.pipe:
            message = self.pipe.pop(0)
            after = self.intake.take(message)
            if after is not None:
                self.taken += range(after + 1, message.upto + 1)

    def commit(self) -> None:
        self.durable += self.taken
        self.taken = []
        self.intake.acked = self.intake.have

    def tell(self) -> None:
        self.outlet.hear(self.intake.position())

    def kill_receiver(self) -> None:
        self.epoch += 1
        self.taken = []
        self.intake = Intake("r", self.epoch, len(self.durable))

    def kill_sender(self) -> None:
        self.outlet = Outlet("r")

    def lose(self, count: int) -> None:
        del self.pipe[:count]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 7)),
        st.tuples(st.sampled_from(["receive", "commit", "tell", "kill_receiver", "kill_sender"])),
        st.tuples(st.just("lose"), st.integers(1, 4)),
    ),
    max_size=120,
)


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_whatever_is_killed_or_lost_each_number_is_durable_once_and_in_order(steps: list[tuple[Any, ...]]) -> None:
    world = World(total=40)
    for name, *arguments in steps:
        getattr(world, name)(*arguments)
    for _ in range(200):  # then peace: positions repeat, batches flow
        world.tell()
        world.send(5)
        world.receive()
        world.commit()
    assert world.durable == list(range(1, 41))
