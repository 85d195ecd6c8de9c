"""Every parameter of the API, with numbers and words no caller should send: refused with 400 or answered, never a 500.

The parameters are taken from the API's own description, so a new one is tried as well.
"""

import itertools
from urllib.parse import quote

import pytest

from tests.web.conftest import ControlRoom

pytestmark = pytest.mark.system

ODD = (
    "-1", "0", "00", "+5", "1e3", "1e400", "-1e400", "nan", "NaN", "inf", "-Infinity", "1.5", "0x10", "1_000", " 7",
    "9" * 15, "9" * 16, "9" * 17, "9" * 19, "9" * 20, "9" * 309, "9" * 5000, "-" + "9" * 5000, str(2**31), str(2**53),
    str(2**63 - 1), str(2**63), str(2**64), str(-(2**63) - 1), "\u0663", "\uff11\uff12", "\xb2", "1\n", "\n1", "1\x00",
    "\x00", "", "null", "true", "[]", "{}", "\xe9", "\ud7ff", "\U0010ffff", "%", "%00", "..", "../..", "'", '"', "*",
    "(", "[", "a" * 9000,
)  # fmt: skip


def test_no_value_of_any_parameter_is_our_fault(room: ControlRoom) -> None:
    document = room.json("/api/openapi.json")[1]
    asked = 0
    for path, methods in document["paths"].items():
        for one in methods.get("get", {}).get("parameters", []):
            for value in ODD:
                is_path = one["in"] == "path"
                filled = path.replace("{" + one["name"] + "}", quote(value, safe="") if is_path else "web")
                query = "" if is_path else f"?{one['name']}={quote(value)}"
                status = room.ask(filled + query)[0]
                assert status < 500 or status == 503, (path, one["name"], value)
                asked += 1
    assert asked > 10 * len(ODD)
    assert "Traceback" not in room.log()


@pytest.mark.parametrize("place", ["9" * 15, "9" * 16, "9" * 19, "9" * 20, "0" * 20, "9007199254740992"])
def test_a_place_in_a_log_that_no_file_has_is_refused_or_empty(room: ControlRoom, place: str) -> None:
    inode, _, _ = room.json("/api/logs/web")[1]["cursor"].partition("-")
    for cursor in (f"{inode}-{place}", f"{place}-{inode}", f"{place}-{place}"):
        assert room.ask(f"/api/logs/web?cursor={cursor}")[0] in (200, 400)
    assert room.ask(f"/api/logs/web?cursor={inode}-{'9' * 20}")[0] == 400
    assert "Traceback" not in room.log()


def test_no_value_of_any_field_of_a_job_is_our_fault(room: ControlRoom) -> None:
    deep = "[" * 900 + "]" * 900
    values = ("9" * 5000, "1e999", "NaN", "-0", "null", '"\\ud800"', '"0000-00-00"', '"9999-99-99"', deep)
    for field, value in itertools.product(("day", "game_id", "kind", "format", "doc_types"), values):
        body = f'{{"kind": "export", "day": "2026-01-01", "{field}": {value}}}'.encode()
        status = room.ask("/api/jobs", "POST", body=body, Content_Type="application/json")[0]
        assert status in (400, 404), (field, value[:20])
    assert "Traceback" not in room.log()
