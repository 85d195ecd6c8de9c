"""The wiring on one page: which actors there are, in which order they start and stop, and what restarts them.

They start against the flow of the data, all at once in this order without waiting (readiness never depends on another
actor), and stop with it, one after the other, in the reverse of this order. Two exceptions from the pure flow: the
pilot, which acts on the page, starts last and stops first, or it would reload what is being shut down; the simulator,
upstream of the browser, outlives it, or the last thing on record were the page's futile attempts to reconnect. The
user's own actors (`actors.extra`) come after all of ours, in their order in the file.
"""

from pathlib import Path
from typing import Any

import msgspec

from actors.core.config import Config, ExtraActor
from supervisor.spec import ChildSpec, Group, validated

CAPTURE_HANG_S = 1.0  # the other capture covers that long, see docs/architecture.md
RECORDING = ("capture-a", "capture-b", "journal")
RECORDING_WAIT_S = 2.0  # while one of these crash-loops frames are lost: a try costs less than they do

DEMO_SOCKETS = r"^wss?://127\.0\.0\.1(:\d+)?/socket\.io/"

_PLAN: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # id, start, the settings it reads ("log" is everyone's); tests/supervisor/test_plan_sections.py compares
    ("web", "web.actor:run", ("web",)),
    ("broadcaster", "actors.broadcaster.actor:run", ("feed", "monitor", "bus", "web")),
    ("state", "actors.state.actor:run", ()),
    ("writer", "actors.writer.actor:run", ("recording",)),
    ("normalizer", "actors.normalizer:run", ()),
    ("journal", "actors.journal.actor:run", ("journal", "recording", "site", "capture")),
    ("capture-b", "actors.capture.actor:run", ("capture", "privacy", "site")),
    ("capture-a", "actors.capture.actor:run", ("capture", "privacy", "site")),
    ("simulator", "actors.simulator.actor:run", ("simulator",)),
    ("browser", "actors.browser.actor:run", ("browser",)),
    ("pilot", "actors.pilot.actor:run", ("site", "capture")),
)

PROGRAM = "actors.program:run"  # what a plain program's actor runs

FIXED_KEYS = ("data_dir", "runtime_dir")
"""Settings that every actor stands on: they change with a new start of the whole, never by a reload."""


def plan(config: Config, demo: bool) -> list[ChildSpec]:
    """Return the children of VECTRA in start order."""
    settings = config.supervisor
    absent = {name for name, there in (("simulator", demo), ("capture-b", config.capture.standby)) if not there}
    ours = [
        ChildSpec(
            id=name,
            start=start,
            shutdown_s=settings.stop_timeout_s,
            start_timeout_s=settings.start_timeout_s,
            hang_s=CAPTURE_HANG_S if name.startswith("capture") else settings.hang_s,
            longest_wait_s=RECORDING_WAIT_S if name in RECORDING else 30.0,
            intensity=settings.intensity,
            period_s=settings.period_s,
            sections=(*sections, "log"),
        )
        for name, start, sections in _PLAN
        if name not in absent
    ]
    return validated([*ours, *extras(config)], groups(config))


def extras(config: Config) -> list[ChildSpec]:
    """Return the user's own actors, in the order of the file."""
    return [_extra(actor, config) for actor in config.actors.extra]


def groups(config: Config) -> list[Group]:
    """Return the groups that the user described; our own actors stand each alone."""
    return [
        Group(id=group.id, strategy=group.strategy, intensity=group.intensity, period_s=group.period_s)
        for group in config.actors.groups
    ]


def _extra(actor: ExtraActor, config: Config) -> ChildSpec:
    """Return the spec of a user's own actor. They start last and stop first: what they look at is there meanwhile."""
    settings = config.supervisor

    def own(name: str, default: str = "") -> Any:
        value = getattr(actor, name)
        return getattr(settings, default or name) if value is None else value

    return ChildSpec(
        id=actor.id,
        start=actor.start or PROGRAM,
        restart=actor.restart,
        shutdown_s=own("shutdown_s", "stop_timeout_s"),
        start_timeout_s=own("start_timeout_s"),
        hang_s=own("hang_s"),
        intensity=own("intensity"),
        period_s=own("period_s"),
        group=actor.group,
        sections=("log",),
        path=tuple(str(Path(folder).expanduser()) for folder in config.actors.path),
        extra=actor,
    )


def known_ids() -> tuple[str, ...]:
    """Return every id that a plan may hold, in start order."""
    return tuple(name for name, _, _ in _PLAN)


def longest_stop_s(config: Config) -> float:
    """Return how long a stop can take: each actor after the other, the user's own with limits of their own."""
    ours_s = config.supervisor.stop_timeout_s
    extra_s = [ours_s if actor.shutdown_s is None else actor.shutdown_s for actor in config.actors.extra]
    return ours_s * len(_PLAN) + sum(extra_s)


def demo_config(config: Config) -> Config:
    """Return a demo's settings: the simulator's sockets, its own profile and data, the usual runtime directory."""
    data = config.data_path / "demo"
    return msgspec.structs.replace(
        config,
        data_dir=str(data),
        runtime_dir=str(config.runtime_path),
        site=msgspec.structs.replace(config.site, socket_pattern=DEMO_SOCKETS),
        browser=msgspec.structs.replace(config.browser, headless=True, profile_dir=str(data / "profile"), cdp_port=0),
    )
