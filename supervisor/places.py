"""Directory checks: may VECTRA write in the directories that the settings name?

In: the settings. Out: what is wrong, as (key, found, rule, way out). `check` and `doctor` report it, and whatever
writes there refuses it. Looks only. Not part of the settings' own rules: a directory that somebody opened to others
while VECTRA runs must not keep `stop` from finding it.
"""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from actors.core.config import Config
from actors.core.ownership import DirectoryFault, place_fault
from supervisor.checks import Fault
from supervisor.settings import Loaded

HOME_RULE = "a directory of VECTRA's own, not your home directory itself"


def place_faults(config: Config) -> Iterator[Fault]:
    """Yield what is wrong with the directories of a whole VECTRA."""
    yield from data_faults(config.data_path, config.data_dir)
    runtime = config.runtime_path
    if runtime != config.data_path:
        yield from _faults("runtime_dir", runtime, config.runtime_dir or str(runtime))
    key = "browser.profile_dir" if config.browser.profile_dir else "browser.profile"
    yield from _faults(key, config.profile_path, config.browser.profile_dir or config.browser.profile)


def data_faults(path: Path, written: str | None = None) -> Iterator[Fault]:
    """Yield what is wrong with a data directory. written: as it stands in the settings."""
    yield from _faults("data_dir", path, written or str(path))


def place_errors(loaded: Loaded) -> list[str]:
    """Return what is wrong with the directories, each as a message with its place."""
    origin = {name: "settings" if source == "default" else source for name, source in loaded.sources.items()}
    return [f"{origin[fault.key]}: {in_words(fault)}" for fault in place_faults(loaded.config)]


def in_words(fault: Fault) -> str:
    """Return a fault as one sentence and the way out."""
    return f"{fault.key} is {fault.found!r}, must be {fault.rule}. {fault.way_out}"


def _faults(key: str, path: Path, written: str) -> Iterator[Fault]:
    fault = _home_fault(key, path, written) or place_fault(path)
    if fault is not None:
        what = f"{fault.rule}: {path} {fault.found}"
        yield Fault(key, written, what, fault.way_out)


def _home_fault(key: str, path: Path, written: str) -> DirectoryFault | None:
    """Refuse the home directory: by the user's entry, or written as `~`; a profile also where $HOME names it."""
    homes = {_home_of_user(), *([os.environ.get("HOME", "")] if key.startswith("browser.") else [])}
    if written.rstrip("/") != "~" and str(path) not in homes and os.path.realpath(path) not in homes:
        return None
    return DirectoryFault("is your home directory", HOME_RULE, f"Use one inside it, as in {path / 'vectra'}.")


def _home_of_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""
