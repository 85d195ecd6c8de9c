"""The status table for people."""

import re
from pathlib import Path
from typing import Any

import pytest

from supervisor.figures import empty_status
from supervisor.table import FLOW, print_status
from web.words import ACTORS

PILOT = {
    "name": "pilot",
    "state": "ready",
    "pid": 7,
    "uptime_s": 5.0,
    "restarts": 0,
    "rss_bytes": 1_000_000,
    "cpu_percent": 0.0,
    "degraded": False,
    "reason": None,
}


@pytest.mark.parametrize(
    ("connected", "error", "line"),
    [
        (None, "the page did not open (net::ERR_X)", "game          not connected: the page did not open (net::ERR_X)"),
        (
            False,
            "the page did not open (net::ERR_X)",
            "game          not connected: the page did not open (net::ERR_X)",
        ),
        (False, None, "game          not connected"),
        (True, None, "game          connected"),
    ],
)
def test_the_games_line_says_why_it_is_not_connected(
    capsys: pytest.CaptureFixture[str], connected: bool | None, error: str | None, line: str
) -> None:
    state = empty_status(Path("/data"), Path("/data/run"))
    state["supervisor"] |= {"pid": 6, "state": "running", "uptime_s": 5.0}
    state["actors"] = [PILOT | {"stats": {"error": error}}]
    state["source"]["connected"] = connected
    print_status(state, None)
    assert line in capsys.readouterr().out.splitlines()


def everyone(**writer: object) -> dict[str, Any]:
    state = empty_status(Path("/data"), Path("/data/run"))
    state["supervisor"] |= {"pid": 6, "state": "running", "uptime_s": 5.0, "demo": True}
    state["actors"] = [
        PILOT | {"name": name, "stats": {}} | (writer if name == "writer" else {})
        for name in ("mine", "web", "writer", "capture-a", "pilot", "browser")
    ]
    return state


def test_the_rows_stand_in_the_order_of_the_control_room_the_users_own_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(ACTORS) == FLOW
    print_status(everyone(), None)
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[lines.index("") + 2 : lines.index("") + 8]]
    assert names == ["browser", "pilot", "capture-a", "writer", "web", "mine"]
    assert lines[0] == "VECTRA 0.1.0 (demo) running, pid 6, for 5.0 s, all 6 actors ready"


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_everything_but_addresses_keeps_within_its_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    reason = "died 6 times in a row; next try in 12 s; its last words: " + "OSError " * 20
    state = everyone(state="crash-looping", degraded=True, reason=reason, pid=None, uptime_s=None, restarts=12345)
    state["actors"][3]["stats"] = {"error": "disk full"}
    address = f"http://127.0.0.1:5000/?token={'x' * 120}"
    print_status(state, address)
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if len(line) > columns] == [f"web           {address}"]
    assert "5 of 6 actors ready" in lines[0]
    assert "trouble       capture-a: disk full; it goes on by itself when mended" in lines
    said = " ".join(line.strip() for line in lines if line.startswith(("writer        died", " " * 14)))
    assert said == f"writer        {reason.strip()}"


def test_a_stopped_vectra_is_said_with_the_place_that_was_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    print_status(empty_status(Path("/data"), Path("/data/run")), None)
    assert capsys.readouterr().out == (
        "VECTRA is not running. `vectra-supervisor start` starts it.\ndata          /data\n"
    )
