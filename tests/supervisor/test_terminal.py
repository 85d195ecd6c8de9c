"""Every command that prints foreign text is given a hostile one, on a pipe and on a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from actors.core.messages import Record
from supervisor import terminal
from tests.recorded import Session, write
from tests.supervisor.running import ROOT
from tests.supervisor.test_cli import vectra

NAME = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202eevil\u2066\u2028\x7f\r=1+1"
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
OWN = re.compile("\x1b\\[[0-9;]*m|\r\n|\x1b\\[K|\r")
"""What rich colours with; what a terminal makes of a line feed; the line of progress."""

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    session = Session()
    trade = {
        "id": "t1", "gameId": NAME, "playerId": NAME, "username": NAME, "type": "buy", "price": 1.5, "tickIndex": 3,
        "qty": 1, "amount": 0.5, "coin": NAME,
    }  # fmt: skip
    chat = {"username": NAME, "message": NAME}
    hostile: list[Record] = [
        session.frame("42" + json.dumps(["standard/newTrade", trade])),
        session.frame("42" + json.dumps([NAME, chat])),
        session.frame(
            "42"
            + json.dumps(
                ["gameStateUpdate", {"gameHistory": [{"id": NAME, "prices": [1.0], "timestamp": 1767225600000}]}]
            )
        ),
        session.note("gap", from_us=1, to_us=2, cause=NAME),
    ]
    write(folder, [*session.start(), *hostile])
    log = folder / "run" / "log"
    log.mkdir(parents=True)
    (log / "browser.log").write_text(f"2026-01-01 00:00:00.000Z WARNING browser: {NAME}\n{NAME}\n", newline="")
    (folder / "evil.jsonl").write_text(f'{{"ts": {json.dumps(NAME, ensure_ascii=False)}, "event": "x"}}\n', newline="")
    return folder


COMMANDS = (
    ("sql", "FROM trades"), ("sql", "--csv", "FROM trades"), ("sql", "--csv", "--spreadsheet", "FROM trades"),
    ("sql", "--json", "FROM trades"), ("sql", "FROM ws_event"), ("sql", "--json", "FROM ws_event"),
    ("sql", "FROM gaps"), ("sql", f'SELECT 1 AS "{NAME}"'), ("sql", "--csv", f'SELECT 1 AS "{NAME}"'),
    ("sql", f"SELECT error('{NAME}')"), ("sql", f'FROM "{NAME}"'), ("sql", f"SELECT '{NAME}' + 1"),
    ("verify",), ("verify", "--json"), ("verify", NAME), ("logs",), ("logs", "browser"), ("logs", NAME),
    ("import", "evil.jsonl"), ("import", NAME), ("status",), ("doctor",), (NAME,), ("events", "--type", NAME),
    ("check", "--set", f"data_dir={NAME}"), ("check", "--set", f"{NAME}=1"), ("sql", "--limit-s", NAME, "x"),
)  # fmt: skip


def on_a_terminal(home: Path, *arguments: str) -> str:
    """Return what a command writes to a terminal, errors among it."""
    ours, theirs = pty.openpty()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("VECTRA_")}
    environ |= {"PYTHONPATH": str(ROOT), "HOME": str(home), "VECTRA_DATA_DIR": str(home), "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "vectra_player.entry", *arguments], cwd=home,
        env={**environ, "VECTRA_RUNTIME_DIR": str(home / "run")}, stdin=subprocess.DEVNULL,
        stdout=theirs, stderr=theirs,
    ):  # fmt: skip
        os.close(theirs)
        found = b""
        try:
            while piece := os.read(ours, 65_536):
                found += piece
        except OSError:
            pass  # its other end was closed
    os.close(ours)
    return found.decode()


@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda command: " ".join(command).encode("unicode_escape").decode()[:50]
)
def test_no_command_passes_on_a_control_character(home: Path, command: tuple[str, ...]) -> None:
    piped = vectra(home, *command, VECTRA_RUNTIME_DIR=str(home / "run"))
    for text in (piped.stdout, piped.stderr):
        assert "Traceback" not in text
        assert not FORBIDDEN.search(text), FORBIDDEN.findall(text)
        assert "\x1b" not in text
        assert "\r" not in text
    shown = on_a_terminal(home, *command)
    assert not FORBIDDEN.search(OWN.sub("", shown)), OWN.sub("", shown)
    assert "\x1b" not in OWN.sub("", shown)


def test_json_has_the_name_as_it_is_and_a_table_shows_it(home: Path) -> None:
    told = vectra(home, "sql", "--json", "SELECT username FROM trades").stdout
    assert json.loads(told) == {"username": NAME}
    assert r"\x1b]52;c;ZXZpbA==\x07" in vectra(home, "sql", "SELECT username FROM trades").stdout


def test_a_spreadsheet_gets_texts_and_numbers_stay(home: Path) -> None:
    sql = "SELECT '=1+1' AS a, -5 AS b, '-5' AS c, -1.5 AS \"=d\", NULL AS e, 'x' AS f"
    plain = vectra(home, "sql", "--csv", sql).stdout
    safe = vectra(home, "sql", "--csv", "--spreadsheet", sql).stdout
    assert plain == "a,b,c,=d,e,f\n=1+1,-5,-5,-1.5,,x\n"
    assert safe == "a,b,c,'=d,e,f\n'=1+1,-5,'-5,-1.5,,x\n"


def test_all_commands_print_through_the_streams_that_escape() -> None:
    folder = Path(terminal.__file__).parent
    past = re.compile(r"\bConsole\(|echo\(.*\.encode\(|std(out|err)\.buffer|sys\.__std|os\.write\([12]\b")
    found = {path.name for path in folder.glob("*.py") for line in path.read_text().splitlines() if past.search(line)}
    # the console of daemon.py prints what VECTRA itself has to say; the query process writes to a pipe of ours
    assert found == {"terminal.py", "data_work.py", "daemon.py", "query_process.py"}
