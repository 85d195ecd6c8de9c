"""Every regular expression and scanner of the product runs in linear time, each on its own worst cases at 1 MB.

The source is searched for patterns; one that has no worst case here fails, so a new one needs one. Judged by processor
time: four times the text may take some eight times as long, and 1 MB never longer than a capture may be silent.
"""

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.capture.polling import opened_sid, packets_of, poll_of
from actors.capture.socket_filter import looks_like_engine_io
from actors.core.privacy_files import KEY_BYTES
from actors.rugs.events import is_order, type_of
from actors.rugs.jsontext import Unreadable, read
from actors.rugs.packets import parse
from actors.rugs.redact import MOST_URL, Redactor, clean_url, clean_urls_in, query_value
from actors.rugs.scrub import scrub
from actors.rugs.unescape import unescaped
from actors.rugs.veil import Veil
from actors.rugs.web_tokens import web_tokens

ROOT = Path(__file__).parents[1]
SIZE = 1_000_000
MOST_S = 1.0  # of processor time; a capture that makes no progress for a second is killed
SLACK_S = 0.05  # below that, ratios are noise
MOST_RATIO = 8.0  # for four times the text; quadratic is 16
TEXT: tuple[str, ...] = (
    " ",
    "a",
    "0",
    '"',
    "\\",
    '\\"',
    ".",
    "-",
    "a.",
    "a-",
    "a a",
    "[",
    "{",
    "[ ",
    ":",
    ": ",
    "/",
    "\n",
    "=",
)
USER = "a pattern of the user, over URLs of at most MOST_URL characters"
FILES = "over names of files, which have at most 255 bytes"

# Pattern -> what repeated is worst for it. `match`: it is only ever tried at one place of a text, never searched for.
PATTERNS: dict[str, tuple[str, ...]] = {
    "actors/browser/chromium.py:NOISE": (":CONSOL", ":ERROR:dbus"),
    "actors/browser/command.py:LISTENING": ("DevTools listening on ws://127.0.0.1:1/devtools/browser", "DevTools l"),
    "actors/capture/presence.py:_pattern": (USER,),
    "actors/capture/presence.py:take": ("http",),
    "actors/pilot/actor.py:_sockets": (USER,),
    "actors/rugs/buttons.py:_PATTERNS": ("win", "side ", "side bet win", "bet-button ", "x 2"),
    "actors/rugs/buttons.py:_KIND_WORDS": ("shor", "sidebe"),
    "actors/rugs/covering.py:_ID": ("did:privy:", "did:privy:a"),
    "actors/rugs/covering.py:_ID_ESCAPED": ("\0", "d\0", "did:privy:\0", "d\0i\0d\0"),
    "actors/rugs/covering.py:_EVENT": ('42["a"', "42/", "421", '451-["'),
    "actors/rugs/covering.py:_ACK": ("43", "43/", "461-", "43["),
    "actors/rugs/covering.py:_MENTION": ("@a", "@", "a@", "@a."),
    "actors/rugs/covering.py:_WORD": ("a.", "a b", "é"),
    "actors/rugs/covering.py:_LINK": ("://", "://a", ":"),
    "actors/rugs/covering.py:_TEXTS": ('"a', '""'),
    "actors/rugs/covering.py:_NO_NAME": ("match", "1", "a", "1a"),
    "actors/rugs/covering.py:_LOOKS_LIKE_NAME": ("match", "a ", "a!"),
    "actors/rugs/events.py:_ORDER_WORDS": ("orde", "sidebe"),
    "actors/rugs/events.py:_QUESTION": ("match", "getx", "Histor", "Status"),
    "actors/rugs/jsontext.py:_STRING": ('"\\', '\\"', '"a'),
    "actors/rugs/jsontext.py:_ESCAPE": ("\\", "\\ud800", "\\ud800\\udc"),
    "actors/rugs/packets.py:_HEAD": ("42", "451-", "42/", "4511-/"),
    "actors/rugs/packets.py:_NAME": ("match", "[ ", '["a'),
    "actors/rugs/packets.py:_TRACE_PARENT": ("00-", "0" * 32, "00-" + "0" * 32 + "-"),
    "actors/rugs/player_keys.py:PLAYER": ('"avatar', '"wallet', '"id" ', '"player'),
    "actors/rugs/player_keys.py:COIN": ('"ticke', '"addres'),
    "actors/rugs/recordings.py:_STAMP": ('timestamp"', 'timestamp" ', 'timestamp":1'),
    "actors/rugs/recordings.py:_NAMED_DATE": ("20", "2025-", "2025-12-"),
    "actors/rugs/recordings.py:_GAME_DATE": ('gameId"', 'gameId" ', 'gameId":"20'),
    "actors/rugs/redact.py:_YEAST": ("match", "a.", "a", "1.1"),
    "actors/rugs/redact.py:_PATH_FIELD": (";", ";a", ";a=", "a;"),
    "actors/rugs/redact.py:_IGNORED": ("match", " ", "\0", "\ufeff"),
    "actors/rugs/redact.py:_HEAD": ("42", "451-", "42/", "45111111-/"),
    "actors/rugs/redact.py:_NAME": ("match", '["a', '["\\', "[ "),
    "actors/rugs/redact.py:_PLACEHOLDER": ('"_placeholder"', '"_placeholder" ', '"_placeholder":tru'),
    "actors/rugs/redact.py:_TRACEPARENT": ("00-", "0" * 32),
    "actors/rugs/redact.py:_URL": ("a", "a:", "a://", "a://a ", "ws://a"),
    "actors/rugs/scrub.py:_FIRST": ("[", '["', "[ ", '["a'),
    "actors/rugs/scrub.py:_COIN_KEY": ('"address', '"ticker"', '"address\x0f'),
    "actors/rugs/scrub.py:_FIELD": ("token=", "a", "a=", "[", "a%", "token"),
    "actors/rugs/scrub.py:_FIELD_VALUE": ("match", "a", "&", "="),
    "actors/rugs/scrub.py:_BEARER": ("bearer", "bearer ", "bearer a", "bearer aaaaa "),
    "actors/rugs/scrub.py:_HEADER": ("cookie", "cookie ", "cookie:", "authorization: "),
    "actors/rugs/scrub.py:_USER": ("://", "://a", "://a:", "a:b@"),
    "actors/rugs/secret_names.py:_JWT_NAME": ("match", "a", "jw"),
    "actors/rugs/secret_names.py:_TOKEN_OF": ("acces", "sessio", "secre"),
    "actors/rugs/secret_names.py:_COIN": ("match", "0x", "SO"),
    "actors/rugs/spans.py:_CLOSING": ("a", "\x01"),
    "actors/rugs/spans.py:_TOKENS": (
        "match",
        "[a",
        '["',
        "[[]",
        '[""',
        "{}",
        '"[',
        "\x0f",
        "[\x0f",
        "\x01[",
        '[{"a":1}',
    ),
    "actors/rugs/spans.py:_SCALAR": ("match", "a", "1"),
    "actors/rugs/spans.py:_BETWEEN": ("match", " ", ",", "\0"),
    "actors/rugs/spans.py:KEY": ('"a', '" ', '"\0', '"a":', '"" ', "\x01a\x01 ", '"\x01'),
    "actors/rugs/spans.py:PLAIN_KEY": ('"a', '" ', '"a":', '"" '),
    "actors/rugs/spans.py:COLON": ("match", '" ', '"\0', '":'),
    "actors/rugs/stored.py:FILE_NAME": ("match", "0" * 16 + "-"),
    "actors/rugs/unescape.py:_ESCAPE": ("\\", "\\u", "\\u0041", "%", "%25", "%41"),
    "actors/rugs/veil.py:_LOGIN": ("42", '42["authenticate"', "421"),
    "actors/rugs/veil.py:_ID": ("did:privy:", "did:privy:a"),
    "actors/rugs/web_tokens.py:_DOTTED": ("eyJ", "eyJ.", "a", "aaaaaaaaaa.", "a\0", "a" * 12 + ". ", "-."),
    "actors/rugs/web_tokens.py:_BEGINS": ("e", "ey", "eyJ", "ewo"),
    "actors/rugs/web_tokens.py:_NAMES": ("ImFsZ", "JhbGc", "iYWxn"),
    "actors/writer/reading.py:_ESCAPED": ("\\", "\\x", "\\\\x", "\\x4"),
    "supervisor/checks.py:_site": (USER,),
    "supervisor/commands_rebuild.py:_date": ("match", "1", "1-"),
    "supervisor/logs.py:STAMP": ("2025-01-01 00:00:00.000", "1"),
    "supervisor/relay.py:LINE": ("match", "2025-01-01 00:00:00.000Z INFO ", "a"),
    "supervisor/salvage.py:places": ("match", "data_dir ", "data_dir"),
    "supervisor/settings.py:_WHERE": ("data_dir", "data_dir ", "runtime_dir stands"),
    "actors/browser/profile.py:_TABS": ("match", "Session_", "1"),
    "actors/browser/profile.py:_LOCK_CONTENT": ("match", "1", "\n"),
    "actors/capture/socket_filter.py:_ENGINE_IO": ("match", "0{", "b", "2probe"),
    "actors/capture/socket_filter.py:_pattern": (USER,),
    "actors/core/checkpoints.py:_NAME": ("match", "1"),
    "actors/core/endpoints.py:_NAME": ("match", "a-"),
    "actors/core/endpoints.py:_URL": ("match", "a", "a://"),
    "actors/core/export_folder.py:NAME": ("match", "0"),
    "actors/core/export_folder.py:parts": (FILES,),
    "actors/core/files.py:partial_of": (FILES,),
    "actors/core/printable.py:_CONTROL": ("\x1b", "a", "\u202e"),
    "actors/core/printable.py:_CONTROL_BUT_LINES": ("\x1b", "a", "\u202e"),
    "actors/core/recording_id.py:_ID": ("match", "0"),
    "actors/core/segments.py:SEGMENT_NAME": ("match", "0"),
    "actors/journal/admission.py:_pattern": (USER,),
    "actors/writer/flush.py:_STAGED_NAME": ("match", "a_", "a-1", "-2025"),
    "actors/writer/placing.py:_OURS": ("match", "a_", "a-1", "-2025"),
    "actors/writer/swap.py:_FOLDER": ("match", "a_", "merge.", "."),
    "supervisor/checks.py:_VARIABLE": ("$", "a"),
    "supervisor/checks.py:_ORIGIN": ("match", "a", "a://", "a."),
    "supervisor/data_query.py:_bare": ("a ", "a", "Error: "),
    "supervisor/strangers.py:ours": (FILES,),
    "supervisor/strangers.py:_names": (FILES,),
    "web/logs.py:_WHOLE": ("match", "1"),
    "vectra_player/entry.py:_NAMED": ("../", "../actors", "actors\r", "\n"),
    "web/api.py:GAME_ID": ("match", "a", "a-"),
    "web/api.py:number": ("match", "1"),
    "web/archive.py:NAME": ("match", "1", "1-"),
    "web/logs.py:STAMPED": ("match", "2025-01-01 00:00:00.000 ", "a", "A "),
    "web/logs.py:NAME": ("match", "a-"),
    "web/pages.py:games": ("match", "a", "a-"),
    "web/register.py:NAME": ("match", "1", "1-"),
    "web/round_rows.py:NAME": ("match", "1", "1-"),
}
OTHER_ENGINES = {
    "web/export.py:match_substring_regex": "RE2, linear by construction, over the texts of an export",
    "web/register.py:replace_substring_regex": "RE2, linear by construction, over game ids",
}


class Call:
    """A call of `re` in the source: where, its name in the table, its pattern where that is a literal."""

    def __init__(self, path: Path, name: str, node: ast.Call) -> None:
        self.path = path
        self.key = f"{path.relative_to(ROOT)}:{name}"
        self.node = node

    def patterns(self) -> list[re.Pattern[Any]]:
        """Return what is compiled there."""
        module = importlib.import_module(".".join(self.path.relative_to(ROOT).with_suffix("").parts))
        value = getattr(module, self.key.partition(":")[2], None)
        if isinstance(value, re.Pattern):
            return [value]
        if isinstance(value, list | tuple):
            flat = [one for item in value for one in (item if isinstance(item, tuple) else (item,))]
            return [one for one in flat if isinstance(one, re.Pattern)]
        if isinstance(self.node.args[0], ast.Constant):
            return [re.compile(self.node.args[0].value)]
        return []


def calls() -> Iterator[Call]:
    """Yield every call of `re` in the product."""
    for folder in ("actors", "supervisor", "web", "vectra_player"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from _calls(path, ast.parse(path.read_text()), "")


def _calls(path: Path, node: ast.AST, name: str) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = child.name
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            target = child.targets[0] if isinstance(child, ast.Assign) else child.target
            own = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
            inner = own if _has_compile(child) or not name else name
        if _is_of_re(child) and child.func.attr != "escape":  # type: ignore[attr-defined]
            yield Call(path, inner, child)  # type: ignore[arg-type]
        yield from _calls(path, child, inner)


def _is_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
    )


def _has_compile(node: ast.AST) -> bool:
    return any(_is_of_re(one) and one.func.attr == "compile" for one in ast.walk(node))  # type: ignore[attr-defined]


CALLS = list(calls())


def test_every_pattern_has_its_worst_case_and_no_worst_case_is_left_over() -> None:
    assert sorted({call.key for call in CALLS}) == sorted(PATTERNS)


def test_no_pattern_hides_from_the_search() -> None:
    """`re` is called by its name, and other engines are named."""
    others = set()
    for folder in ("actors", "supervisor", "web", "vectra_player"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    assert not any(one.name == "re" and one.asname for one in node.names), path
                    assert not any(one.name in ("regex", "fnmatch") for one in node.names), path
                elif isinstance(node, ast.ImportFrom):
                    assert node.module not in ("re", "fnmatch", "regex"), path
                elif isinstance(node, ast.Attribute) and re.search("regexp?(_|$)", node.attr):
                    others.add(f"{path.relative_to(ROOT)}:{node.attr}")
    assert others == set(OTHER_ENGINES)


def took_s(run: Callable[[Any], object], text: str | bytes) -> float:
    began_s = time.thread_time()
    run(text)
    return time.thread_time() - began_s


def is_linear(run: Callable[[Any], object], text: str | bytes) -> str | None:
    """Return what is wrong, None where nothing is. A look that was disturbed is taken again."""
    why = None
    for _ in range(3):
        for part in (64, 16, 4):  # what is quadratic is found before it takes minutes
            smaller, larger = text[: len(text) // part], text[: len(text) // part * 4]
            smaller_s, larger_s = took_s(run, smaller), took_s(run, larger)
            if larger_s > MOST_S or larger_s > MOST_RATIO * smaller_s + SLACK_S:
                why = f"{len(smaller)} take {smaller_s:.3f} s, {len(larger)} take {larger_s:.3f} s"
                break
        else:
            return None
    return why


def repeated(worst: str, size: int) -> str:
    return worst * (size // len(worst))


@pytest.mark.parametrize("key", [key for key, worst in PATTERNS.items() if not {USER, FILES} & set(worst)])
def test_a_pattern_is_linear_on_its_worst_cases(key: str) -> None:
    patterns = [pattern for call in CALLS if call.key == key for pattern in call.patterns()]
    worst = [one for one in PATTERNS[key] if one != "match"]
    for pattern in dict.fromkeys(patterns):
        way = (
            pattern.match if "match" in PATTERNS[key] else lambda text, its=pattern: sum(1 for _ in its.finditer(text))
        )
        for one, size in [*((one, SIZE) for one in worst), *((one, SIZE // 20) for one in TEXT)]:
            text = f'"{repeated(one, size)}!'
            wrong = is_linear(way, text.encode() if isinstance(pattern.pattern, bytes) else text)
            assert wrong is None, f"{key} on {one!r}: {wrong}"
    assert patterns or key == "supervisor/salvage.py:places"


WORST = (
    "eyJ", "eyJ.", "eyJhbGciOiJIUzI1NiJ9.a.b ", "JhbGciaaaaaaaaaaa.", "eyJhbGciOi.", '"', "\\", '\\"', "\\\\",
    "\\u0074",
    "\\u0022", "%22", "%25", '\\n\\"\\\\', '"a":', '"token":"x",', '"token":[', '"token":{', '"secret":{"a":',
    '"token":["So11111111111111111111111111111111111111112",', '["authenticate",', '[["authenticate"]],', "[ ", "[",
    "token=", "a=", "token=a&", "bearer ", "bearer aaaaaa", "authorization:", "cookie: =", "cookie" + " " * 50, "://",
    "://a:b@", " ", '"a"' + " " * 500, "\x1e", "42[\x1e", "\x00", "\x01", "did:privy:a", "did\\u003aprivy\\u003a", "@a",
    '"username":"a",', '"name":', '"name":"a",', '"players":{"a":{', '"players":["a",', '"message":"a@b ', "://a/b ",
    '"id":"did:privy:a",', '{"_placeholder":true,"num":0},', '\\"token\\":\\"a\\",', "\\" * 63 + '"', "é", "[[]],",
    '"token":{' + " " * 5000, '["a",', '"a",', "a.b-", "1,", '{"a":1},', "%65%79%4a",
    '"token":{"address":1,"a":', '"username":[', '"x":[{"token":[', '"content":{', '{"name":', '"content":{"name":',
)  # fmt: skip
HEADS = ('42["x",', "42/", '42["authenticate",', "431", "46999-7[", "40{", "0{", '42["newChatMessage",{"message":"')


def _parsed(text: bytes) -> object:
    try:
        return parse(text), read(text)
    except Unreadable as why:
        return why


def _veiled(text: bytes) -> object:
    return Redactor(veil=Veil(b"k" * KEY_BYTES)).clean(False, 1, text, own_stream=True)


SCANNERS: dict[str, Callable[[bytes], object]] = {
    "sent text": lambda text: Redactor().clean(True, 1, text),
    "received text": lambda text: Redactor().clean(False, 1, text),
    "binary": lambda text: Redactor().clean(False, 2, text),
    "pseudonyms": _veiled,
    "scrub": scrub,
    "unescape": unescaped,
    "web tokens": lambda text: list(web_tokens(text)),
    "parse": _parsed,
}
TEXT_SCANNERS: dict[str, Callable[[str], object]] = {
    "form of a frame": looks_like_engine_io,
    "url": clean_url,
    "urls in an error": clean_urls_in,
    "field of a query": lambda text: query_value(f"http://h/?{text}", "sid"),
    "poll": lambda text: poll_of("1", f"http://h/?EIO=4&transport=polling&{text}", "GET", 0.0),
    "body of a poll": lambda text: opened_sid(packets_of(text)),
    "type of an event": lambda text: (type_of(text), is_order(text, has_ack_id=True)),
}


@pytest.mark.parametrize("name", SCANNERS)
def test_a_scanner_is_linear_whatever_repeats(name: str) -> None:
    for worst in WORST:
        wrong = is_linear(SCANNERS[name], repeated(worst, SIZE).encode())
        assert wrong is None, f"{name} on {worst[:40]!r}…: {wrong}"


@pytest.mark.parametrize("head", HEADS)
def test_a_packet_is_read_in_linear_time_whatever_repeats_behind_its_head(head: str) -> None:
    for name in ("sent text", "received text", "pseudonyms", "parse"):
        for worst in WORST:
            wrong = is_linear(SCANNERS[name], (head + repeated(worst, SIZE // 10)).encode())
            assert wrong is None, f"{name} on {head}{worst[:40]!r}…: {wrong}"


@pytest.mark.parametrize("name", TEXT_SCANNERS)
def test_a_scanner_of_urls_and_bodies_is_linear_whatever_repeats(name: str) -> None:
    for worst in (
        *WORST,
        "a",
        "a:",
        "?",
        "&",
        "?a=&",
        ";",
        ";a=",
        "http://",
        "http://;a=b",
        "http://;=",
        "@",
        "#",
        "sid=",
    ):
        wrong = is_linear(TEXT_SCANNERS[name], repeated(worst, SIZE))
        assert wrong is None, f"{name} on {worst[:40]!r}…: {wrong}"


def test_patterns_of_the_user_see_short_urls_only() -> None:
    for url in ("wss://rugs.fun/socket.io/?" + "a" * SIZE, "wss://" + "a." * SIZE, "wss://h/" + "token=" * SIZE):
        assert len(clean_url(url)) <= MOST_URL + len("=[redacted]")
