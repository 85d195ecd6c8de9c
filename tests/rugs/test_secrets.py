"""One table of what is a credential and what is not, tried in every spelling that a page or a server may choose."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.rugs.redact import MARK, MOST_ATTACHMENTS, Redactor
from actors.rugs.scrub import scrub
from actors.rugs.secret_names import is_coin

SECRET = "Planted.Credential~9"
ADDRESS = "So11111111111111111111111111111111111111112"

HIDDEN_KEYS = (
    "token", "accessToken", "refresh_token", "id-token", "sessionToken", "privyAccessToken", "csrfToken", "apiKey",
    "x-api-key", "authorization", "auth", "cookie", "Set-Cookie", "secret", "clientSecret", "seedPhrase", "passphrase",
    "recovery phrase", "password", "userPassword", "passwd", "jwt", "privateKey", "solanaPrivateKey", "secretKey",
    "signature", "walletSignature", "signedMessage", "signed_transaction", "mnemonic", "credentials", "sessionId",
    "codeVerifier", "otp", "bearer", "deviceShare",
)  # fmt: skip
OPEN_KEYS = (
    "serverSeed", "serverSeedHash", "godCandle50xServerSeed", "clientSeed", "seed", "hash", "traceparent", "id", "sid",
    "gameId", "playerId", "username", "coinAddress", "tokenAddress", "tokenCount", "publicKey", "key", "message",
    "rugpass", "authenticated", "author", "signed", "sessions", "logoURI", "offset", "nonce", "passed", "secretary",
    "compassion", "tokenomics", "cookieClicker",
)  # fmt: skip


def spellings(name: str) -> Iterator[str]:
    """Yield a key as it may stand in JSON, between its quotes."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("-", " ").replace("_", " ").split()
    yield from (name, name.upper(), name.lower(), "".join(words), "_".join(words), "-".join(words), " ".join(words))
    yield "".join(f"\\u{ord(letter):04x}" for letter in name)
    yield name[:-1] + f"\\u{ord(name[-1]):04X}"
    yield f"\\u{ord(name[0]):04x}" + name[1:]


def escaped(text: str, times: int) -> str:
    """Return JSON text as it stands in a JSON string, so many times over."""
    for _ in range(times):
        text = json.dumps(text)
    return text


DEEP = f'[[[["{SECRET}"]]]]'
VALUES = (
    f'"{SECRET}"', f'["{SECRET}","{SECRET}"]', f'{{"value":"{SECRET}","n":[{{"d":"{SECRET}"}}]}}', DEEP,
    f'{{"type":"Buffer","data":["{SECRET}",1,2]}}', f'"a\\"b\\\\{SECRET}\\/c\\n"', f'"\\u0041{SECRET}"',
)  # fmt: skip


def messages(key: str, value: str) -> Iterator[tuple[str, str]]:
    """Yield messages with a field, and the same with its value hidden."""
    marked = f'"{MARK}"'
    field, clean = f'{{"a":1,"{key}" : {value} , "z":[2]}}', f'{{"a":1,"{key}" : {marked} , "z":[2]}}'
    for body, expected in (
        (field, clean),
        (f"[{field},{field}]", f"[{clean},{clean}]"),
        (f'{{"x":{{"y":{field}}}}}', f'{{"x":{{"y":{clean}}}}}'),
    ):
        for head in (
            '42["ev",',
            '42/ns,7["ev",',
            '43/ns,7["ev",',
            '44["ev",',
            '\ufeff 42["ev",',
            '["jsonrpc",',
            '2\x1e42["ev",',
        ):
            yield f"{head}{body}]", f"{head}{expected}]"
    for times in (1, 2, 3):
        yield f'42["ev",{escaped(field, times)}]', f'42["ev",{escaped(clean, times)}]'


def redact(text: str, *, opcode: int = 1) -> str:
    redactor = Redactor()
    redactor.clean(True, 1, b'42/ns,7["open request"]')
    return redactor.clean(False, opcode, text.encode())[0].decode()


@pytest.mark.parametrize("name", HIDDEN_KEYS)
def test_the_values_of_secret_keys_are_hidden_in_every_spelling_and_nothing_else_is_touched(name: str) -> None:
    for key in spellings(name):
        for value in VALUES:
            for message, expected in messages(key, value):
                assert redact(message) == expected


@pytest.mark.parametrize("name", OPEN_KEYS)
def test_what_is_no_secret_stays_in_every_spelling(name: str) -> None:
    for key in spellings(name):
        for value in VALUES:
            for message, _ in messages(key, value):
                assert redact(message) == message


@pytest.mark.parametrize("key", ["token", "accessToken", "apiKey"])
def test_binary_messages_and_quotes_written_as_unicode_escapes_are_read_too(key: str) -> None:
    body = f'\x00\x81{{"{key}":"{SECRET}","list":["{SECRET}"]}}\x07\x01'
    covered = redact(body, opcode=2)
    assert (len(covered), covered.count(SECRET)) == (len(body), 1)
    for quote in ("\\u0022", "\\\\u0022", "%22", "%2522"):
        message = f'42["ev","{{{quote}{key}{quote}:{quote}{SECRET}{quote},{quote}z{quote}:1}}"]'
        assert redact(message) == message.replace(SECRET, MARK)


JWE = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXZpdml2aXZpdg.Y2lwaGVydGV4dA.dGFndGFndGFn"


def token(header: str, *parts: str) -> str:
    first = base64.urlsafe_b64encode(header.encode()).decode().rstrip("=")
    return ".".join([first, *(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)])


@pytest.mark.parametrize(
    "jwt",
    [
        JWE,
        token('{"alg":"ES256"}', '{"sub":"x"}', "signature"),
        token('{ "typ" : "JWT",\n"alg":"HS256"}', '{"sub":"x"}', "s"),
        token('{\n  "alg": "HS256"\n}', "p", "s"),
        token('{"kid":"' + "k" * 90 + '","alg":"RS256"}', "payload", ""),
    ],
)
def test_web_tokens_are_known_by_their_header_wherever_they_stand(jwt: str) -> None:
    dots = (jwt, jwt.replace(".", "\\u002e"), jwt.replace(".", "%2E"), jwt.replace(".", "%2e"), "\\u0065" + jwt[1:])
    for spelled in dots:
        for message in ('42["x","§"]', '42["x",{"a":["see §!"]}]', '43["§"]', '42["x","a\\n§\\n"]'):
            text = redact(message.replace("§", spelled))
            assert jwt[8:].split(".")[0] not in text
            assert MARK in text
            json.loads(text[2:])
    assert jwt.encode() not in Redactor().clean(False, 2, b"\x01\xd9" + jwt.encode() + b"\x00")[0]


@pytest.mark.parametrize(
    "text",
    [
        token('{"not":"a token"}', "payload", "signature"), "1.0142406628795866,1.0064", "eyJ.eyJ.eyJ", "view.eyJhbGci",
        "https://rugs.fun/games?id=20260101-aa&page=2", "please authenticate your token, signature: none",
        f"https://dex.example/?token={ADDRESS}", "1+1=2", "a bearer of news", "someone@example.com", "100% = all",
        "did:privy:cm0123456789abcdefghijkl", "0f" * 32, ADDRESS, "password = ?",
    ],
)  # fmt: skip
def test_plain_talk_numbers_and_addresses_stay(text: str) -> None:
    for message in (f'42["chat",{{"message":{json.dumps(text)}}}]', f'42["x",{json.dumps([text, text])}]'):
        assert redact(message) == message


@pytest.mark.parametrize(
    "text",
    [
        "https://h/cb?access_token=§&state=1", "/x?a=1&API-KEY=§", "#id_token=§", "grant?redirect=token=§", "token=§",
        "Authorization: Bearer §", "bearer §", "curl -H 'authorization: Basic §'", "Cookie: theme=dark; session=§",
        "wss://h/socket.io/?EIO=4&transport=polling&sid=§", "https://user:§@h/x", "sessionId%3D§", "access%5Ftoken=§",
    ],
)  # fmt: skip
def test_queries_and_headers_inside_texts_are_hidden(text: str) -> None:
    text = text.replace("§", SECRET)
    for message in (f'42["x",{{"m":{json.dumps(text)}}}]', f'42["x",{json.dumps(json.dumps([text]))}]'):
        cleaned = redact(message)
        assert SECRET not in cleaned
        assert MARK in cleaned
        json.loads(cleaned[2:])


@pytest.mark.parametrize(
    "value", ['"0xPractice"', f'"{ADDRESS}"', '"solana"', "7", "null", '""', '{"address":"x","ticker":"FREE"}', "true"]
)
def test_a_token_that_is_a_coin_is_game_data(value: str) -> None:
    for key in ("token", "quoteToken", "TOKENS"):
        message = f'42["rugRoyaleUpdate",{{"config":{{"{key}":{value},"startingBalance":100}}}}]'
        assert redact(message) == message


def test_a_coin_is_an_address_of_exactly_32_bytes() -> None:
    assert is_coin(ADDRESS.encode())
    assert not is_coin(b"z" * 44)  # 33 bytes
    assert not is_coin(b"abcdefghijkmnopqrstuvwxyzABCDEFGH")  # 25 bytes
    assert not is_coin(b"0OIl" * 10)


@pytest.mark.parametrize("head", ["40", "41", "42", "43", "44", "451-", "461-"])
@pytest.mark.parametrize("sent", [True, False])
def test_the_query_of_a_namespace_is_hidden_in_every_packet_of_either_side(head: str, sent: bool) -> None:
    for body in ('["x"]', "", '{"a":1}'):
        packet = f"{head}/ns?token={SECRET}&x={SECRET},{body}"
        cleaned = Redactor().clean(sent, 1, packet.encode())[0].decode()
        assert cleaned.startswith(f"{head}/ns?{MARK},")
        assert SECRET not in cleaned


@pytest.mark.parametrize(
    "packet",
    [
        '\ufeff42["authenticate","§"]', ' \n42["authenticate","§"]', '42["batch",["authenticate",{"x":"§"},"§"],1]',
        '42["batch",[["authenticate","§"],["x"]]]', '42["\\u0061uth\\u0065nticate","§"]', '42["AUTHENTICATE","§"]',
        '42["x","[\\"authenticate\\",\\"§\\"]"]', '23:42["authenticate","§"]', '2\x1e42["authenticate","§"]',
        '["authenticate","§"]', '42["authenticate","§', '42["authenticate",["§"',
    ],
)  # fmt: skip
def test_the_arguments_of_authenticate_are_hidden_in_whatever_they_are_wrapped(packet: str) -> None:
    cleaned, changed = Redactor().clean(True, 1, packet.replace("§", SECRET).encode())
    assert changed
    assert SECRET.encode() not in cleaned


PLACEHOLDER = '{"_placeholder":true,"num":0}'


@pytest.mark.parametrize(
    ("packet", "hidden"),
    [
        (f"46999999999-77[{PLACEHOLDER}]", 1),
        (f"46999999999-77[{','.join([PLACEHOLDER] * 5)}]", 5),
        (f"462-77[{','.join([PLACEHOLDER] * 5)}]", 2),
        (f"46999999999-77[{','.join([PLACEHOLDER] * (MOST_ATTACHMENTS + 9))}]", MOST_ATTACHMENTS),
        ("46999999999-77[]", 0),
        ("465-77[1,2,3,4,5]", 0),
        (f'455-["event",{PLACEHOLDER}]', 0),
        (f"435-77[{PLACEHOLDER}]", 0),
    ],
)
def test_a_packet_hides_at_most_the_binary_messages_that_have_a_placeholder(packet: str, hidden: int) -> None:
    redactor = Redactor()
    redactor.clean(False, 1, packet.encode())
    covered = [redactor.clean(False, 2, b"data")[1] for _ in range(MOST_ATTACHMENTS + 20)]
    assert covered == [True] * hidden + [False] * (len(covered) - hidden)


def test_the_next_text_ends_what_a_packet_may_hide_and_only_in_its_direction() -> None:
    redactor = Redactor()
    redactor.clean(False, 1, f"463-77[{','.join([PLACEHOLDER] * 3)}]".encode())
    redactor.clean(True, 1, b'42["mine"]')
    assert redactor.clean(False, 2, b"data")[1]
    redactor.clean(False, 1, b"2")
    assert redactor.clean(False, 2, b"data") == (b"data", False)


RECOVERY = Path(__file__).parents[3] / "shared" / "cases" / "connection-state-recovery.jsonl"
HANDSHAKE = (
    ("received", '0{"sid":"SecretEngine","upgrades":[],"pingInterval":25000}'),
    ("sent", '40{"pid":"SecretSession","offset":"o1"}'),
    ("received", '40{"sid":"SecretSocket","pid":"SecretSession"}'),
    ("received", '42["playerUpdate",{"cash":1},"o2"]'),
)


def recovered(frames: Iterable[tuple[str, str]]) -> list[str]:
    redactor = Redactor()
    return [redactor.clean(side == "sent", 1, frame.encode())[0].decode() for side, frame in frames]


def test_ids_that_recover_a_connection_are_hidden_and_its_offsets_stay() -> None:
    assert recovered(HANDSHAKE) == [
        f'0{{"sid":"{MARK}","upgrades":[],"pingInterval":25000}}',
        f'40{{"pid":"{MARK}","offset":"{MARK}"}}',
        f'40{{"sid":"{MARK}","pid":"{MARK}"}}',
        '42["playerUpdate",{"cash":1},"o2"]',
    ]


@pytest.mark.skipif(not RECOVERY.is_file(), reason="the recorded connection is not part of the project")
def test_a_recorded_recovery_keeps_no_id_of_a_session() -> None:
    lines = [json.loads(line) for line in RECOVERY.read_text().splitlines()]
    cleaned = "".join(recovered((line["dir"], line["frame"]) for line in lines))
    assert not re.search("EngineSid0|PrivateSession0|SocketSid0", cleaned)


def plain(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_what_was_redacted_once_is_not_changed_again() -> None:
    for key in HIDDEN_KEYS:
        once = scrub(plain({key: SECRET, "t": f"?{key}={SECRET} Bearer {SECRET}"}))
        assert scrub(once) == once
