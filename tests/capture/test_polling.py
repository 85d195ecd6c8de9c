"""Polling requests: which they are, and their packets."""

from hypothesis import given
from hypothesis import strategies as st

from actors.capture.polling import Poll, opened_sid, packets_of, poll_of

URL = "https://h/socket.io/?EIO=4&transport=polling&t=x"


def test_only_engine_io_polls_are_polls() -> None:
    assert poll_of("1", URL + "&sid=abc", "GET", 2.0) == Poll("1", URL + "&sid=abc", 2.0, "abc")
    assert poll_of("1", URL, "OPTIONS", 2.0) is None
    assert poll_of("1", "https://h/?transport=polling", "GET", 2.0) is None
    assert poll_of("1", "https://h/?EIO=4&x=transport=polling", "GET", 2.0) is None
    assert poll_of("1", "https://[bad/?EIO=4&transport=polling", "GET", 2.0) is None


def test_a_body_is_split_into_packets_and_binary_is_decoded() -> None:
    assert packets_of('40\x1e42["a"]\x1ebAAH/\x1eb!!') == [
        (1, b"40"),
        (1, b'42["a"]'),
        (2, b"\x00\x01\xff"),
        (1, b"b!!"),
    ]


def test_the_open_packet_links_the_first_request_with_the_later_ones() -> None:
    first = Poll("1", URL, 0.0, None)
    later = Poll("2", URL + "&sid=abc", 0.0, "abc")
    packets = packets_of('0{"sid":"abc","upgrades":[]}')
    assert opened_sid(packets) == "abc"
    assert first.stream_name(packets) == later.stream_name([])
    assert "abc" not in later.stream_name([])
    assert first.stream_name([(1, b"0{broken")]) != later.stream_name([])


@given(body=st.text())
def test_no_body_makes_it_fail(body: str) -> None:
    assert len(packets_of(body)) <= body.count("\x1e") + 1
