"""Lines of recordings that other programs made, as frames. Pure. Rows of tables: `tables.py`.

In: one line of a JSONL file, in one of three forms: `{"t", "dir", "frame"}` with the frame's exact text, and the older
`{seq, ts, event, data}` and `{timestamp, event_type, data}`, where only an event's name and content were kept: the
frame is written anew then. Out: time, direction and text; `BadLine` says what a line lacks. Times are Unix seconds,
milliseconds, microseconds, nanoseconds or ISO 8601 (UTC where no zone is told); a small number counts seconds from an
unknown beginning, which `beginning_us` finds out.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from actors.rugs.jsontext import Unreadable, read
from actors.rugs.packets import TEXT, without_trace

RELATIVE_BELOW: Final = 100_000_000
"""Seconds; as a Unix time that is 1973."""
LOOKED_AT: Final = 2000
"""Lines of a recording in which its beginning is looked for."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SENT: Final = frozenset({"sent", "out", "outgoing", "client", "send"})
TIMES: Final = ("t", "ts", "timestamp", "time")
_NAMES: Final = ("event", "event_type", "type", "name")
_STAMP: Final = re.compile(rb'timestamp"\s*:\s*([0-9]{13})(?![0-9])')
_NAMED_DATE: Final = re.compile(r"(20\d\d)-?([01]\d)-?([0-3]\d)(?!\d)")
_GAME_DATE: Final = re.compile(rb'gameId"\s*:\s*"(20[0-9]{6})-')
_FIRST_US: Final = 1_420_070_400_000_000
_END_US: Final = 4_102_444_800_000_000
"""The years 2015 and 2100. Outside of them nobody recorded the game, however the time is written; the first one is also
late enough to find out a number in another unit than its size tells: the year 9999 in seconds looks like 1978 in ms."""
MOST_VALUES: Final = 2_000_000
"""Of one line or frame; a value takes some 100 bytes decoded, and the largest known frames have 50,000."""


class BadLine(ValueError):
    """A line tells of no frame; the message says why."""


class Recorded(Struct, frozen=True, kw_only=True):
    """One frame of a recording."""

    at_us: int  # Unix microseconds, or since the recording's beginning
    is_relative: bool
    sent: bool
    payload: bytes
    opcode: int = TEXT
    is_restored: bool = False  # made of a typed row: it counts only where it brings a row that is not there


def read_line(line: bytes) -> Recorded:
    """Return the frame of a line. BadLine: it has none."""
    try:
        told = read(line)
    except Unreadable as error:
        raise BadLine(f"is no JSON: {error}") from None
    if not isinstance(told, dict):
        raise BadLine(f"is {type(told).__name__}, must be an object")
    at_us, is_relative = time_of(next((told[name] for name in TIMES if told.get(name) is not None), None))
    sent = is_sent(told.get("dir", told.get("direction", "")))
    return Recorded(at_us=at_us, is_relative=is_relative, sent=sent, payload=_payload(told))


def check_values(text: bytes) -> None:
    """BadLine where a JSON text would become more than `MOST_VALUES` values: memory of gigabytes, out of few bytes."""
    if len(text) > MOST_VALUES and text.count(b",") + text.count(b"[") + text.count(b"{") > MOST_VALUES:
        raise BadLine(f"holds more than {MOST_VALUES:,} values")


def check_time(at_us: int) -> int:
    """Return a Unix time in microseconds. BadLine: it lies before 2015 or after 2099."""
    if not _FIRST_US <= at_us < _END_US:
        raise BadLine(f"has the time {_shown(at_us)}, must be from 2015 to 2099")
    return at_us


def is_sent(direction: Any) -> bool:
    """Say whether a word for a direction means from the page to the game."""
    return str(direction).lower() in _SENT


def beginning_us(recorded: Iterable[Recorded | None], name: str) -> int | None:
    """Return when a recording began whose times count from 0; None where nothing tells.

    The game's own times in its first frames tell it to a second, since nothing arrives before it happened. Else the
    date in the file's name, or in the first game id, stands for midnight UTC. name: the file's.
    """
    latest: float | None = None
    game_date: bytes | None = None
    for _, frame in zip(range(LOOKED_AT), recorded, strict=False):
        if frame is None:
            continue
        for found in _STAMP.finditer(frame.payload):
            stamp_us = int(found[1]) * 1000
            if _FIRST_US <= stamp_us < _END_US:
                latest = max(latest or 0, stamp_us - frame.at_us)
        game_date = game_date or ((date := _GAME_DATE.search(frame.payload)) and date[1])
    if latest is not None:
        return int(latest)
    dated = _NAMED_DATE.search(name) or (_NAMED_DATE.search(game_date.decode()) if game_date else None)
    try:
        return check_time(time_us("-".join(dated.groups()))) if dated else None
    except ValueError:
        return None


def time_us(text: str) -> int:
    """Return an ISO 8601 time as Unix microseconds, UTC where it tells no zone. ValueError: it is none."""
    moment = datetime.fromisoformat(text)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return since // _MICROSECOND


def time_of(value: Any) -> tuple[int, bool]:
    """Return a time in microseconds, and whether it counts from the recording's beginning. BadLine: it is none."""
    if isinstance(value, str):
        try:
            at_us = time_us(value)
        except (ValueError, OverflowError):
            raise BadLine(f"has the time {value[:40]!r}, must be a number or ISO 8601") from None
        return check_time(at_us), False
    if value is None:
        raise BadLine(f"has no time in any of {', '.join(TIMES)}")
    if type(value) not in (int, float) or not 0 <= value < 1e19:
        raise BadLine(f"has the time {str(value)[:40]}, must be a number or ISO 8601")
    scale = 1_000_000 if value < 1e11 else 1000 if value < 1e14 else 1 if value < 1e18 else 0.001
    at_us = round(value * scale) if scale >= 1 else int(value) // 1000
    if value < RELATIVE_BELOW:
        return at_us, True
    return check_time(at_us), False


def _shown(at_us: int) -> str:
    try:
        return (_EPOCH + at_us * _MICROSECOND).isoformat(sep=" ")
    except OverflowError:
        return f"{at_us / 1e6:.0f} (Unix seconds)"


def _payload(told: dict[str, Any]) -> bytes:
    frame = told.get("frame")
    if isinstance(frame, str):
        return frame.encode("utf-8", "surrogatepass")
    if frame is not None:
        raise BadLine(f"has a frame that is {type(frame).__name__}, must be text")
    name = next((told[key] for key in _NAMES if isinstance(told.get(key), str)), None)
    if not name:
        raise BadLine("has neither a frame nor an event")
    return written_anew(name, told.get("data"))


def written_anew(name: str, data: Any) -> bytes:
    """Return the frame of an event of which only name and content were kept."""
    if name == "connect":  # of the recording's client library, no event of the game
        return b"40" + (msgspec.json.encode(data) if isinstance(data, dict) else b"")
    if name == "disconnect":
        return b"41"
    return b"42" + msgspec.json.encode([name, *_arguments(data)])


def _arguments(data: Any) -> list[Any]:
    """Return an event's arguments: a list that begins with the trace object is all of them, anything else the one."""
    if isinstance(data, list) and data and without_trace(data)[0] != data:
        return data
    return [] if data is None else [data]
