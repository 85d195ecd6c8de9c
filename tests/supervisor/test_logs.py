"""Last lines, following across a rotation, and several logs in one order."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from supervisor.logs import CHUNK_BYTES, Follower, aside, last_lines, merged


def test_last_lines_reach_into_the_rotated_file(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    (tmp_path / "a.log.1").write_text("1\n2\n3\n")
    path.write_text("4\n5\n")
    assert last_lines(path, 3) == ["3", "4", "5"]
    assert last_lines(path, 9) == ["1", "2", "3", "4", "5"]
    assert last_lines(path, 0) == []
    assert last_lines(tmp_path / "absent.log", 3) == []


def test_a_large_file_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {number} {'x' * 100}\n" for number in range(5000)))
    assert path.stat().st_size > 5 * CHUNK_BYTES
    assert [line.split()[1] for line in last_lines(path, 1000)] == [str(number) for number in range(4000, 5000)]


def test_a_follower_misses_no_line_and_repeats_none_when_the_file_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("old\n")
    follower = Follower(path)
    with path.open("a") as file:
        file.write("1\nhal")
    assert list(follower.lines()) == ["1"]
    with path.open("a") as file:
        file.write("f\n3\n")
    path.rename(tmp_path / "a.log.1")
    path.write_text("4\n")
    assert list(follower.lines()) == ["half", "3", "4"]
    assert list(follower.lines()) == []
    follower.close()


def test_a_follower_waits_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "a.log")
    assert list(follower.lines()) == []
    (tmp_path / "a.log").write_text("1\n")
    assert list(follower.lines()) == ["1"]
    follower.close()


def test_tracebacks_stay_behind_the_line_they_belong_to() -> None:
    a = ["2026-01-01 00:00:02.000 ERROR   a: died", "Traceback", "  File x"]
    b = ["2026-01-01 00:00:01.000 INFO    b: ready", "2026-01-01 00:00:02.500 INFO    b: stopped"]
    assert merged([a, b]) == [b[0], *a, b[1]]


@given(logs=st.lists(st.lists(st.text(st.characters(blacklist_characters="\n")))))
def test_merging_loses_no_line(logs: list[list[str]]) -> None:
    assert sorted(merged(logs)) == sorted(line for lines in logs for line in lines)


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_last_lines_reach_into_every_file_that_was_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    for name, text in (("a.log.2", "1\n"), ("a.log.1", "2\n"), ("a.log", "3\n")):
        (tmp_path / name).write_text(text)
    assert last_lines(path, 9) == ["1", "2", "3"]


def test_a_follower_takes_several_rotations_between_two_looks_and_late_words_in_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("")
    follower = Follower(path)
    for number in range(3):
        add(path, f"{number}\n")
        for older in (2, 1, 0):
            if aside(path, older).exists():
                aside(path, older).rename(aside(path, older + 1))
        path.write_text("")
    add(path, "3\n")
    assert list(follower.lines()) == ["0", "1", "2", "3"]
    aside(path, 3).unlink()
    add(path, "4\n")
    assert list(follower.lines()) == ["4"]
    path.rename(aside(path, 1))
    path.write_text("5\n")
    add(aside(path, 1), "late\n")
    assert sorted(follower.lines()) == ["5", "late"]
    follower.close()
