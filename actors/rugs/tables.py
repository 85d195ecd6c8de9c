"""Rows of foreign tables as what they tell of: frames of the game, or rows about the recording itself. Pure.

In: the names of a table's columns, its doc_type where one is known, and rows as plain values. Out: for each row a frame
(`Recorded`), exact where its text was kept, else written anew from an event's name and content, or from the columns of
a typed row; rows of `player_action` and `system_event`, which are no frames, come out as rows (`Kept`). `NotUnderstood`
says what a table lacks, `BadLine` what a row lacks. Column names are compared without regard to case.
"""

import base64
import binascii
import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from actors.rugs.jsontext import Unreadable, encode, read
from actors.rugs.packets import BINARY, TEXT
from actors.rugs.recordings import TIMES, BadLine, Recorded, is_sent, time_of, written_anew
from actors.rugs.restoring import TYPED, restored
from actors.rugs.schema import DOC_TYPES

TIME_NAMES: Final = (
    *TIMES, "ts_ms", "timestamp_ms", "ts_us", "timestamp_us", "captured_at", "received_at", "recorded_at", "created_at",
)  # fmt: skip
EVENT_NAMES: Final = ("event", "event_name", "event_type", "type", "name")
FRAME_NAMES: Final = ("frame", "raw", "raw_frame")
CONTENT_NAMES: Final = ("data", "payload", "raw_json", "json", "content")
DIRECTION_NAMES: Final = ("dir", "direction")
OWN_NAMES: Final = frozenset({"seq", "doc_type", "date"})
"""They tell of the file that a row lies in, not of the game."""
KEPT: Final = {"player_action": "button", "system_event": "event"}
"""Doc_types whose rows are no frames, and the column without which a row tells nothing."""


class NotUnderstood(ValueError):
    """Nothing of a table can be turned into events; the message says why."""


class Kept(Struct, frozen=True, kw_only=True):
    """One row that is no frame, in the order of its doc_type's columns."""

    doc_type: str
    at_us: int
    is_relative: bool
    game_id: str | None
    values: list[Any]


class Table(Struct, frozen=True, kw_only=True):
    """How a table's columns are understood; names as the table spells them."""

    doc_type: str | None
    time: str
    direction: str | None
    opcode: str | None
    event: str | None
    messages: tuple[str, ...]  # the first that is not null holds a frame or an event's content
    fields: dict[str, str]  # where there is none: column -> field of the event, or column of the doc_type
    left: tuple[str, ...]  # columns that nothing is made of


def understand(columns: Sequence[str], doc_type: str | None) -> Table:
    """Say how the columns of a table are understood. NotUnderstood: nothing can be made of them."""
    spelled = _spelled(columns)
    time = time_in(columns)
    if time is None:
        raise NotUnderstood(f"has no column with a time ({', '.join(TIME_NAMES)}), only {', '.join(columns)}")
    is_typed = doc_type in TYPED or doc_type in KEPT
    event = None if doc_type in KEPT else _first(EVENT_NAMES[:3] if is_typed else EVENT_NAMES, spelled)
    messages = [] if doc_type in KEPT or doc_type == "game" else _all(FRAME_NAMES + CONTENT_NAMES, spelled)
    taken = {
        time,
        event,
        *messages,
        *(direction := _all(DIRECTION_NAMES, spelled)),
        *(opcode := _all(("opcode",), spelled)),
    }
    fields = {} if messages else _fields([name for name in columns if name not in taken], doc_type, event)
    if not messages and not fields:
        raise NotUnderstood(_lacking(columns, doc_type))
    return Table(
        doc_type=doc_type, time=time, direction=next(iter(direction), None), opcode=next(iter(opcode), None),
        event=event, messages=tuple(messages), fields=fields,
        left=tuple(name for name in columns if name not in taken and name not in fields),
    )  # fmt: skip


def time_in(columns: Sequence[str]) -> str | None:
    """Return the column that tells the time of a row."""
    return _first(TIME_NAMES, _spelled(columns))


def read_row(table: Table, row: Mapping[str, Any]) -> Recorded | Kept:
    """Return what a row tells of. BadLine: nothing."""
    at_us, is_relative = time_of(_time(row[table.time], table.time))
    if table.doc_type in KEPT:
        return _kept(table, row, at_us, is_relative=is_relative)
    sent = table.direction is not None and is_sent(row[table.direction])
    payload, opcode, is_restored = _message(table, row)
    return Recorded(
        at_us=at_us, is_relative=is_relative, sent=sent, payload=payload, opcode=opcode, is_restored=is_restored
    )


def _lacking(columns: Sequence[str], doc_type: str | None) -> str:
    told = f"has only the columns {', '.join(columns)}"
    if doc_type in DOC_TYPES and doc_type != "ws_event":
        return f"{told}, none of them of {doc_type}"
    return (
        f"{told}: none holds a message ({', '.join(FRAME_NAMES + CONTENT_NAMES)}) or an event's name "
        f"({', '.join(EVENT_NAMES)}), and it lies in no folder doc_type=<one of VECTRA's>"
    )


def _fields(columns: Sequence[str], doc_type: str | None, event: str | None) -> dict[str, str]:
    """Return which column is which field where no column holds a message."""
    if doc_type in KEPT:
        known = {column.name: column.name for column in DOC_TYPES[doc_type]} | {
            "game_id": "game_id",
            "gameid": "game_id",
        }
        return {name: known[name.lower()] for name in columns if name.lower() in known}
    if doc_type in TYPED:
        known = TYPED[doc_type].fields
        return {name: known[name.lower()] for name in columns if name.lower() in known}
    return {name: name for name in columns if name.lower() not in OWN_NAMES} if event is not None else {}


def _message(table: Table, row: Mapping[str, Any]) -> tuple[bytes, int, bool]:
    """Return a row's frame, its opcode, and whether it was made of a typed row."""
    event = row[table.event] if table.event is not None else None
    name = event if isinstance(event, str) and event else None
    if not table.messages:
        fields = {field: value for column, field in table.fields.items() if (value := plain(row[column])) is not None}
        if table.doc_type in TYPED:
            return restored(table.doc_type, fields), TEXT, True
        if name is None:
            raise BadLine(f"has no event in column {table.event}")
        return written_anew(name, fields), TEXT, False
    column = next((column for column in table.messages if row[column] is not None), None)
    if column is None:
        raise BadLine(f"has nothing in {', '.join(table.messages)}")
    if name is None and table.doc_type in TYPED:
        name = TYPED[table.doc_type].event
    opcode = BINARY if table.opcode is not None and row[table.opcode] == BINARY else TEXT
    is_restored = table.doc_type in TYPED and name == TYPED[table.doc_type].event
    return _payload(row[column], column, name, opcode), opcode, is_restored


def _payload(value: Any, column: str, name: str | None, opcode: int) -> bytes:
    if isinstance(value, bytes):
        if opcode == BINARY:
            return value
        value = value.decode("utf-8", "backslashreplace")
    if not isinstance(value, str):
        return written_anew(_named(name, column), plain(value))
    if opcode == BINARY:
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise BadLine(f"column {column} holds {value[:40]!r}, must be base64 where the opcode is 2") from None
    is_frame = column.lower() in FRAME_NAMES or name is None
    if is_frame and not value.lstrip().startswith(("{", "[")):
        return value.encode("utf-8", "surrogatepass")
    return _of_json(value, column, name)


def _of_json(text: str, column: str, name: str | None) -> bytes:
    """Return the frame of a JSON text: an event's content, a packet without its head, or an object that has a name."""
    try:
        told = read(text.encode("utf-8", "surrogatepass"))
    except Unreadable as error:
        raise BadLine(f"column {column} holds {text[:40]!r}, must be a frame or JSON: {error}") from None
    if isinstance(told, list) and told and isinstance(told[0], str) and name in (None, told[0]):
        return b"42" + text.encode("utf-8", "surrogatepass")
    if name is None and isinstance(told, dict):
        inner = next((told[key] for key in EVENT_NAMES if isinstance(told.get(key), str)), None)
        return written_anew(_named(inner, column), told.get("data"))
    return written_anew(_named(name, column), told)


def _named(name: str | None, column: str) -> str:
    if name is None:
        raise BadLine(f"has a content in column {column} and no event that it belongs to")
    return name


def _kept(table: Table, row: Mapping[str, Any], at_us: int, *, is_relative: bool) -> Kept:
    """Return a row that is no frame; what has no column of its own goes into `data`."""
    doc_type = table.doc_type or ""
    found = {field: plain(row[column]) for column, field in table.fields.items()}
    needed = KEPT[doc_type]
    if not isinstance(found.get(needed), str):
        raise BadLine(f"has {found.get(needed)!r} as {needed}, must be a text")
    more = {
        name: value for name in table.left if name.lower() not in OWN_NAMES and (value := plain(row[name])) is not None
    }
    data = found.get("data")
    if data is not None and not isinstance(data, str):
        data = encode(data).decode()
    if more:
        data = encode({"data": data, "columns": more} if data is not None else {"columns": more}).decode()
    found["data"] = data
    values = [found.get(column.name) for column in DOC_TYPES[doc_type]]
    return Kept(doc_type=doc_type, at_us=at_us, is_relative=is_relative, game_id=found.get("game_id"), values=values)


def _time(value: Any, column: str) -> Any:
    """Return a time as `time_of` takes it; a column of times has microseconds already."""
    if value is None:
        raise BadLine(f"has no time in column {column}")
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def plain(value: Any) -> Any:
    """Return a column's value as JSON can hold it. Times become milliseconds, the game's unit.

    A field of a nested column that is null is left out: there null and absent are the same.
    """
    if isinstance(value, dict):
        return {str(key): held for key, one in value.items() if (held := plain(one)) is not None}
    if isinstance(value, list):
        if value and all(isinstance(one, tuple) and len(one) == 2 for one in value):  # a column of maps
            return plain(dict(value))
        return [plain(one) for one in value]
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return round(moment.timestamp() * 1000)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and value != value:  # not a number
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _spelled(columns: Sequence[str]) -> dict[str, str]:
    return {name.lower(): name for name in reversed(columns)}


def _first(names: Iterable[str], spelled: Mapping[str, str]) -> str | None:
    return next((spelled[name] for name in names if name in spelled), None)


def _all(names: Iterable[str], spelled: Mapping[str, str]) -> list[str]:
    return [spelled[name] for name in names if name in spelled]
