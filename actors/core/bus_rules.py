"""ZeroMQ bind addresses and CURVE keys of `bus.*`: who could reach the doors, and whether they may be opened so.

In: the settings. Out: the faults, and the keys once they are good. A door that other machines or other users of this
one can reach by its address needs both CURVE settings, and one of the two without the other is refused: half a lock
locks nothing. `check` and the broadcaster apply the same rules. Reads key files; changes nothing.
"""

import ipaddress
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from actors.core.config import BusSection
from actors.core.curve_keys import CurveKeyError, ServerKeys, load_keys
from actors.core.ownership import is_ours, mode_text, place_fault

ANY_PORT = "0"
DEFAULT = "Remove the line for the default."
NEED_KEYS = "set both bus.curve_secret_file and bus.curve_clients_dir"
IPC_PATH_BYTES = 107  # sun_path of unix(7), less the final NUL


class BusFault(NamedTuple):
    """One broken rule."""

    key: str
    found: object
    rule: str
    way_out: str


class AddressError(ValueError):
    """A configured address cannot or must not be used; the text says why, and what to do."""


def bus_faults(bus: BusSection, *, modes: bool = True) -> Iterator[BusFault]:
    """Yield every broken rule of the section. modes: those about who may read and write files and folders too."""
    locked = bool(bus.curve_secret_file and bus.curve_clients_dir)
    for key, address in (("bus.events", bus.events), ("bus.requests", bus.requests)):
        if (fault := _address_fault(key, address, locked=locked, modes=modes)) is not None:
            yield fault
    for key, value, other in (
        ("bus.curve_secret_file", bus.curve_secret_file, "bus.curve_clients_dir"),
        ("bus.curve_clients_dir", bus.curve_clients_dir, "bus.curve_secret_file"),
    ):
        if not value and getattr(bus, other.removeprefix("bus.")):
            yield BusFault(key, value, f"set, since {other} is: one without the other locks nothing", f"Set {key} too.")
    if locked:
        try:
            load_keys(bus, modes=modes)
        except CurveKeyError as error:
            yield BusFault(error.key, error.found, error.rule, error.way_out)


def server_keys(bus: BusSection) -> ServerKeys | None:
    """Return the keys of a locked door, None for an open one. AddressError: a rule is broken.

    Modes were looked at where the settings were read: a door that is open must not close at a restart for a chmod.
    """
    for key, found, rule, way_out in bus_faults(bus, modes=False):
        raise AddressError(f"{key} is {found!r}, must be {rule}. {way_out}")
    return load_keys(bus, modes=False) if bus.curve_secret_file and bus.curve_clients_dir else None


def split_address(key: str, address: str) -> tuple[str, str]:
    """Return (host, port) of a tcp address; the port may be `*` or `0`. AddressError: it is none."""
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not host or not (port == "*" or _is_port(port)):
        raise AddressError(f"{key} is {address!r}, must be tcp://HOST:PORT. Remove the line for the default.")
    return host, ANY_PORT if port == "*" else port


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address on `host`."""
    if host in ("localhost", "lo"):
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False  # a name, an interface, or `*`


def ipc_file(address: str) -> Path:
    """Return the path of an `ipc://` address."""
    return Path(address.removeprefix("ipc://")).expanduser()


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65_535


def _address_fault(key: str, address: str, *, locked: bool, modes: bool) -> BusFault | None:
    if address.startswith("ipc://"):
        return _ipc_fault(key, address, locked=locked, modes=modes)
    try:
        host, _ = split_address(key, address)
    except AddressError:
        return BusFault(key, address, "tcp://HOST:PORT or ipc://PATH", DEFAULT)
    if locked or is_loopback(host):
        return None
    rule = "a loopback address, as long as there are no CURVE keys"
    way_out = f"Use tcp://127.0.0.1:PORT, or {NEED_KEYS}: what other machines can reach needs CURVE keys."
    return BusFault(key, address, rule, way_out)


def _ipc_fault(key: str, address: str, *, locked: bool, modes: bool) -> BusFault | None:
    if address.startswith("ipc://@"):
        rule = "a path: every user of this machine can reach an abstract socket, which needs CURVE keys"
        return None if locked else BusFault(key, address, rule, f"Use ipc:///PATH, or {NEED_KEYS}.")
    try:
        path = ipc_file(address)
    except RuntimeError:  # ~nobody
        return BusFault(key, address, "a whole path, from / or ~", DEFAULT)
    if not path.is_absolute() or "\0" in address or len(os.fsencode(path)) > IPC_PATH_BYTES:
        rule = f"ipc:// and a whole path, from / or ~, of at most {IPC_PATH_BYTES} bytes"
        return BusFault(key, address, rule, DEFAULT)
    if os.path.lexists(path) and not stat.S_ISSOCK(path.lstat().st_mode):
        return BusFault(key, address, "a new path or a socket: the file there would be deleted", "Choose another path.")
    return _open_place_fault(key, address, path.parent) if modes and not locked else None


def _open_place_fault(key: str, address: str, folder: Path) -> BusFault | None:
    """Return why others could reach a socket in a folder."""
    way_out = f"Put it into a directory of mode 700, or {NEED_KEYS}."
    if (fault := place_fault(folder)) is not None:
        return BusFault(key, address, f"in a private directory; {folder} {fault.found}", way_out)
    if folder.exists():
        about = folder.stat()
        if not is_ours(about) or about.st_mode & 0o077:
            return BusFault(key, address, f"in a private directory; {folder} has mode {mode_text(about)}", way_out)
    return None
