"""Settings of any size, depth and shape: one sentence, quickly, and never a traceback."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.settings import ERRORS_MAX, SettingsError, load
from supervisor.yaml_bounds import SIZE_MAX_BYTES
from supervisor.yaml_file import DEPTH_MAX, NODES_MAX, read_yaml
from tests.supervisor.command import call

CPU_LIMIT_S = 1.0  # processor time: a loaded machine makes nothing slower that is not


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "aliases": laughs(12), "merged aliases": "a: &a {x: 1}\nb: {<<: [*a, *a]}", "anchor of itself": "a: &a [*a]",
    "anchor unused": "feed: &f {port: 1}", "brackets": "feed: {port: " + "[" * 20_000 + "}",
    "braces": "{" * 100_000, "closed brackets": "a: " + "[" * 9000 + "]" * 9000, "dashes": "- " * 100_000,
    "questions": "? " * 50_000, "indents": "\n".join(" " * n + "a:" for n in range(600)),
    "digits": "feed: {port: " + "9" * 5000 + "}", "hex": "feed: {port: 0x" + "f" * 100_000 + "}",
    "octal": "feed: {port: 0" + "7" * 100_000 + "}", "binary": "feed: {port: 0b" + "1" * 100_000 + "}",
    "sexagesimal": "feed: {port: 1" + ":59" * 30_000 + "}", "float": "recording: {flush_s: 1." + "0" * 100_000 + "}",
    "no digits": "feed: {port: 0b_}", "no hex": "feed: {port: 0x_}", "infinite": "recording: {flush_s: .inf}",
    "not a number": "recording: {flush_s: .nan}", "date": "a: 2001-99-99", "time": "a: 2001-01-01T99:99:99Z",
    "tag": "feed: !!int 9000", "python": "a: !!python/object/apply:os.system [id]", "own tag": "!x {a: 1}",
    "set": "a: !!set {b}", "binary tag": "a: !!binary =", "many keys": "\n".join(f"k{n}: 1" for n in range(9000)),
    "same key": "a: 1\n" * 4000, "long key": "k" * 200_000 + ": 1", "list as key": "? [a, b]\n: 1",
    "deep key": "? " + "[" * 15 + "]" * 15 + "\n: 1", "null key": "~: 1\n1: 2\ntrue: 3", "merge": "<<: {data_dir: /a}",
    "extras": "actors: {extra: [" + "1, " * 9000 + "]}",
    "unlike extras": "actors: {extra: [" + "{id: 1, zz: 2}, " * 1500 + "]}",
    "open quote": '"' + "a" * 250_000, "comments": "#" * 200_000, "two documents": "a: 1\n---\nb: 2",
    "escapes": 'data_dir: "\\e]0;title\\a"\n"\\e[2J": 1', "bidi": 'feed: {host: "\\u202e1.0.0.721"}',
    "surrogate": 'data_dir: "\\ud800"', "nul": 'data_dir: "a\\0b"', "byte order": "\ufefffeed: {port: x}",
    "long place": "data_dir: " + "[" * 200_000, "place that is none": "data_dir: [a\nfeed: [",
    "wide text": "data_dir: " + "𝔳" * 60_000, "percent": "%YAML 9.9\n---\na: 1",
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_no_settings_look_like_is_answered_quickly_in_words(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "vectra.yaml"
    path.write_text(HOSTILE[kind])
    began_s = time.process_time()
    errors = errors_of(path, {})
    assert bool(errors) == (kind != "comments")
    assert all(one.isprintable() and len(one) < 2000 for one in errors), errors
    assert len(errors) <= ERRORS_MAX + 1
    assert time.process_time() - began_s < CPU_LIMIT_S


@pytest.mark.system
@pytest.mark.parametrize("kind", ["aliases", "brackets", "digits", "unlike extras", "long place"])
def test_the_commands_end_with_2_and_a_sentence(tmp_path: Path, kind: str) -> None:
    (tmp_path / "vectra.yaml").write_text(HOSTILE[kind])
    for command in ("check", "start", "stop" if kind == "long place" else "reload"):
        answer = call(tmp_path, command, home=tmp_path)
        assert (answer.code, "Traceback" in answer.err) == (2, False), answer
        assert answer.err.startswith("vectra.yaml: ")
        assert answer.cpu_s < CPU_LIMIT_S


@pytest.mark.parametrize("size", [SIZE_MAX_BYTES + 1, 300_000_000])
def test_a_file_of_any_size_is_read_up_to_the_bound(tmp_path: Path, size: int) -> None:
    path = tmp_path / "vectra.yaml"
    with path.open("wb") as file:
        file.truncate(size)
    with pytest.raises(SettingsError, match="is larger than settings can be, must be at most"):
        load(str(path), {})
    with pytest.raises(SettingsError, match="is larger than settings can be"):
        load("/dev/zero", {})


@pytest.mark.parametrize("name", ["VECTRA_ACTORS_EXTRA", "VECTRA_FEED_ALLOWED_ORIGINS", "VECTRA_BROWSER_ARGS"])
@pytest.mark.parametrize(
    "text", ["[" * 5000, "[" * 900 + "]" * 900, "[" + "9" * 5000 + "]", "[" + "1," * 40_000 + "1]", '[{"a":' * 30, "["]
)
def test_the_environment_is_bounded_the_same_way(tmp_path: Path, name: str, text: str) -> None:
    began_s = time.process_time()
    with pytest.raises(SettingsError) as caught:
        load(str(empty(tmp_path)), {name: text})
    assert all(len(error) < 2000 for error in caught.value.errors)
    with pytest.raises(SettingsError):
        load(str(empty(tmp_path)), {}, [f"{name.removeprefix('VECTRA_').lower().replace('_', '.', 1)}={text}"])
    assert time.process_time() - began_s < 2 * CPU_LIMIT_S


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "1e400", "nan", "-inf", "１２"])
def test_numbers_in_the_environment_too(tmp_path: Path, text: str) -> None:
    for name in ("VECTRA_FEED_PORT", "VECTRA_RECORDING_FLUSH_S"):
        assert len(errors_of(empty(tmp_path), {name: text})) == (0 if text == "１２" else 1)


def test_the_bounds_are_far_from_what_settings_need() -> None:
    path = Path(__file__).resolve().parents[2] / "vectra.yaml"
    assert len(path.read_bytes()) * 10 < SIZE_MAX_BYTES
    deep = "a: " + "[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1)
    assert read_yaml(deep.encode(), "x")[1] == []
    many = "a: [" + "1," * (NODES_MAX - 4) + "]"
    assert read_yaml(many.encode(), "x")[1] == []


@given(st.text("{}[]&*!|>-?:,#%@`'\"\\ \n\tab01.<~\0\x1b\u202e=", max_size=60) | st.binary(max_size=60))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    data, errors = read_yaml(text.encode(errors="surrogatepass") if isinstance(text, str) else text, "x")
    assert isinstance(data, dict)
    assert all(error.startswith("x: ") for error in errors)


def errors_of(path: Path, environ: dict[str, str]) -> list[str]:
    try:
        load(str(path), environ)
    except SettingsError as error:
        return error.errors
    return []


def empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty.yaml"
    path.touch()
    return path
