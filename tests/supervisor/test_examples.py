"""Each command's help ends with examples that are understood; each shell gets a completion that answers."""

import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from supervisor.cli import main
from supervisor.examples import EXAMPLES
from tests.supervisor.test_cli import vectra
from tests.supervisor.test_reference import commands

ALL = commands(main)


def test_each_command_has_examples_and_no_other() -> None:
    assert set(EXAMPLES) == set(ALL)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_help_shows_examples_whose_words_are_understood(name: str) -> None:
    command = ALL[name]
    with click.Context(command, info_name=name) as context:
        shown = command.get_help(context)
    for example in EXAMPLES[name]:
        assert example in shown
        words = shlex.split(example.replace('eval "$(vectra-supervisor ', "").replace(')"', ""), comments=True)
        mine = words[: next((at for at, word in enumerate(words) if word in ("|", ">")), len(words))]
        prefix = name.split()
        assert mine[: len(prefix)] == prefix
        rest = mine[len(prefix) :]
        if not isinstance(command, click.Group):
            command.make_context(name, list(rest))
        elif rest:
            assert rest[0] in command.commands


@pytest.mark.system
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(tmp_path: Path, shell: str) -> None:
    result = vectra(tmp_path, "completion", shell)
    assert result.returncode == 0, result
    assert f"_VECTRA_SUPERVISOR_COMPLETE={shell}_complete" in result.stdout
    if shutil.which(shell) is not None:
        script = tmp_path / "script"
        script.write_text(result.stdout)
        subprocess.run([shell, "-n", script], check=True)


@pytest.mark.system
@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("vectra-supervisor rest", 1, {"plain,restart"}),
        ("vectra-supervisor restart capture", 2, {"plain,capture-a", "plain,capture-b"}),
        ("vectra-supervisor logs my", 2, {"plain,my-bot"}),
        ("vectra-supervisor start --d", 2, {"plain,--demo", "plain,--data-dir"}),
        ("vectra-supervisor completion f", 2, {"plain,fish"}),
    ],
)
def test_it_completes_commands_options_and_actors_the_users_own_too(
    tmp_path: Path, words: str, at: int, offered: set[str]
) -> None:
    tmp_path.joinpath("vectra.yaml").write_text('actors: {extra: [{id: my-bot, start: "m:f"}]}\n')
    asked = {"_VECTRA_SUPERVISOR_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    result = vectra(tmp_path, **asked)
    assert set(result.stdout.split()) == offered, result
