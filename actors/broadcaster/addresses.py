"""Where the ZeroMQ doors listen, and whether they may.

In: `bus.events` and `bus.requests` as configured. Out: addresses to bind, in order of trial. An address that other
machines can reach is refused without CURVE keys. Port 0, or `*`, takes the port an earlier incarnation had, else any.
"""

import ipaddress
from pathlib import Path

from actors.core.config import BusSection
from actors.core.endpoints import remembered_port

ANY_PORT = "0"


class AddressError(ValueError):
    """A configured address cannot or must not be used; the text says why, and what to do."""


def check(bus: BusSection) -> None:
    """Raise AddressError where an address is wrong, or reachable from other machines without keys."""
    for key, address in (("bus.events", bus.events), ("bus.requests", bus.requests)):
        if address.startswith("ipc://"):
            continue
        host, _ = split(key, address)
        if not is_loopback(host) and not (bus.curve_secret_file and bus.curve_clients_dir):
            raise AddressError(
                f"{key} is {address!r}: other machines can reach it, which needs CURVE keys. "
                "Set bus.curve_secret_file and bus.curve_clients_dir, or use tcp://127.0.0.1."
            )


def split(key: str, address: str) -> tuple[str, str]:
    """Return (host, port) of a tcp address; the port may be `*` or `0`."""
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not host or not (port == "*" or port.isdecimal()):
        raise AddressError(f"{key} is {address!r}, must be tcp://HOST:PORT. Remove the line for the default.")
    return host, ANY_PORT if port == "*" else port


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address on `host`."""
    if host in ("localhost", "lo"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False  # a name, an interface, or `*`


def candidates(runtime_dir: Path, name: str, key: str, address: str) -> list[str]:
    """Return the addresses to try to bind, best first."""
    if address.startswith("ipc://"):
        return [address]
    host, port = split(key, address)
    if port != ANY_PORT:
        return [f"tcp://{host}:{port}"]
    remembered = remembered_port(runtime_dir, name, 0)
    return [*([f"tcp://{host}:{remembered}"] if remembered else []), f"tcp://{host}:*"]


def reachable(endpoint: str) -> str:
    """Return a bound endpoint as something to connect to."""
    return endpoint.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")
