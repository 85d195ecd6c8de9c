"""The logs as the System page reads them."""

from pathlib import Path

import pytest

from web import logs
from web.errors import Refused

LINE = "2026-01-02 03:04:{0:02d}.000Z {1:7s} web: {2}\n"


def write(runtime: Path, text: str) -> Path:
    path = runtime / "log" / "web.log"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(text)
    return path


def texts(view: logs.LogView) -> list[str]:
    return [record.text for record in view.records]


def test_a_traceback_stays_with_its_line_and_levels_choose(tmp_path: Path) -> None:
    write(tmp_path, LINE.format(1, "INFO", "ready") + LINE.format(2, "ERROR", "died") + "Traceback\n  ValueError\n")
    assert texts(logs.newest(tmp_path, "web", 10, "info", "")) == ["ready", "died\nTraceback\n  ValueError"]
    assert texts(logs.newest(tmp_path, "web", 10, "error", "")) == ["died\nTraceback\n  ValueError"]
    assert texts(logs.newest(tmp_path, "web", 10, "info", "valueERROR")) == ["died\nTraceback\n  ValueError"]


def test_what_came_since_is_told_once_also_across_a_rotation(tmp_path: Path) -> None:
    path = write(tmp_path, LINE.format(1, "INFO", "one"))
    view = logs.newest(tmp_path, "web", 10, "info", "")
    write(tmp_path, LINE.format(2, "INFO", "two") + "half a li")
    view = logs.since(tmp_path, "web", view.cursor, "info", "")
    assert texts(view) == ["two"]
    write(tmp_path, "ne\n" + LINE.format(3, "INFO", "three"))
    path.replace(path.with_name("web.log.1"))
    write(tmp_path, LINE.format(4, "INFO", "four"))
    assert texts(logs.since(tmp_path, "web", view.cursor, "info", "")) == ["half a line", "three", "four"]


def test_a_cursor_of_a_file_that_is_gone_gives_the_newest(tmp_path: Path) -> None:
    write(tmp_path, LINE.format(1, "INFO", "one"))
    assert texts(logs.since(tmp_path, "web", "1-99", "info", "")) == ["one"]


@pytest.mark.parametrize("name", ["../web", "", "web.log", "nobody", "/etc/passwd"])
def test_only_a_log_that_is_there_can_be_read(tmp_path: Path, name: str) -> None:
    write(tmp_path, "x\n")
    with pytest.raises(Refused) as refused:
        logs.newest(tmp_path, name, 10, "info", "")
    assert refused.value.status == 404
