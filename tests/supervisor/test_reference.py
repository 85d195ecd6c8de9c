"""The reference pages name every key and every command, as they are in the code."""

import json
import re
from pathlib import Path

import click
import pytest

from supervisor.cli import main
from supervisor.keys import OLDER_NAMES, all_keys

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"


def default_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def commands(group: click.Group, prefix: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[prefix + name] = command
        if isinstance(command, click.Group):
            found |= commands(command, f"{name} ")
    return found


def test_every_key_is_on_the_page_with_default_and_rule_and_no_other() -> None:
    page = (DOCS / "configuration.md").read_text()
    for key in all_keys().values():
        assert f"| `{key.name}` | `{default_text(key.default)}` | {key.rule} | " in page
    listed = set(re.findall(r"^\| `([a-z_.]+)` \| `", page, re.M))
    assert listed == set(all_keys())


def test_every_older_name_is_on_the_page() -> None:
    page = (DOCS / "configuration.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)` \| `([a-z_.]+)` \|$", page, re.M)) == set(OLDER_NAMES.items())


@pytest.mark.parametrize("name", sorted(commands(main)))
def test_every_command_is_on_the_page_with_its_options(name: str) -> None:
    page = (DOCS / "cli.md").read_text()
    assert f"### `{name}`\n" in page or f"| `{name}` |" in page
    command = commands(main)[name]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert any(option in page for option in parameter.opts)
    assert command.help is not None
    assert len(command.help) > 30


def test_the_page_names_no_command_that_is_not_there() -> None:
    page = (DOCS / "cli.md").read_text()
    assert set(re.findall(r"^### `(.+)`$", page, re.M)) == set(main.commands)
