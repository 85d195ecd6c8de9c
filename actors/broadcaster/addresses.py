"""Where the ZeroMQ doors listen: addresses to bind, in order of trial.

In: `bus.events` and `bus.requests` as configured. Out: what to bind, and what clients connect to. Whether an address
may be used is said by `actors.core.bus_rules`. Port 0, or `*`, takes the port an earlier incarnation had, else any.
"""

from pathlib import Path

from actors.core.bus_rules import ANY_PORT, AddressError, ipc_file, server_keys, split_address
from actors.core.config import BusSection
from actors.core.endpoints import remembered_port
from actors.core.files import PRIVATE_DIR

__all__ = ["AddressError", "candidates", "check", "reachable"]


def check(bus: BusSection) -> None:
    """Raise AddressError where an address or the keys are wrong, or others could reach a door without keys."""
    server_keys(bus)


def candidates(runtime_dir: Path, name: str, key: str, address: str) -> list[str]:
    """Return the addresses to try to bind, best first; the folder of an ipc address is there then."""
    if address.startswith("ipc://"):
        if address.startswith("ipc://@"):
            return [address]
        path = ipc_file(address)
        path.parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        return [f"ipc://{path}"]
    host, port = split_address(key, address)
    if port != ANY_PORT:
        return [f"tcp://{host}:{port}"]
    remembered = remembered_port(runtime_dir, name, 0)
    return [*([f"tcp://{host}:{remembered}"] if remembered else []), f"tcp://{host}:*"]


def reachable(endpoint: str) -> str:
    """Return a bound endpoint as something to connect to."""
    return endpoint.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")
