"""Secrets are out before anything leaves; everything else is exact."""

import json
import string

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.rugs.redact import MARK, Redactor, clean_url, clean_urls_in, short_hash
from actors.rugs.scrub import scrub

SECRET = "planted-Secret/9f+credential"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJkaWQ6cHJpdnk6YSJ9.c2lnbmF0dXJlLW9mLXRoaXM"
TRACE = '{"__trace":true,"traceparent":"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"}'


def clean(text: str, *, sent: bool = True, redactor: Redactor | None = None) -> tuple[str, bool]:
    payload, redacted = (redactor or Redactor()).clean(sent, 1, text.encode())
    return payload.decode(), redacted


def test_the_arguments_of_authenticate_are_hidden_but_for_the_trace_object() -> None:
    assert clean(f'42["authenticate",{TRACE},"{SECRET}",{{"a":"{SECRET}"}}]') == (
        f'42["authenticate",{TRACE},"{MARK}","{MARK}"]',
        True,
    )


@pytest.mark.parametrize(
    "packet",
    [
        '42["authenticate","§"]',
        '427["authenticate",{"token":"§"}]',
        '42/game,7["authenticate","§"]',
        '42[ "authenticate" , "§" ]',
        '42["\\u0061uthenticate","§"]',
        '42["authenticate","§"',
        '42["authenticate",{"__trace":true,"traceparent":"§"},1]',
        '42["authenticate",{"__trace":true,"traceparent":"x","token":"§"}]',
        '451-["authenticate",{"_placeholder":true,"num":0},"§"]',
        '40{"token":"§","walletAddress":"§"}',
        '40/game,{"token":"§"}',
        '40"§"',
        '40{"token":"§"',
        '40/game?token=§,{"a":"§"}',
        '42["login",{"accessToken":"§"}]',
        '42["x",{"signature":"§","message":"m"}]',
        '42["x","{\\"walletSignature\\":\\"§\\"}"]',
        '42["x",{"refresh_token" : "§"}]',
    ],
)
def test_no_secret_stays(packet: str) -> None:
    text, redacted = clean(packet.replace("§", SECRET))
    assert SECRET not in text
    assert redacted


def test_a_jwt_is_hidden_wherever_it_stands() -> None:
    for packet in (
        f'42["any",{{"x":"{JWT}"}}]',
        f'43[{{"y":"{JWT}"}}]',
        JWT,
        f'{{"jsonrpc":"2.0","params":["{JWT}"]}}',
    ):
        text, redacted = clean(packet, sent=False)
        assert JWT.split(".")[2] not in text
        assert redacted


def test_a_signature_as_bytes_is_hidden() -> None:
    assert clean('42["x",{"signature":[1,2,255]}]') == (f'42["x",{{"signature":"{MARK}"}}]', True)
    assert clean('42["x",{"signature":{"type":"Buffer","data":[1,2]}}]') == (f'42["x",{{"signature":"{MARK}"}}]', True)


def test_the_ack_of_authenticate_is_hidden_and_that_of_another_request_is_not() -> None:
    redactor = Redactor()
    clean(f'427["authenticate","{SECRET}"]', redactor=redactor)
    clean('428["buyOrder",{"amount":1}]', redactor=redactor)
    clean('427["greet"]', sent=False, redactor=redactor)
    assert clean('438[{"success":true}]', sent=False, redactor=redactor) == ('438[{"success":true}]', False)
    assert clean('437[{"mine":"x"}]', sent=True, redactor=redactor) == ('437[{"mine":"x"}]', False)
    assert clean(f'437[{{"session":"{SECRET}"}},null]', sent=False, redactor=redactor) == (
        f'437["{MARK}","{MARK}"]',
        True,
    )


@pytest.mark.parametrize("packet", ['437[{"x":"§"}]', '43/game,7["§"]', '461-7[{"_placeholder":true,"num":0},"§"]'])
def test_an_ack_whose_request_nobody_saw_is_hidden_whole(packet: str) -> None:
    redactor = Redactor()
    text, redacted = clean(packet.replace("§", SECRET), sent=False, redactor=redactor)
    assert redacted
    assert SECRET not in text
    if packet.startswith("46"):
        assert redactor.clean(False, 2, SECRET.encode()) == (MARK.encode(), True)


def test_an_empty_ack_whose_request_nobody_saw_is_exact() -> None:
    assert clean("437[]", sent=False) == ("437[]", False)


def test_an_ack_of_another_namespace_is_another_ack() -> None:
    redactor = Redactor()
    clean('42/a,1["authenticate","x"]', redactor=redactor)
    clean('421["order","x"]', redactor=redactor)
    assert clean('431["kept"]', sent=False, redactor=redactor) == ('431["kept"]', False)
    assert clean('43/a,1["hidden"]', sent=False, redactor=redactor) == (f'43/a,1["{MARK}"]', True)


def test_the_attachments_of_a_secret_are_hidden_and_the_next_binary_is_not() -> None:
    redactor = Redactor()
    clean('452-["authenticate",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', redactor=redactor)
    assert redactor.clean(False, 2, b"theirs") == (b"theirs", False)
    assert redactor.clean(True, 2, b"secret") == (MARK.encode(), True)
    assert redactor.clean(True, 2, b"secret") == (MARK.encode(), True)
    assert redactor.clean(True, 2, b"open") == (b"open", False)


def test_a_jwt_in_binary_keeps_the_lengths_around_it() -> None:
    payload = b"\x81\xa1t\xd9" + JWT.encode() + b"\x00tail"
    cleaned, redacted = Redactor().clean(True, 2, payload)
    assert redacted
    assert len(cleaned) == len(payload)
    assert JWT.encode() not in cleaned


@pytest.mark.parametrize(
    "packet",
    [
        '42["gameStateUpdate",{"gameId":"20251215-0229cacf684f458c","provablyFair":{"serverSeedHash":"'
        + "ab" * 32
        + '"}}]',
        '42["x",{"serverSeed":"' + "0f" * 32 + '","id":"did:privy:clx0123456789abcdefghij"}]',
        '42["chatMessage",{"text":"please authenticate your token, signature: none"}]',
        '421["buyOrder",' + TRACE + ',{"amount":0.001,"token":"So11111111111111111111111111111111111111112"}]',
        '42["x",{"sid":"a game\'s own","pid":7}]',
        "2probe",
        "5",
        "40",
        '{"not":"socket.io"}',
    ],
)
def test_seeds_hashes_ids_and_plain_talk_are_exact(packet: str) -> None:
    assert clean(packet) == (packet, False)


@pytest.mark.parametrize("sent", [True, False])
def test_the_ids_of_a_session_are_hidden_where_the_server_hands_them_out(sent: bool) -> None:
    opened = '0{"sid":"§","upgrades":["websocket"], "pingInterval":25000}'
    for packet in (opened, '40{"sid":"§","pid":"§"}', '40/game,{"\\u0073id":"§" , "PID":"§"}', '40{"x":{"sid":["§"]}}'):
        text, redacted = clean(packet.replace("§", SECRET), sent=sent)
        assert redacted
        assert SECRET not in text
    assert clean(opened, sent=False)[0] == opened.replace("§", MARK)


def test_a_url_keeps_what_the_protocol_needs_and_hides_the_rest() -> None:
    url = f"wss://user:pass@backend.rugs.fun/socket.io/?frontend-version=1.0&EIO=4&transport=websocket&token={SECRET}&sid=abc#{SECRET}"
    assert clean_url(url) == (
        "wss://backend.rugs.fun/socket.io/?frontend-version=1.0&EIO=4&transport=websocket"
        f"&token={MARK}&sid={short_hash('abc')}"
    )


def test_urls_without_secrets_are_exact() -> None:
    for url in ("wss://a.b/socket.io/?EIO=4&transport=polling&t=abc", "http://127.0.0.1:5000/x/y", "about:blank"):
        assert clean_url(url) == url
    assert clean_url("data:text/html,<p>secret") == "data:"
    assert clean_url(f"http://x/?{SECRET}") == f"http://x/?{MARK}"


def test_fields_in_a_path_and_a_time_stamp_that_is_none_are_hidden() -> None:
    assert clean_url(f"https://a.b/x;token={SECRET}/y;k={SECRET}?t={SECRET}") == (
        f"https://a.b/x;token={MARK};k={MARK}?t={MARK}"
    )
    for url in ("wss://a.b/socket.io/?EIO=4&t=PKXd-1a.12", "wss://a.b/socket.io/?t=1rhb7f2k"):
        assert clean_url(url) == url


def test_urls_in_error_messages_are_cleaned() -> None:
    text = clean_urls_in(f"WebSocket connection to 'wss://h/p?token={SECRET}' failed: net::ERR_FAILED")
    assert text == f"WebSocket connection to 'wss://h/p?token={MARK}' failed: net::ERR_FAILED"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(arguments=st.lists(JSON, max_size=4), ack=st.none() | st.integers(0, 10**6), space=st.sampled_from(["", "/g,"]))
def test_whatever_is_authenticated_with_only_marks_leave_and_the_rest_is_json(
    arguments: list[object], ack: int | None, space: str
) -> None:
    head = f"42{space}{'' if ack is None else ack}"
    text, _ = clean(head + json.dumps(["authenticate", *arguments]))
    assert text.startswith(head)
    assert json.loads(text[len(head) :]) == ["authenticate", *[MARK for _ in arguments]]


@settings(max_examples=150, deadline=None)
@given(
    key=st.sampled_from(["signature", "walletSignature", "accessToken", "refresh_token", "jwt", "privateKey"]),
    secret=st.text(min_size=12, max_size=60, alphabet=string.ascii_letters + string.digits + ' "\\\n\u00e9\U0001f600'),
    around=JSON,
    escape=st.booleans(),
)
def test_values_of_secret_keys_leave_marked_and_the_rest_stays_equal(
    key: str, secret: str, around: object, escape: bool
) -> None:
    body = {"a": around, key: secret, "z": around}
    cleaned = json.loads(scrub(json.dumps(body, ensure_ascii=escape).encode()))
    assert cleaned[key] == MARK
    if key not in json.dumps(around):
        assert (cleaned["a"], cleaned["z"]) == (around, around)


@settings(max_examples=150, deadline=None)
@given(payload=st.binary(max_size=200), sent=st.booleans(), opcode=st.sampled_from([1, 2]))
def test_no_message_of_any_bytes_makes_it_fail(payload: bytes, sent: bool, opcode: int) -> None:
    redactor = Redactor()
    for prefix in (b"", b"42", b'42["authenticate",', b"43", b"40", b"451-", b'40{"a":'):
        redactor.clean(sent, opcode, prefix + payload)


@settings(max_examples=100, deadline=None)
@given(body=JSON, name=st.text(max_size=12).filter(lambda name: name != "authenticate"))
def test_events_without_secret_keys_are_exact_to_the_byte(body: object, name: str) -> None:
    packet = b"42" + msgspec.json.encode([name, {"serverSeed": "00ff" * 16, "value": body}])
    lowered = packet.lower()
    if not any(
        key in lowered for key in (b"eyj", b"signature", b"token", b"jwt", b"key", b"mnemonic", b"password", b"signed")
    ):
        assert Redactor().clean(False, 1, packet) == (packet, False)


@pytest.mark.parametrize(
    "packet",
    [
        b"42" + b"9" * 25 + b'["authenticate","SECRET"]',
        b'42/ns[1],["authenticate","SECRET"]',
        b"42/" + b"n" * 300 + b',["authenticate","SECRET"]',
        b'42["order",{"signature":["SECRET","SECRET"]}]',
        b'42["order",{"privyAccessToken":"SECRET"}]',
    ],
)
def test_a_head_that_cannot_be_read_hides_everything_and_keys_may_have_prefixes(packet: bytes) -> None:
    cleaned, changed = Redactor().clean(True, 1, packet)
    assert changed
    assert b"SECRET" not in cleaned


def test_the_ack_of_an_authenticate_with_an_endless_id_is_hidden_too() -> None:
    redactor = Redactor()
    redactor.clean(True, 1, b"42" + b"9" * 25 + b'["authenticate","SECRET"]')
    assert b"SECRET" not in redactor.clean(False, 1, b"43" + b"9" * 25 + b'[{"x":"SECRET"}]')[0]
