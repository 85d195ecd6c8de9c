"""The bus with real sockets: types go through, full streams say so, nonsense is counted."""

from pathlib import Path

import msgspec
import pytest
import zmq

from actors.core import messages as m
from actors.core import streams
from actors.core.bus import IPC_PATH_LIMIT, Bus, Inbox, ipc_path
from actors.core.messages import Position

EXAMPLES: list[m.Message] = [
    m.CaptureBatch(
        capture="capture-a", incarnation=1, epoch=2, nack=0, after=0, upto=2, read_until_s=1.5, attached="G",
        items=[m.Attached(1, 10, 1.0, "G"), m.FrameSeen(2, 11, 1.1, "G/T/1", True, 2, b"\x00\xff")],
    ),
    m.CapturePositions(epoch=1, positions=[m.CapturePosition(1, 0, 2, 2)]),
    m.Records(epoch=1, nack=0, after=0, upto=256, synced=0, records=[m.Frame(256, 1, "s", False, 1, b"2")]),
    m.Position(receiver="writer", epoch=1, nack=0, have=2, acked=1),
    m.Events(epoch=1, nack=0, after=0, upto=256, synced=0, events=[m.Event(256, "game.tick", 1, None, b"{}")]),
    m.Rows(epoch=1, nack=0, after=0, upto=256, synced=0, rows=[m.Row(256, "system_event", 1, None, ["gap", "{}"])]),
    m.LiveState(seq=1, last={"game.tick": 1}, state=b"{}"),
    m.SnapshotQuery(id="1"),
    m.Submit(id="1", event="recording", data=b"{}", at_us=1),
    m.Committed(id="1", seq=256),
    m.Ready(actor="writer", pid=1),
    m.Progress(actor="writer", pid=1, count=1, stats={"rows": 1}),
    m.Ask(id="1", op="status"),
    m.Answer(id="1", data=b"{}"),
]  # fmt: skip


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_every_message_survives_the_wire(message: m.Message) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=type(message)) == message


def test_every_stream_has_its_own_short_name(tmp_path: Path) -> None:
    names = [stream.name for stream in streams.ALL]
    assert len(set(names)) == len(names)
    assert all(len(str(ipc_path(Path("/r" * 30), stream))) <= IPC_PATH_LIMIT for stream in streams.ALL)


def test_push_to_nobody_is_refused_and_to_somebody_taken(tmp_path: Path) -> None:
    bus = Bus(tmp_path)
    outbox = bus.outbox(streams.ROWS)
    rows = m.Rows(epoch=1, nack=0, after=0, upto=0, synced=0, rows=[])
    assert outbox.send(rows) is False
    inbox = bus.inbox(streams.ROWS)
    assert outbox.socket.poll(2000, zmq.POLLOUT)
    assert outbox.send(rows) is True
    assert inbox.socket.poll(2000)
    assert inbox.receive() == rows
    assert inbox.receive() is None
    bus.close()


def test_nonsense_is_counted_and_passed_over(tmp_path: Path) -> None:
    bus = Bus(tmp_path)
    inbox, outbox = bus.inbox(streams.RECORD_POSITIONS), bus.outbox(streams.RECORD_POSITIONS)
    assert publish_until_heard(outbox, inbox)
    outbox.socket.send(b"\xff nonsense")
    good = Position(receiver="normalizer", epoch=9, nack=0, have=0, acked=0)
    outbox.send(good)
    assert next_of_epoch(inbox, 9) == good
    assert inbox.undecodable == 1
    bus.close()


def next_of_epoch(inbox: Inbox[Position], epoch: int) -> Position | None:
    while inbox.socket.poll(5000):
        position = inbox.receive()
        if position is not None and position.epoch == epoch:
            return position
    return None


def publish_until_heard(outbox, inbox) -> bool:
    for _ in range(200):
        outbox.send(Position(receiver="normalizer", epoch=1, nack=0, have=0, acked=0))
        if inbox.socket.poll(20):
            return True
    return False


def test_a_question_is_answered_to_who_asked(tmp_path: Path) -> None:
    bus = Bus(tmp_path)
    router, dealer = bus.router(streams.QUERIES), bus.dealer(streams.QUERIES)
    dealer.socket.send(msgspec.msgpack.encode(m.SnapshotQuery(id="7")))
    assert router.socket.poll(2000)
    asked = router.receive()
    assert asked is not None
    client, question = asked
    assert question == m.SnapshotQuery(id="7")
    assert router.send(client, m.LiveState(id="7", seq=1, last={}, state=b"{}"))
    assert dealer.socket.poll(2000)
    bus.close()
