"""Actors of the user's own: what is refused and how, what they are run with, and the example of the how-to."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.core.config import ActorGroup, Actors, Config, ExtraActor
from supervisor.ask import ask
from supervisor.inner import wrong_inside
from supervisor.keys import all_keys
from supervisor.plan import PROGRAM, groups, longest_stop_s, plan
from supervisor.settings import SettingsError, load
from tests.house import House
from tests.processes import wait_for
from tests.supervisor.running import Running, child, is_gone, running, until
from tests.supervisor.test_cli import vectra

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "extra-actor.md"


def errors_of(home: Path, actors: dict[str, Any]) -> str:
    """Return what the settings' reader says about a file with this section."""
    file = home / "vectra.yaml"
    file.write_text(json.dumps({"data_dir": str(home / "d"), "actors": actors}))
    with pytest.raises(SettingsError) as refused:
        load(str(file), {})
    return str(refused.value)


ONE = {"id": "one", "start": "m:f"}


@pytest.mark.parametrize(
    ("actors", "message"),
    [
        ({"extra": [{"id": "A b", "start": "m:f"}]}, "actors.extra[0].id is 'A b', must be small letters, digits"),
        ({"extra": [ONE, ONE]}, "actors.extra[1].id is 'one', must be unique (it is that of actors.extra[0])"),
        ({"extra": [{"id": "journal", "start": "m:f"}]}, "is 'journal', must be unique (it is VECTRA's own)"),
        ({"extra": [{"id": "supervisor", "start": "m:f"}]}, "is 'supervisor', must be unique (it is VECTRA's own)"),
        ({"extra": [{"id": "a", "start": "no colon"}]}, "[0].start is 'no colon', must be 'package.module:function'"),
        ({"extra": [{"id": "a"}]}, "actors.extra[0] is 'neither start nor command', must be one of start"),
        ({"extra": [{**ONE, "command": ["ls"]}]}, "actors.extra[0] is 'both start and command', must be one of"),
        ({"extra": [{"id": "a", "command": []}]}, "[0].command is [], must be a list of texts: the program and"),
        ({"extra": [{"id": "a", "command": [""]}]}, '[0].command is [""], must be a program and its arguments'),
        ({"extra": [{**ONE, "restart": "often"}]}, "is 'often', must be one of permanent, transient, temporary"),
        ({"extra": [{**ONE, "restrat": "x"}]}, "a key of actors.extra[0] is 'restrat', must be one of id, start"),
        ({"extra": [{"start": "m:f"}]}, "actors.extra[0].id is 'missing', must be small letters"),
        ({"extra": [{**ONE, "group": "nope"}]}, "[0].group is 'nope', must be one of main"),
        ({"extra": ["one"]}, "actors.extra[0] is 'one', must be an entry with keys"),
        ({"extra": "one"}, "actors.extra is 'one', must be a list of actors"),
        ({"extra": [{"id": "a", "command": ["ls"], "folder": "x"}]}, "[0].folder is 'x', must be a whole path"),
        ({"extra": [{**ONE, "environment": {"A": "x" * 70_000}}]}, "must be at most 60000 bytes in all"),
        (
            {"groups": [{"id": "g", "strategy": "all"}]},
            "actors.groups[0].strategy is 'all', must be one of one_for_one",
        ),
        ({"groups": [{"id": "main"}]}, "actors.groups[0].id is 'main', must be unique"),
        ({"path": ["bots"]}, "actors.path[0] is 'bots', must be a whole path, from / or ~"),
    ],
)
def test_a_bad_entry_is_refused_by_name(tmp_path: Path, actors: dict[str, Any], message: str) -> None:
    said = errors_of(tmp_path, actors)
    assert message in said
    assert said.startswith(f"{tmp_path / 'vectra.yaml'}: ")


def test_all_that_is_wrong_is_told_at_once_and_a_misspelled_key_gets_a_hint(tmp_path: Path) -> None:
    said = errors_of(tmp_path, {"extra": [{"id": "A", "start": "m:f", "restrat": 1}, {"id": "b", "start": 7}]})
    assert len(said.splitlines()) == 3
    assert "did you mean restart?" in said


def test_a_value_that_is_no_list_of_structs_has_nothing_wrong_inside() -> None:
    assert list(wrong_inside("browser.args", [1], all_keys()["browser.args"].type)) == []


def test_extras_come_after_ours_with_the_supervisors_limits_where_they_have_none() -> None:
    actors = Actors(
        extra=[
            ExtraActor(id="a", start="m:f", hang_s=60, group="g"),
            ExtraActor(id="b", command=["ls"], shutdown_s=0, restart="temporary"),
        ],
        groups=[ActorGroup(id="g", strategy="rest_for_one", intensity=3)],
        path=["/bots"],
    )
    config = Config(actors=actors)
    a, b = plan(config, False)[-2:]
    assert (a.id, a.start, a.hang_s, a.shutdown_s, a.group, a.path) == ("a", "m:f", 60, 5.0, "g", ("/bots",))
    assert (b.id, b.start, b.hang_s, b.shutdown_s, b.restart) == ("b", PROGRAM, 5.0, 0, "temporary")
    assert [(group.id, group.strategy, group.intensity) for group in groups(config)] == [("g", "rest_for_one", 3)]
    assert longest_stop_s(config) == longest_stop_s(Config()) + 5.0


def setting(*extra: dict[str, Any], groups: list[dict[str, Any]] | None = None, path: str = "") -> list[str]:
    """Return the settings, as the command line has them, of these actors."""
    return [f"actors.extra={json.dumps(extra)}", f"actors.groups={json.dumps(groups or [])}", f"actors.path={path}"]


def change(supervisor: Running, settings: list[str]) -> list[str]:
    """Reload with these settings above the others; return who restarts."""
    supervisor.home.joinpath("set.json").write_text(json.dumps(settings))
    restarted: list[str] = ask(supervisor.runtime_dir, "reload", 5.0)["restarted"]
    return restarted


def program(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "command": ["sh", "-c", script], "start_s": 0.2, **more}


def is_anew(actor: dict[str, Any], pid: int) -> bool:
    """Say whether an actor is ready in another process than that one."""
    return actor["state"] == "ready" and actor["pid"] not in (None, pid)


SLEEPS = "echo its words; exec sleep 1000"


@pytest.mark.system
def test_a_program_is_ready_speaks_into_its_log_and_dies_with_the_supervisor(tmp_path: Path) -> None:
    shows = program(
        "shows", "echo $PWD $MODE $VECTRA_RUNTIME_DIR; printf unended; sleep 1000", environment={"MODE": "m"}
    )
    with running(tmp_path, [child("ours")], *setting(shows)) as supervisor:
        actor = until(lambda: (found := supervisor.actor("shows")) and found["state"] == "ready" and found)
        until(lambda: f"shows.says: {tmp_path} m {supervisor.runtime_dir}\n" in supervisor.log("shows"))
        supervisor.process.kill()
        until(lambda: is_gone(actor["pid"]) and is_gone(actor["stats"]["pid"]), 5)


@pytest.mark.system
def test_a_program_is_asked_to_end_then_killed_with_its_whole_session(tmp_path: Path) -> None:
    polite = program("polite", "trap 'echo farewell; exit 0' TERM; while :; do sleep 0.05; done")
    deaf = program("deaf", "trap '' TERM; sleep 1000 & echo child $!; wait; wait", shutdown_s=1)
    with running(tmp_path, [child("ours")], *setting(polite, deaf)) as supervisor:
        until(lambda: {supervisor.actor(name)["state"] for name in ("polite", "deaf")} == {"ready"})
        pids = [supervisor.actor(name)["stats"]["pid"] for name in ("polite", "deaf")]
        found = until(lambda: re.search(r"child (\d+)", supervisor.log("deaf")))
        assert supervisor.stop() == 0
        assert "polite.says: farewell" in supervisor.log("polite")
        assert all(is_gone(pid) for pid in [*pids, int(found[1])])


@pytest.mark.system
def test_how_a_program_ends_decides_by_its_restart_type_and_stands_in_its_last_words(tmp_path: Path) -> None:
    extra = setting(
        program("fails", "sleep 0.5; printf last; exit 3", restart="temporary"),
        program("killed", "sleep 0.5; kill -SEGV $$", restart="temporary"),
        program("done", "sleep 0.5", restart="transient"),
        program("missing", "", command=["/nowhere/x"], restart="temporary"),
    )
    with running(tmp_path, [child("ours")], *extra) as supervisor:
        names = ("fails", "killed", "done", "missing")
        until(lambda: {supervisor.actor(name)["state"] for name in names} == {"stopped"})
        ends = {name: supervisor.actor(name)["last_exit"] for name in names}
        assert [ends[name]["code"] for name in names] == [3, 128 + 11, 0, 1]
        assert "fails.says: last" in ends["fails"]["last_lines"][-2]
        assert ends["fails"]["last_lines"][-1].endswith("the program ended with exit code 3")
        assert ends["killed"]["last_lines"][-1].endswith("the program was killed by SIGSEGV")
        assert "/nowhere/x'], cannot be started: No such file or directory" in ends["missing"]["last_lines"][-1]
        assert [supervisor.actor(name)["degraded"] for name in names] == [True, True, False, True]


@pytest.mark.system
def test_a_start_that_cannot_be_imported_leaves_the_tree_up_and_is_named(tmp_path: Path) -> None:
    tmp_path.joinpath("broken.py").write_text("import nothing_of_that_name\n")
    extra = setting({"id": "lost", "start": "nowhere:run"}, {"id": "broken", "start": "broken:run"}, path=str(tmp_path))
    with running(tmp_path, [child("ours")], *extra) as supervisor:
        said = supervisor.says("broken, an actor of your own, is not ready:")
        assert "VECTRA is ready: 1 actors" in said
        assert supervisor.actor("ours")["state"] == "ready"
        reasons = [until(lambda name=name: supervisor.actor(name)["reason"]) for name in ("lost", "broken")]  # type: ignore[misc]
        assert "start is 'nowhere:run', which cannot be imported: No module named 'nowhere'" in reasons[0]
        assert "start is 'broken:run', which cannot be imported: No module named 'nothing_of_that_name'" in reasons[1]
        assert {supervisor.actor(name)["state"] for name in ("lost", "broken")} == {"crash-looping"}
        degraded = vectra(tmp_path, "status")
        assert (degraded.returncode, "lost          died" in degraded.stdout) == (1, True)
        assert change(supervisor, setting({"id": "lost", "start": "children:works"})) == ["lost"], "mended"
        until(lambda: [actor["state"] for actor in supervisor.status()["actors"]] == ["ready", "ready"])


@pytest.mark.system
def test_a_reload_starts_stops_and_restarts_only_them(tmp_path: Path) -> None:
    extra = setting(program("stays", SLEEPS), program("goes", SLEEPS), program("changes", SLEEPS))
    with running(tmp_path, [child("ours")], *extra) as supervisor:
        before = {actor["name"]: actor["pid"] for actor in supervisor.status()["actors"]}
        new = setting(program("stays", SLEEPS, intensity=9), program("changes", "sleep 7"), program("comes", SLEEPS))
        assert change(supervisor, new) == ["changes"]
        names = ["ours", "stays", "changes", "comes"]

        def settled() -> bool:
            actors = supervisor.status()["actors"]
            ready = [(actor["name"], actor["state"]) for actor in actors] == [(name, "ready") for name in names]
            return bool(ready and is_anew(supervisor.actor("changes"), before["changes"]))

        until(settled)
        assert (supervisor.pid("ours"), supervisor.pid("stays")) == (before["ours"], before["stays"])
        assert is_gone(before["goes"])
        tmp_path.joinpath("set.json").write_text(json.dumps([*new, 'actors.groups=[{"id": "g", "strategy": "all"}]']))
        refused = vectra(tmp_path, "reload")
        assert (refused.returncode, "strategy is 'all', must be one of" in refused.stderr) == (2, True)
        assert supervisor.pid("comes") > 0
        assert {actor["state"] for actor in supervisor.status()["actors"]} == {"ready"}


@pytest.mark.system
def test_a_group_of_the_users_falls_together_and_ours_stand(tmp_path: Path) -> None:
    extra = setting(
        program("one", SLEEPS, group="g"), program("two", SLEEPS, group="g"), program("alone", SLEEPS),
        groups=[{"id": "g", "strategy": "one_for_all"}],
    )  # fmt: skip
    with running(tmp_path, [child("ours")], *extra) as supervisor:
        names = ("one", "two", "alone", "ours")
        until(lambda: {supervisor.actor(name)["state"] for name in names} == {"ready"})
        before = {name: supervisor.actor(name) for name in names}
        os.kill(before["one"]["stats"]["pid"], signal.SIGKILL)
        until(lambda: is_anew(supervisor.actor("two"), before["two"]["pid"]))
        until(lambda: is_anew(supervisor.actor("one"), before["one"]["pid"]))
        assert {supervisor.pid(name) for name in ("alone", "ours")} == {
            before[name]["pid"] for name in ("alone", "ours")
        }
        assert supervisor.actor("one")["last_exit"]["code"] == 128 + signal.SIGKILL
        assert supervisor.actor("two")["restarts"] == 0, "it was stopped, it did not fail"


def blocks(language: str) -> list[str]:
    """Return the how-to's examples, word for word."""
    return re.findall(rf"```{language}\n(.*?)```", HOW_TO.read_text(), re.S)


def test_every_example_of_settings_in_the_how_to_is_good(tmp_path: Path) -> None:
    for text in blocks("yaml"):
        file = tmp_path / "vectra.yaml"
        file.write_text(text)
        assert load(str(file), {}).config.actors.extra


def test_the_how_to_names_every_key_with_its_default() -> None:
    page = HOW_TO.read_text()
    for field in msgspec.structs.fields(ExtraActor):
        assert f"`{field.name}`" in page
    assert f"| `start_s` | `{ExtraActor(id='a').start_s}` |" in page


class HouseWithFile(House):
    """A house with a settings file."""

    def _command(self, *arguments: str) -> list[str]:
        return [*super()._command(*arguments), "--config", str(self.home / "vectra.yaml")]


@pytest.mark.system
def test_the_example_of_the_how_to_follows_the_game_word_for_word(tmp_path: Path) -> None:
    (code,) = blocks("python")
    assert len(code.splitlines()) <= 20
    tmp_path.joinpath("bots").mkdir()
    tmp_path.joinpath("bots", "doubled.py").write_text(code)
    tmp_path.joinpath("vectra.yaml").write_text(blocks("yaml")[0])
    house = HouseWithFile(tmp_path, {"VECTRA_SIMULATOR_SPEED": "20"})
    try:
        house.start()
        first = house.wait_until(lambda status: price_of(status) is not None)
        assert {actor["name"]: actor["restarts"] for actor in first["actors"]}["doubled"] == 0
        log = tmp_path / "data" / "run" / "log" / "doubled.log"
        wait_for(lambda: re.search(r"INFO +doubled: \S+ stands at \d+\.\d\d$", log.read_text(), re.M), 90)
        assert house.interrupt() == 0
        assert "doubled: stopped" in log.read_text()
    finally:
        house.end()


def price_of(status: dict[str, Any]) -> float | None:
    return next((a["stats"].get("price") for a in status["actors"] if a["name"] == "doubled"), None)
