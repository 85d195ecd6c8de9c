"""The settings in force: defaults, then the file, then the environment, then the command line, later ones winning.

In: a path or none, the environment, `KEY=VALUE` texts. Out: `Loaded`, the finished `Config` with the source of every
value, or one `SettingsError` that holds all that is wrong, each with place, key, found value, rule and way out. Never
stops at the first error, never guesses.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct

from actors.core.config import Config
from supervisor.checks import faults
from supervisor.inner import wrong_inside
from supervisor.keys import OLDER_NAMES, Key, all_keys, all_sections, is_section, printable, show
from supervisor.settings_file import USER_FILE, SettingsFile, UnusableFile, find_file, read_file

__all__ = ["Loaded", "SettingsError", "build", "find_file", "load"]

COMMAND_LINE = "command line"
ERRORS_MAX = 50  # more are counted
DEPTH_MAX = 20  # of JSON in a variable or behind --set

OURS = frozenset({"VECTRA_FAULT", "VECTRA_PRELOAD"})  # variables that set no key and are no mistake

_WHERE = re.compile(r"(data_dir|runtime_dir)( is | stands |\?)", re.IGNORECASE)  # an error about where VECTRA runs
_BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class SettingsError(ValueError):
    """The settings cannot be used; `errors` has one message for each thing to mend.

    `usable` has the good values, defaults in place of the bad ones, where they still say for certain which directories
    are meant: enough to speak to a VECTRA that runs, never to start one. `by_chance`: the directories come from a file
    that was only found and is not trusted; nothing is to be written there.
    """

    def __init__(self, errors: list[str], usable: "Loaded | None" = None, *, by_chance: bool = False) -> None:
        shown = [printable(error) for error in errors[:ERRORS_MAX]]
        if len(errors) > ERRORS_MAX:
            shown.append(f"{len(errors) - ERRORS_MAX} more errors of this kind. Mend the first ones.")
        super().__init__("\n".join(shown))
        self.errors = shown
        self.usable = usable
        self.by_chance = by_chance


class Loaded(Struct, frozen=True, kw_only=True):
    """The settings, the file they came from, and where each value came from."""

    config: Config
    sources: dict[str, str]  # key -> "default", the file's name, a variable's name, "command line"
    path: str | None = None

    def origin(self) -> str:
        """Return which file was read, in a sentence."""
        return f"Settings: {self.path or 'the defaults; no vectra.yaml was found'}"


class _Found(Struct, frozen=True):
    """A value on its way: where it stood, and how to get rid of it."""

    value: Any
    source: str
    place: str  # what messages begin with
    undo: str


def load(given: str | None, environ: Mapping[str, str], overrides: Iterable[str] = ()) -> Loaded:
    """Return the settings in force. SettingsError: all that is wrong, at once."""
    errors: list[str] = []
    outside: dict[str, _Found] = {}
    _take_environment(environ, outside, errors)
    _take_command_line(overrides, outside, errors)
    file, file_errors = _read(given)
    found: dict[str, _Found] = {}
    readable = not file_errors
    if file is not None:
        readable = _take_file(file, found, file_errors) or _take_places(file, found, set(outside))
    elif file_errors:
        readable = "data_dir" in outside
    by_chance = _take_trust(file, {name: item.value for name, item in found.items() if name not in outside}, errors)
    by_chance |= _take_hiding(file, found, set(outside), errors)
    found |= outside
    errors = [*file_errors, *errors]
    path = find_file(given) if file_errors else None if file is None else file.path
    config = _assemble(found, errors)
    sources = {name: found[name].source if name in found else "default" for name in all_keys()}
    for key, value, rule, way_out in faults(config):
        whole = key.partition("[")[0]
        place = found[whole].place if whole in found else str(path or "settings")
        errors.append(f"{place}: {key} is {show(value)}, must be {rule}. {way_out}")
    loaded = Loaded(config=config, sources=sources, path=None if path is None else str(path.absolute()))
    if errors:
        sure = readable and not any(_puts_place_in_doubt(error, set(outside)) for error in errors)
        raise SettingsError(errors, loaded if sure else None, by_chance=by_chance)
    return loaded


def _read(given: str | None) -> tuple[SettingsFile | None, list[str]]:
    try:
        return read_file(given), []
    except UnusableFile as error:
        if error.content is not None and _says_defaults(error.content):
            return None, []  # as if it were not there: that is the same
        return None, [str(error)]


def _says_defaults(content: bytes) -> bool:
    """Return whether a file sets nothing that differs from the defaults, as the one that comes with VECTRA."""
    found: dict[str, _Found] = {}
    errors: list[str] = []
    is_read = _take_file(SettingsFile(path=Path(), content=content, is_local=True), found, errors)
    return is_read and not errors and all(item.value == all_keys()[name].default for name, item in found.items())


def _take_trust(file: SettingsFile | None, values: Mapping[str, Any], errors: list[str]) -> bool:
    """Refuse the keys of a found file that need trust; return whether the directories are among them."""
    if file is None or not file.is_local:
        return False
    from supervisor.trust import is_trusted_file, untrusted_keys, was_trusted

    keys = untrusted_keys(values)
    if not keys or is_trusted_file(file.path, file.content):
        return False
    why = "It has changed since you trusted it." if was_trusted(file.path) else "It was only found here."
    errors.append(
        f"{file.path}: sets {', '.join(keys)}, which a file in the working directory may set only where you trust it. "
        f"{why} Read it, then call `vectra-supervisor trust`, or name it: --config {file.path}."
    )
    return any(key in keys for key in ("data_dir", "runtime_dir"))


def _take_hiding(file: SettingsFile | None, found: dict[str, _Found], outside: set[str], errors: list[str]) -> bool:
    """Refuse a found file that would switch off what the user's own file protects or places; return as `_take_trust`.

    It counts instead of the user's, so one harmless line in it would be enough to open a locked door.
    """
    if file is None or not file.is_local:
        return False
    from supervisor.trust import hidden_keys, is_trusted_file

    own: dict[str, _Found] = {}
    try:
        user_file = read_file(USER_FILE)
    except UnusableFile:
        return False
    if user_file is None or is_trusted_file(file.path, file.content) or not _take_file(user_file, own, []):
        return False
    sides = ({name: item.value for name, item in side.items() if name not in outside} for side in (own, found))
    keys = hidden_keys(*sides)
    if keys:
        errors.append(
            f"{file.path}: was only found here and would count in place of {USER_FILE}, which sets {', '.join(keys)}. "
            f"Call `vectra-supervisor trust` to let it, or name one of them: --config {USER_FILE}."
        )
    return any(key in keys for key in ("data_dir", "runtime_dir"))


def _puts_place_in_doubt(error: str, outside: set[str]) -> bool:
    """Say whether an error leaves a doubt about where VECTRA runs; outside: the keys that no file decides."""
    if error.startswith(COMMAND_LINE):
        return True
    where = _WHERE.search(error)
    return where is not None and (error.startswith("environment") or where[1].lower() not in outside)


def _take_places(file: SettingsFile, found: dict[str, _Found], outside: set[str]) -> bool:
    """Take the directories from a file that cannot be read as settings; return whether they are known for certain."""
    from supervisor.salvage import PLACES, places

    try:
        text = file.content.decode("utf-8")
    except UnicodeDecodeError:
        return "data_dir" in outside
    values = places(text, tuple(key for key in PLACES if key not in outside))
    for name, value in (values or {}).items():
        _take_key(name, value, str(file.path), found, [])
    return values is not None


def _take_file(file: SettingsFile, found: dict[str, _Found], errors: list[str]) -> bool:
    """Take what the file says; return whether it could be read as settings at all."""
    from supervisor.yaml_file import read_yaml  # PyYAML costs a command 15 ms where there is no file

    place = str(file.path)
    data, form_errors = read_yaml(file.content, place)
    errors += form_errors
    for name, value in data.items():
        if name in all_sections():
            if isinstance(value, dict):
                for leaf, inner in value.items():
                    _take_key(f"{name}.{leaf}", inner, place, found, errors)
            elif value is not None:
                rule = "a section: its keys, indented, in the lines below it"
                errors.append(f"{place}: {name} is {show(value)}, must be {rule}. Remove the line for the defaults.")
        else:
            _take_key(name, value, place, found, errors)
    return bool(data) or not form_errors


def _take_key(name: str, value: Any, place: str, found: dict[str, _Found], errors: list[str]) -> None:
    if name in all_keys():
        found[name] = _Found(value, place, place, "Remove the line")
    else:
        meant = _suggestion(name) if len(errors) < ERRORS_MAX else ""
        errors.append(f"{place}: {name[:100]} is not a key.{meant} Remove the line.")


def _take_environment(environ: Mapping[str, str], found: dict[str, _Found], errors: list[str]) -> None:
    variables = {key.variable: name for name, key in all_keys().items()}
    for variable, name in [*OLDER_NAMES.items(), *variables.items()]:  # later ones win
        if variable in environ:
            _take_text(
                name, environ[variable], variable, f"environment: {variable}", f"Unset {variable}", found, errors
            )
    for variable in sorted(environ):
        if variable.startswith("VECTRA_") and variable not in variables and variable not in OURS:
            nearest = difflib.get_close_matches(variable, variables, 1)
            meant = f" Did you mean {nearest[0]}?" if nearest else ""
            errors.append(f"environment: {variable} sets no key.{meant} Unset it.")


def _take_command_line(overrides: Iterable[str], found: dict[str, _Found], errors: list[str]) -> None:
    for override in overrides:
        name, equals, text = override.partition("=")
        place = f"command line: --set {override}"
        if not equals:
            errors.append(f"{place}: is {override!r}, must be KEY=VALUE, as in --set feed.port=9000.")
        elif name not in all_keys():
            errors.append(f"{place}: {name} is not a key.{_suggestion(name)} Leave it out.")
        else:
            _take_text(name, text, COMMAND_LINE, "command line", f"Leave out --set {name}", found, errors)


def _take_text(
    name: str, text: str, source: str, place: str, undo: str, found: dict[str, _Found], errors: list[str]
) -> None:
    key = all_keys()[name]
    try:
        found[name] = _Found(_from_text(text, key.type), source, place, undo)
    except (ValueError, RecursionError):
        errors.append(_message(key, text, place, undo))


def _from_text(text: str, kind: Any) -> Any:
    """Turn a variable's text into a value of `kind`. ValueError: it cannot be one."""
    while hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    if get_origin(kind) is list:
        inner = get_args(kind)[0]
        if inner is str and not text.lstrip().startswith("["):
            return [part.strip() for part in text.split(",") if part.strip()]
        return _from_json(text)
    if get_origin(kind) is dict:
        return _from_json(text)
    if kind is bool:
        return _BOOLS.get(text.strip().lower(), text)
    if type(None) in get_args(kind) and text.strip() in ("", "null"):
        return None
    if kind in (int, float):
        return kind(text)
    return text


def _from_json(text: str) -> Any:
    """Return the value of a JSON text. ValueError, RecursionError: it is none, or deeper than any setting."""
    depth = deepest = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    if deepest > DEPTH_MAX:  # brackets in texts count too: settings have none so deep
        raise ValueError
    return json.loads(text)


def _assemble(found: dict[str, _Found], errors: list[str]) -> Config:
    """Put the good values together, defaults in place of the bad ones: the rules across keys are looked at too."""
    values: dict[str, Any] = {}
    for name, item in found.items():
        key = all_keys()[name]
        try:
            values[name] = msgspec.convert(item.value, key.type)
        except msgspec.ValidationError:
            inner = list(islice(wrong_inside(name, item.value, key.type), ERRORS_MAX + 1))
            errors += [f"{item.place}: {one.name} is {show(one.found)}, must be {one.rule}. Mend it." for one in inner]
            if not inner:
                errors.append(_message(key, item.value, item.place, item.undo))
    return build(values)


def build(values: Mapping[str, Any]) -> Config:
    """Return the settings with these values by dotted name, defaults elsewhere."""
    top: dict[str, Any] = {name: value for name, value in values.items() if "." not in name}
    for field in msgspec.structs.fields(Config):
        if is_section(field.type):
            prefix = field.name + "."
            inner = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
            top[field.name] = field.type(**inner)
    return Config(**top)


def _message(key: Key, value: Any, place: str, undo: str) -> str:
    default = f"{undo} for the default, {show(key.default)}."
    return f"{place}: {key.name} is {show(value)}, must be {key.rule}. {default}"


def _suggestion(name: str) -> str:
    known = [*all_keys(), *all_sections()]
    nearest = difflib.get_close_matches(name, known, 1, 0.6)
    if not nearest:
        leaf = name.rpartition(".")[2]
        nearest = [key for key in known if key.rpartition(".")[2] == leaf][:1]
    return f" Did you mean {nearest[0]}?" if nearest else ""
