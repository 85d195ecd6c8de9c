"""The status table for people."""

from pathlib import Path

import pytest

from supervisor.figures import empty_status
from supervisor.table import print_status

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
