"""The flags that every command takes, and the settings they lead to."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from msgspec import Struct

from supervisor.settings import Loaded, SettingsError, load


class Given(Struct, frozen=True):
    """What the user said about the settings."""

    config: str | None
    overrides: tuple[str, ...]

    def load(self) -> Loaded:
        """Return the settings in force. SettingsError: all that is wrong with them."""
        return load(self.config, os.environ, self.overrides)

    def load_to_find(self) -> Loaded:
        """Return the settings for speaking to a VECTRA that runs: one line on stderr where some are bad.

        SettingsError: they do not say for certain where it runs.
        """
        try:
            return self.load()
        except SettingsError as error:
            if error.usable is None:
                raise
            more = f" ({len(error.errors) - 1} more)" if len(error.errors) > 1 else ""
            click.echo(f"warning: {error.errors[0]}{more} Run `vectra-supervisor check`.", err=True)
            return error.usable

    def arguments(self) -> list[str]:
        """Return the same flags for another process."""
        config = ["--config", self.config] if self.config is not None else []
        return config + [part for override in self.overrides for part in ("--set", override)]


_CONFIG = click.option(
    "--config",
    "config_path",
    metavar="PATH",
    help="The settings file. Default: ./vectra.yaml, else ~/.config/vectra/vectra.yaml.",
)
_SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="One setting, above file and environment, as in --set feed.port=9000. May be repeated.",
)


def settings_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --config and --set; they arrive as `given`."""

    @wraps(command)
    def with_settings(*args: Any, config_path: str | None, overrides: tuple[str, ...], **kwargs: Any) -> None:
        command(*args, given=Given(config_path, overrides), **kwargs)

    return _CONFIG(_SET(with_settings))
