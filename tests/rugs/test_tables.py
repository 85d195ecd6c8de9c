"""What the columns and rows of a foreign table are understood as."""

import base64
import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.rugs import tables
from actors.rugs.recordings import BadLine, Recorded
from actors.rugs.restoring import TYPED
from actors.rugs.schema import SCHEMA_VERSION, columns_of
from actors.rugs.stored import standing
from actors.rugs.tables import KEPT, Kept, NotUnderstood, plain, read_row, understand

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "import.md"
TS = 1_767_225_600_000


def read(row: dict[str, Any], doc_type: str | None = None) -> Recorded | Kept:
    return read_row(understand(list(row), doc_type), row)


def frame(row: dict[str, Any], doc_type: str | None = None) -> str:
    found = read({"ts": TS, **row}, doc_type)
    assert isinstance(found, Recorded)
    return found.payload.decode()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"raw": '42["x",{"a":1}]'}, '42["x",{"a":1}]'),
        ({"Frame": "2"}, "2"),
        ({"raw": b"2"}, "2"),
        ({"raw": '["x",{"a":1}]'}, '42["x",{"a":1}]'),
        ({"raw_json": '{"event":"x","data":{"a":1}}'}, '42["x",{"a":1}]'),
        ({"event_name": "x", "raw": '{"a":1}'}, '42["x",{"a":1}]'),
        ({"event_name": "x", "raw": '["x",{"a":1}]'}, '42["x",{"a":1}]'),
        ({"event_name": "x", "data": "7"}, '42["x",7]'),
        ({"event_name": "x", "payload": {"a": 1, "b": None}}, '42["x",{"a":1}]'),
        ({"event_name": "x", "data": [("a", 1), ("b", 2)]}, '42["x",{"a":1,"b":2}]'),
        ({"event_name": "x", "data": None, "payload": "{}"}, '42["x",{}]'),
        ({"event": "x", "a": 1, "b": None, "at": datetime.datetime(1970, 1, 1, 0, 0, 1)}, '42["x",{"a":1,"at":1000}]'),
        ({"event": "connect", "data": '{"sid":"s"}'}, '40{"sid":"s"}'),
    ],
)
def test_a_row_becomes_its_frame_wherever_it_stands(row: dict[str, Any], expected: str) -> None:
    assert frame(row) == expected


def test_a_binary_message_is_decoded_and_a_direction_read() -> None:
    row = {"ts": TS, "direction": "SENT", "opcode": 2, "raw": base64.b64encode(b"\x00\xff").decode()}
    found = read(row)
    assert isinstance(found, Recorded)
    assert (found.payload, found.opcode, found.sent) == (b"\x00\xff", 2, True)
    with pytest.raises(BadLine, match="must be base64 where the opcode is 2"):
        read({**row, "raw": "no!"})


@pytest.mark.parametrize(
    ("phase", "fields"),
    [
        ("ACTIVE", {"active": True, "rugged": False}),
        ("RUGGED", {"active": True, "rugged": True}),
        ("PRESALE", {"active": False, "rugged": False, "allowPreRoundBuys": True}),
        ("COOLDOWN", {"active": False, "rugged": False, "allowPreRoundBuys": False}),
    ],
)
def test_a_tick_that_tells_its_phase_becomes_the_fields_it_follows_from(phase: str, fields: dict[str, Any]) -> None:
    name, content = json.loads(frame({"game_id": "g", "tick": 3, "price": 1.5, "phase": phase}, "game_tick")[2:])
    assert (name, content) == ("gameStateUpdate", {"gameId": "g", "tickCount": 3, "price": 1.5, **fields})


def test_a_typed_row_may_bear_the_games_own_names() -> None:
    ours = frame({"trade_id": "i", "side": "buy", "price": 2.0, "tick": 3, "game_id": "g"}, "trade")
    assert ours == frame({"id": "i", "type": "buy", "price": 2.0, "tickIndex": 3, "gameId": "g"}, "trade")


def test_a_typed_row_without_what_it_hangs_on_is_refused() -> None:
    with pytest.raises(BadLine, match="has nothing in game_id or gameid, without which it is no game_tick"):
        read({"ts": TS, "game_id": None, "tick": 1, "price": 1.0}, "game_tick")


def test_a_row_that_is_no_frame_keeps_all_its_columns() -> None:
    found = read({"ts": TS, "event": "gap", "data": '{"a":1}', "host": "h", "seq": 4}, "system_event")
    assert isinstance(found, Kept)
    assert found.values[0] == "gap"
    assert json.loads(found.values[1]) == {"data": '{"a":1}', "columns": {"host": "h"}}
    with pytest.raises(BadLine, match="has None as button, must be a text"):
        read({"ts": TS, "button": None}, "player_action")


def test_values_become_what_json_can_hold() -> None:
    assert plain({"a": float("nan"), "b": Decimal("1.5"), "c": b"\xff", "d": datetime.date(2026, 1, 2)}) == {
        "b": 1.5, "c": base64.b64encode(b"\xff").decode(), "d": "2026-01-02"
    }  # fmt: skip


@pytest.mark.parametrize("columns", [["a"], ["ts"], ["ts", "a"], ["ts", "seq", "date"]])
def test_a_table_that_tells_of_nothing_is_refused_with_its_columns(columns: list[str]) -> None:
    with pytest.raises(NotUnderstood, match=", ".join(columns)):
        understand(columns, None)


def test_a_files_footer_tells_whose_it_is() -> None:
    ours = [column.name for column in columns_of("player_action")]
    assert standing("player_action", SCHEMA_VERSION, ours) == "ours"
    assert standing("player_action", SCHEMA_VERSION, ours[:-1]) == "other columns"
    assert standing("player_action", "1.0.0", ours) == "other schema"
    assert standing("player_action", None, ours) == "other schema"
    assert standing(None, SCHEMA_VERSION, ours) == "other schema"


def test_the_page_names_each_column_that_is_understood() -> None:
    page = PAGE.read_text()
    general = (tables.TIME_NAMES, tables.EVENT_NAMES, tables.FRAME_NAMES, tables.CONTENT_NAMES, tables.DIRECTION_NAMES)
    for name in {name for names in general for name in names} | {"opcode"}:
        assert f"`{name}`" in page, name
    for doc_type, typed in TYPED.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{doc_type}` |")]
        assert typed.fields.keys() | {typed.event.lower()} <= {word.lower() for word in row.split("`")}, doc_type
    assert all(f"| `{doc_type}` |" in page for doc_type in KEPT)
