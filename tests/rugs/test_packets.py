"""Frames of both protocols, as they are on the wire, come out as packets; anything else comes out as unknown."""

import os
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.rugs.packets import (
    Ack,
    Attachment,
    Close,
    Connect,
    ConnectError,
    Disconnect,
    Event,
    Noop,
    Open,
    Packet,
    Ping,
    Pong,
    Unknown,
    Upgrade,
    parse,
    without_trace,
)
from tests.rugs.playbook import TRACE, TRACE_ID


def event(name: str, *args: Any, ack_id: int | None = None, namespace: str = "/", attachments: int = 0) -> Event:
    return Event(name=name, args=list(args), ack_id=ack_id, namespace=namespace, attachments=attachments)


@pytest.mark.parametrize(
    ("payload", "packet"),
    [
        (b'0{"sid":"x","pingInterval":25000}', Open(data={"sid": "x", "pingInterval": 25000})),
        (b"1", Close()),
        (b"2", Ping(probe=False)),
        (b"2probe", Ping(probe=True)),
        (b"3", Pong(probe=False)),
        (b"3probe", Pong(probe=True)),
        (b"5", Upgrade()),
        (b"6", Noop()),
        (b"40", Connect(namespace="/", data=None)),
        (b'40{"sid":"y"}', Connect(namespace="/", data={"sid": "y"})),
        (b'40/admin,{"token":"t"}', Connect(namespace="/admin", data={"token": "t"})),
        (b"40/admin,", Connect(namespace="/admin", data=None)),
        (b"41", Disconnect(namespace="/")),
        (b"41/admin,", Disconnect(namespace="/admin")),
        (b'42["mutedPlayers"]', event("mutedPlayers")),
        (b'42["a",{"b":1},null]', event("a", {"b": 1}, None)),
        (b'4212["ping",{"lastPing":1.5}]', event("ping", {"lastPing": 1.5}, ack_id=12)),
        (b'42/admin,7["a"]', event("a", ack_id=7, namespace="/admin")),
        (b'420["a"]', event("a", ack_id=0)),
        (b"4312[]", Ack(ack_id=12, args=[], namespace="/")),
        (b'43/admin,3[{"success":true}]', Ack(ack_id=3, args=[{"success": True}], namespace="/admin")),
        (b'44{"message":"no"}', ConnectError(namespace="/", data={"message": "no"})),
        (b'451-["a",{"_placeholder":true,"num":0}]', event("a", {"_placeholder": True, "num": 0}, attachments=1)),
        (b'462-/admin,5["b"]', Ack(ack_id=5, args=["b"], namespace="/admin", attachments=2)),
    ],
)
def test_a_text_frame_is_read_as(payload: bytes, packet: Packet) -> None:
    assert parse(payload, 1) == packet


def test_a_binary_frame_is_an_attachment() -> None:
    assert parse(b"\x00\x01\xff", 2) == Attachment(size_bytes=3)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"hello",
        b"4",
        b"47[]",
        b"42",
        b"42[]",
        b"42[1]",
        b'42{"a":1}',
        b'42["a",NaN]',
        b'42["a",1e999]',
        b'42["a"]]',
        b"43[1]",
        b'431{"a":1}',
        b"0[]",
        b"41[]",
        b'421-["a"]',
        b'42123456789012345678["a"]',
        b'42["a"' + b",[" * 5_000 + b"]" * 5_000 + b"]",
    ],
)
def test_what_is_no_packet_is_unknown_with_a_reason(payload: bytes) -> None:
    packet = parse(payload, 1)
    assert isinstance(packet, Unknown)
    assert packet.reason


def test_all_arguments_are_kept_and_the_trace_object_among_them() -> None:
    packet = parse(b'42["a",{"__trace":true,"traceparent":"00-x-y-01"},{"b":1},2]', 1)
    assert packet == event("a", {"__trace": True, "traceparent": "00-x-y-01"}, {"b": 1}, 2)


@pytest.mark.parametrize("args", [[TRACE, {"b": 1}, 2], [{"b": 1}, TRACE, 2], [{"b": 1}, 2, TRACE]])
def test_the_trace_object_is_found_wherever_it_stands(args: list[Any]) -> None:
    assert without_trace(args) == ([{"b": 1}, 2], TRACE_ID)


@pytest.mark.parametrize("parent", [None, 1, "", "00-123-456-01", f"00-{TRACE_ID.upper()}-7365549278738270-01"])
def test_a_trace_object_without_a_well_formed_id_goes_too(parent: Any) -> None:
    assert without_trace([{"__trace": True, "traceparent": parent}, 1]) == ([1], None)


def test_a_trace_object_with_further_fields_keeps_those() -> None:
    assert without_trace([{**TRACE, "amount": 1}]) == ([{"amount": 1}], TRACE_ID)


def test_an_object_that_only_speaks_of_traces_stays() -> None:
    assert without_trace([{"__trace": "yes"}, {"traceparent": "x"}]) == (
        [{"__trace": "yes"}, {"traceparent": "x"}],
        None,
    )


PIECES = [b"0", b"2", b"4", b"42", b"43", b"451-", b"/ns,", b"12", b"[", b"]", b"{", b"}", b'"', b":", b",", b"\\"]
PIECES += [b'"a"', b'"gameStateUpdate"', b"\\ud800", b"\\u0000", b"\xff", b"\x00", b"1e999", b"9" * 30, b"NaN", b"null"]
SOUP = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
MANY = 20
EXAMPLES = max(100, int(os.environ.get("FUZZ_INPUTS", "0")) // 200)  # of MANY inputs each; test_fuzz has more


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=MANY, max_size=MANY), st.integers(-1, 3))
def test_no_bytes_at_all_make_the_parser_raise(payloads: list[bytes], opcode: int) -> None:
    for payload in payloads:
        assert isinstance(parse(payload, opcode), Packet)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(SOUP, min_size=MANY, max_size=MANY))
def test_no_mixture_of_the_grammars_pieces_makes_the_parser_raise(payloads: list[bytes]) -> None:
    for payload in payloads:
        assert isinstance(parse(b"42" + payload, 1), Packet)
        assert isinstance(parse(payload, 1), Packet)


@pytest.mark.parametrize(
    "repeated",
    [b"4", b"42/", b"42/,", b'42["', b"42[", b"42[1,", b'42["\\', b'42["\\"', b"451-", b'42["\\ud800', b'42["['],
)
def test_a_megabyte_of_nonsense_takes_no_longer_than_twice_as_much_per_byte_as_a_tenth_of_it(repeated: bytes) -> None:
    def spent(size: int) -> float:
        payload = repeated[:2] + (repeated[2:] or repeated) * (size // len(repeated))
        began = time.process_time()
        parse(payload, 1)
        return time.process_time() - began

    spent(1_000)
    assert spent(1_000_000) < 20 * max(spent(100_000), 0.005)
