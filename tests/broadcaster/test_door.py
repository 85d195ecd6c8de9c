"""The ZeroMQ door, asked by plain pyzmq as any language would."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
import zmq.auth

from actors.broadcaster.addresses import AddressError, candidates, check
from actors.core.config import BusSection
from tests.broadcaster.stage import Stage, frames, stage, tick_frame

pytestmark = pytest.mark.system

CAP_MS = 10_000  # only caps a failure


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage() as made:
        made.write(frames(3000))
        made.checkpoint()
        made.write(frames(300, first=3000))
        with made.broadcaster():
            yield made


class Sockets:
    """Makes sockets and closes them."""

    def __init__(self) -> None:
        self._context = zmq.Context()
        self._made: list[Any] = []

    def make(self, kind: int) -> Any:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, CAP_MS)
        self._made.append(socket)
        return socket

    def req(self, house: Stage) -> Any:
        socket = self.make(zmq.REQ)
        socket.connect(house.endpoint("requests"))
        return socket

    def close(self) -> None:
        for socket in self._made:
            socket.close()
        self._context.term()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    made = Sockets()
    yield made
    made.close()


def ask(socket: Any, request: Any) -> Any:
    socket.send(request if isinstance(request, bytes) else msgspec.msgpack.encode(request))
    return msgspec.msgpack.decode(socket.recv())


def test_snapshot_is_the_state_as_published(house: Stage, sockets: Sockets) -> None:
    answer = ask(sockets.req(house), {"request": "snapshot"})
    assert answer["seq"] == house.events[-1].seq
    assert answer["state"]["price"] == 1.5
    assert answer["last"] == house.memory.last
    assert answer["head"] >= answer["seq"]


@pytest.mark.parametrize("types", [None, ["game.tick"], ["player.*", "raw.*"], []])
@pytest.mark.parametrize("place", [0, 700, 2550])
def test_replay_gives_everything_in_bounded_batches(
    house: Stage, sockets: Sockets, types: list[str] | None, place: int
) -> None:
    socket = sockets.req(house)
    since, until = house.events[place].seq, house.events[-20].seq
    last: dict[str, int] = {}
    expected = []
    for event in house.events:
        wanted = types is None or any(event.type.startswith(name.rstrip("*")) for name in types)
        if since < event.seq <= until and wanted:
            expected.append((event.seq, event.type, last.get(event.type), msgspec.json.decode(event.data)))
        last[event.type] = event.seq
    at: int | None = since
    got: list[Any] = []
    while at is not None:
        answer = ask(socket, {"request": "replay", "since": at, "until": until, "types": types})
        assert len(answer["events"]) <= 1256
        got += answer["events"]
        at = answer["next"]
    assert [(event["seq"], event["type"], event["prev"], event["data"]) for event in got] == expected


def test_a_dealer_with_and_without_a_delimiter_is_answered_in_kind(house: Stage, sockets: Sockets) -> None:
    dealer = sockets.make(zmq.DEALER)
    dealer.connect(house.endpoint("requests"))
    body = msgspec.msgpack.encode({"request": "snapshot"})
    for envelope in ([], [b""], [b"id", b""], [b"via", b"id", b""]):
        dealer.send_multipart([*envelope, body])
        answered = dealer.recv_multipart()
        assert answered[:-1] == envelope
        assert "state" in msgspec.msgpack.decode(answered[-1])


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"request": "dance"}, "dance"),
        (b"\xc1\xff", "must be a msgpack map"),
        (b"", "must be a msgpack map"),
        ([1, 2], "must be a msgpack map"),
        ({"request": "replay", "since": "yesterday"}, "since"),
        ({"request": "replay", "since": -1}, "since"),
        ({"request": "replay", "since": 0, "types": "game.tick"}, "types"),
        ({"request": "replay", "since": 2**70 // 2**7}, "since"),
        ({"types": []}, "request"),
    ],
)
def test_what_is_not_understood_is_an_error(house: Stage, sockets: Sockets, request_: Any, says: str) -> None:
    assert says in ask(sockets.req(house), request_)["error"]


def test_odd_frames_never_stop_the_door(house: Stage, sockets: Sockets) -> None:
    dealer = sockets.make(zmq.DEALER)
    dealer.connect(house.endpoint("requests"))
    for odd in ([b"", b""], [b""] * 5, [b"a", b"b", b"c"], [b"\xff" * 50_000]):
        dealer.send_multipart(odd)
    assert "state" in ask(sockets.req(house), {"request": "snapshot"})


def test_events_have_the_type_as_topic_and_prev_of_their_type(house: Stage, sockets: Sockets) -> None:
    subscriber = sockets.make(zmq.SUB)
    subscriber.setsockopt(zmq.RCVTIMEO, 200)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"game.")
    subscriber.connect(house.endpoint("events"))
    last, number = house.memory.last["game.tick"], 10_000
    while True:  # until the subscription has arrived
        number += 1
        event = house.write([tick_frame(number)])[-1]
        try:
            topic, body = subscriber.recv_multipart()
            break
        except zmq.Again:
            last = event.seq
    assert topic == b"game.tick"
    envelope = msgspec.msgpack.decode(body)
    assert (envelope["seq"], envelope["prev"]) == (event.seq, last)
    assert envelope["data"] == msgspec.json.decode(event.data)
    assert set(envelope) == {"type", "ts", "gameId", "seq", "prev", "data"}
    subscriber.setsockopt(zmq.RCVTIMEO, CAP_MS)
    new = [event for event in house.write(frames(50, first=20_000)) if event.type == "game.tick"]
    received = [msgspec.msgpack.decode(subscriber.recv_multipart()[1]) for _ in new]
    assert [event["seq"] for event in received] == [event.seq for event in new]
    assert [event["prev"] for event in received] == [envelope["seq"], *[event.seq for event in new[:-1]]]


def test_numbers_beyond_64_bits_become_floats(house: Stage, sockets: Sockets) -> None:
    frame = b'42["newChatMessage",{"n":123456789012345678901234567890,"m":[-99999999999999999999]}]'
    event = next(made for made in house.write([frame]) if made.type == "raw.newChatMessage")
    socket = sockets.req(house)
    events: list[Any] = []
    while not events:
        events = ask(socket, {"request": "replay", "since": event.seq - 1})["events"]
    assert events[0]["data"]["args"][0] == {"n": 1.2345678901234568e29, "m": [-1e20]}


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:9100", "tcp://*:0", "tcp://192.168.1.5:9100", "tcp://eth0:9100"])
def test_an_address_that_others_reach_is_refused_without_keys(address: str) -> None:
    with pytest.raises(AddressError, match=r"bus\.events .* needs CURVE keys"):
        check(BusSection(events=address))
    with pytest.raises(AddressError, match=r"bus\.requests .* needs CURVE keys"):
        check(BusSection(requests=address, curve_secret_file="only-one-of-two"))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "tcp://localhost:9100", "tcp://[::1]:*", "ipc:///tmp/x"])
def test_loopback_needs_no_keys(address: str) -> None:
    check(BusSection(events=address, requests=address))


def test_a_word_that_is_no_address_is_refused() -> None:
    with pytest.raises(AddressError, match="must be tcp://HOST:PORT"):
        check(BusSection(events="9100"))


def test_a_free_port_is_asked_for_after_the_remembered_one() -> None:
    home = Path(tempfile.mkdtemp())
    (home / "endpoints").mkdir()
    (home / "endpoints" / "events").write_text("tcp://127.0.0.1:4567")
    choices = candidates(home, "events", "bus.events", "tcp://127.0.0.1:0")
    shutil.rmtree(home)
    assert choices == ["tcp://127.0.0.1:4567", "tcp://127.0.0.1:*"]


def test_with_keys_only_known_clients_get_in(sockets: Sockets) -> None:
    keys = Path(tempfile.mkdtemp(prefix="k-"))
    clients = keys / "clients"
    clients.mkdir()
    for name in ("server", "friend", "stranger"):
        zmq.auth.create_certificates(keys, name)
    shutil.copy(keys / "friend.key", clients)
    (keys / "server.key_secret").chmod(0o600)
    bus = BusSection(
        events="tcp://127.0.0.1:0", requests="tcp://0.0.0.0:0",
        curve_secret_file=str(keys / "server.key_secret"), curve_clients_dir=str(clients),
    )  # fmt: skip
    with stage(bus=bus) as house:
        house.write(frames(10))
        with house.broadcaster():
            server, _ = zmq.auth.load_certificate(keys / "server.key")
            answered = {}
            for name in ("friend", "stranger"):
                socket = sockets.make(zmq.REQ)
                socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(keys / f"{name}.key_secret")
                socket.curve_serverkey = server
                socket.connect(house.endpoint("requests"))
                socket.send(msgspec.msgpack.encode({"request": "snapshot"}))
                answered[name] = bool(socket.poll(CAP_MS if name == "friend" else 1000))
            assert answered == {"friend": True, "stranger": False}
            for door, kind in (("requests", zmq.REQ), ("events", zmq.SUB)):  # and without any key nobody
                plain = sockets.make(kind)
                plain.connect(house.endpoint(door))
                if kind == zmq.REQ:
                    plain.send(msgspec.msgpack.encode({"request": "snapshot"}))
                else:
                    plain.setsockopt(zmq.SUBSCRIBE, b"")
                    house.write(frames(5, first=10))
                assert not plain.poll(1000), door
    shutil.rmtree(keys)


def test_half_a_lock_opens_no_door(home: Path) -> None:
    for bus in (BusSection(curve_secret_file=str(home / "s")), BusSection(curve_clients_dir=str(home))):
        with pytest.raises(AddressError, match="one without the other locks nothing"):
            check(bus)
