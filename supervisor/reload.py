"""A changed file, applied: which actors read what changed, and only those restart.

In: the settings as they were and as they are now read. Out: a new plan in the tree. All or nothing: settings with an
error, or with a change that a running tree cannot take, leave everything as it was.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from actors.core.config import Config
from supervisor.child import Child
from supervisor.control import Refused
from supervisor.plan import FIXED_KEYS, demo_config, groups
from supervisor.settings import Loaded, SettingsError
from supervisor.spec import ChildSpec
from supervisor.tree import Tree


def apply(
    read_again: Callable[[], Loaded],
    old: Config,
    demo: bool,
    tree: Tree,
    planner: Callable[[Config, bool], list[ChildSpec]],
) -> tuple[Loaded, Config, list[str]]:
    """Read the settings again, bring the tree in line; return them and who restarts. Refused: nothing changed."""
    try:
        loaded = read_again()
    except SettingsError as error:
        raise Refused(str(error)) from None
    new = absolute(demo_config(loaded.config) if demo else loaded.config)
    for key in FIXED_KEYS:
        was, is_now = getattr(old, key), getattr(new, key)
        if was != is_now:
            raise Refused(
                f"{key} was {was!r} and is now {is_now!r}, must stay the same while VECTRA runs. "
                "Stop it, then start it again."
            )
    specs = planner(new, demo)
    changed = affected_ids(specs, changed_sections(old, new), tree.children)
    changed += [id_ for id_ in changed_extras(specs, tree.children) if id_ not in changed]
    tree.replan(specs, new, set(changed), groups(new))
    return loaded, new, changed


def changed_extras(specs: Iterable[ChildSpec], running: Mapping[str, Child]) -> list[str]:
    """Return the user's own actors that are to run something else; limits alone apply without a restart."""
    pairs = [(spec, running[spec.id].spec) for spec in specs if spec.extra is not None and spec.id in running]
    return [new.id for new, old in pairs if _what_runs(new) != _what_runs(old)]


def _what_runs(spec: ChildSpec) -> object:
    extra = spec.extra
    own = None if extra is None else (extra.command, extra.start_s, extra.folder, extra.environment, extra.shutdown_s)
    return spec.start, spec.path, own


def absolute(config: Config) -> Config:
    """Return the settings with their directories as absolute paths, whatever the working directory."""
    return msgspec.structs.replace(config, data_dir=str(config.data_path), runtime_dir=str(config.runtime_path))


def changed_sections(old: Config, new: Config) -> set[str]:
    """Return the names of the sections that differ."""
    return {name for name in old.__struct_fields__ if getattr(old, name) != getattr(new, name)}


def affected_ids(specs: Iterable[ChildSpec], sections: set[str], running: Iterable[str]) -> list[str]:
    """Return the running actors that read one of the sections, in start order."""
    there = set(running)
    return [spec.id for spec in specs if spec.id in there and sections & set(spec.sections)]
