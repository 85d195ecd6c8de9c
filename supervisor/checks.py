"""Rules that look at more than one key, or at more than a value's type and range.

In: settings whose every key is valid for itself. Out: what is wrong, as (key, found, rule, way out). Never touches the
network; of the file system it looks only at key files and their folders. Whether the directories may be used is said
by `places`, since that can change while VECTRA runs.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from actors.core.bus import IPC_PATH_LIMIT, ipc_path
from actors.core.bus_rules import bus_faults, is_loopback
from actors.core.config import Config
from actors.core.streams import ALL
from supervisor.extras import wrong_actors
from supervisor.plan import known_ids

TUNNEL = (
    "Keep it on 127.0.0.1 and reach it from elsewhere through an SSH tunnel (ssh -L 5000:127.0.0.1:5000 HOST) or a "
    "reverse proxy with its own access control."
)
_VARIABLE = re.compile(r"\$(\w|\{)")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")  # RFC 6454, 6.2


class Fault(NamedTuple):
    """One broken rule."""

    key: str
    found: object
    rule: str
    way_out: str


def faults(config: Config) -> Iterator[Fault]:
    """Yield every broken rule."""
    wrong_paths = list(_paths(config))
    yield from wrong_paths or _directories(config)
    yield from _site(config)
    for key, host in (("feed.host", config.feed.host), ("web.host", config.web.host)):
        if not is_loopback(host):
            yield Fault(key, host, "a loopback address such as 127.0.0.1", TUNNEL)
    if not is_loopback(config.simulator.host):
        host = config.simulator.host
        yield Fault("simulator.host", host, "a loopback address such as 127.0.0.1", "Remove the line.")
    yield from _origins(config)
    yield from (Fault(*fault) for fault in bus_faults(config.bus))
    yield from _same_ports(config)
    yield from (Fault(*wrong) for wrong in wrong_actors(config.actors, known_ids()))


def _paths(config: Config) -> Iterator[Fault]:
    """Look at every path for what would silently become another one, or none at all."""
    for key, path in (
        ("data_dir", config.data_dir),
        ("runtime_dir", config.runtime_dir),
        ("browser.profile_dir", config.browser.profile_dir),
        ("browser.binary", config.browser.binary),
        ("bus.curve_secret_file", config.bus.curve_secret_file),
        ("bus.curve_clients_dir", config.bus.curve_clients_dir),
        ("simulator.replay", config.simulator.replay),
        *((f"actors.path[{number}]", folder) for number, folder in enumerate(config.actors.path)),
        *((f"actors.extra[{number}].folder", actor.folder) for number, actor in enumerate(config.actors.extra)),
    ):
        if path is not None and (rule := _path_rule(path)):
            yield Fault(key, path, rule, "Write it in full, or remove the line for the default.")


def _path_rule(path: str) -> str:
    """Return the rule that a path breaks, nothing where it breaks none."""
    if not path.strip() or "\0" in path:
        return "a path"
    if _VARIABLE.search(path):
        return "a path without variables: nothing but ~ is replaced by what it stands for"
    try:
        Path(path).expanduser()
    except RuntimeError:
        return "a path whose ~ names a user of this machine"
    return ""


def _directories(config: Config) -> Iterator[Fault]:
    longest = max((ipc_path(config.runtime_path, stream) for stream in ALL), key=lambda path: len(str(path).encode()))
    over = len(str(longest).encode()) - IPC_PATH_LIMIT
    if over > 0:
        found = str(config.runtime_path)
        most = len(found.encode()) - over
        rule = f"at most {most} bytes long (it has {most + over}): Linux allows a socket's path {IPC_PATH_LIMIT} bytes"
        yield Fault("runtime_dir", found, rule, "Set runtime_dir to a shorter path, for example /tmp/vectra-run.")
    if config.browser.profile in (".", ".."):
        yield Fault("browser.profile", config.browser.profile, "the name of a directory", "Choose another name.")


def _site(config: Config) -> Iterator[Fault]:
    try:
        re.compile(config.site.socket_pattern)
    except re.error as error:
        rule = f"a Python regular expression ({error})"
        yield Fault("site.socket_pattern", config.site.socket_pattern, rule, "Remove the line for the default.")


def _origins(config: Config) -> Iterator[Fault]:
    """Refuse what never matches a page's Origin and so only looks as if it did something, and what matches too many."""
    for number, origin in enumerate(config.feed.allowed_origins):
        if not _ORIGIN.fullmatch(origin):
            rule = "SCHEME://HOST or SCHEME://HOST:PORT of one site, as in https://example.org; there are no patterns"
            yield Fault(f"feed.allowed_origins[{number}]", origin, rule, "Name each site, or leave it out.")


def _same_ports(config: Config) -> Iterator[Fault]:
    taken: dict[int, str] = {}
    ports = {
        "browser.cdp_port": config.browser.cdp_port,
        "feed.port": config.feed.port,
        "monitor.port": config.monitor.port,
        "bus.events": _port(config.bus.events),
        "bus.requests": _port(config.bus.requests),
        "web.port": config.web.port,
        "simulator.port": config.simulator.port,
    }
    for key, port in ports.items():
        if port and port in taken:
            yield Fault(key, port, f"another port than {taken[port]}", "Give each its own, or 0 for any free one.")
        taken.setdefault(port, key)


def _port(address: str) -> int:
    try:
        return urlsplit(address).port or 0
    except ValueError:
        return 0
