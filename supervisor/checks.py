"""Rules that look at more than one key, or at more than a value's type and range.

In: settings whose every key is valid for itself. Out: what is wrong, as (key, found, rule, way out). Never touches the
network; of the file system it looks only at whether a named key file is there.
"""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from actors.core.bus import IPC_PATH_LIMIT, ipc_path
from actors.core.config import Config
from actors.core.streams import ALL
from supervisor.extras import wrong_actors
from supervisor.plan import known_ids

TUNNEL = (
    "Keep it on 127.0.0.1 and reach it from elsewhere through an SSH tunnel (ssh -L 5000:127.0.0.1:5000 HOST) or a "
    "reverse proxy with its own access control."
)


class Fault(NamedTuple):
    """One broken rule."""

    key: str
    found: object
    rule: str
    way_out: str


def is_loopback(host: str) -> bool:
    """Say whether an address or name reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def faults(config: Config) -> Iterator[Fault]:
    """Yield every broken rule."""
    yield from _directories(config)
    yield from _site(config)
    for key, host in (("feed.host", config.feed.host), ("web.host", config.web.host)):
        if not is_loopback(host):
            yield Fault(key, host, "a loopback address such as 127.0.0.1", TUNNEL)
    if not is_loopback(config.simulator.host):
        host = config.simulator.host
        yield Fault("simulator.host", host, "a loopback address such as 127.0.0.1", "Remove the line.")
    yield from _door("bus.events", config.bus.events, config)
    yield from _door("bus.requests", config.bus.requests, config)
    yield from _same_ports(config)
    yield from (Fault(*wrong) for wrong in wrong_actors(config.actors, known_ids()))


def _directories(config: Config) -> Iterator[Fault]:
    for key, path in (("data_dir", config.data_dir), ("runtime_dir", config.runtime_dir)):
        if path is not None and not path.strip():
            yield Fault(key, path, "a path", "Remove the line for the default.")
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


def _door(key: str, address: str, config: Config) -> Iterator[Fault]:
    if address.startswith("ipc://"):
        return
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not address.startswith("tcp://") or not host or port is None:
        yield Fault(key, address, "tcp://HOST:PORT or ipc://PATH", "Remove the line for the default.")
        return
    if is_loopback(host):
        return
    secret = config.bus.curve_secret_file
    if secret is None:
        rule = "a loopback address, as long as there are no CURVE keys"
        yield Fault(key, address, rule, "Use tcp://127.0.0.1:PORT, or set bus.curve_secret_file.")
    elif not Path(secret).expanduser().is_file():
        yield Fault("bus.curve_secret_file", secret, "an existing file", f"Create it, or put {key} on 127.0.0.1.")


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
