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

    def load_to_find(self, *, writes: bool = False) -> Loaded:
        """Return the settings for finding a VECTRA, or its data: one line on stderr where some are bad.

        writes: the data there will be changed. SettingsError: they do not say for certain where that is, or something
        is to be written where only an untrusted file of the working directory says so.
        """
        try:
            return self.load()
        except SettingsError as error:
            if error.usable is None or (writes and error.by_chance):
                raise
            more = f" ({len(error.errors) - 1} more)" if len(error.errors) > 1 else ""
            data_dir = error.usable.config.data_path
            click.echo(
                f"warning: {error.errors[0]}{more} "
                f"Going on with data_dir {data_dir}; `vectra-supervisor check` says more.",
                err=True,
            )
            return error.usable

    def arguments(self) -> list[str]:
        """Return the same flags for another process."""
        config = ["--config", self.config] if self.config is not None else []
        return config + [part for override in self.overrides for part in ("--set", override)]


_CONFIG = click.option(
    "--config",
    "config_path",
    metavar="PATH",
    help="The settings file. Default: ./vectra.yaml if it is yours, else ~/.config/vectra/vectra.yaml.",
)
_DATA_DIR = click.option(
    "--data-dir",
    metavar="PATH",
    help="Where everything is recorded, above file and environment: --set data_dir=PATH.",
)
_SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="One setting, above file and environment, as in --set feed.port=9000. May be repeated.",
)


def settings_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --config, --data-dir and --set; they arrive as `given`."""

    @wraps(command)
    def with_settings(
        *args: Any, config_path: str | None, data_dir: str | None, overrides: tuple[str, ...], **kwargs: Any
    ) -> None:
        place = (f"data_dir={data_dir}",) if data_dir is not None else ()
        command(*args, given=Given(config_path, (*place, *overrides)), **kwargs)

    return _CONFIG(_DATA_DIR(_SET(with_settings)))
