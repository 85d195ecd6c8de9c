"""CURVE keys of the ZeroMQ doors, loaded as the broadcaster uses them, so that `check` finds what would fail there.

In: the paths in the settings. Out: the server's key pair and the folder of the clients' public keys. `CurveKeyError`
names the setting, what was found, the rule and the way out: a secret that others may read, a public key given as the
secret, an empty folder, a folder that others may add a key to. Changes nothing.
"""

import stat
import struct
from os import stat_result
from pathlib import Path

from msgspec import Struct

from actors.core.config import BusSection
from actors.core.ownership import is_trusted, mode_text, others_may_write, user_name

SECRET, CLIENTS = "bus.curve_secret_file", "bus.curve_clients_dir"
KEY_FILE_BYTES = 65_536  # a certificate as zmq.auth writes it has some 400
KEY_CHARACTERS = 40  # Z85 of 32 bytes
MAKE_ONE = "zmq.auth.create_certificates(FOLDER, 'server') makes a pair; the name of the secret ends in .key_secret."


class ServerKeys(Struct, frozen=True, kw_only=True):
    """What a locked door needs."""

    public: bytes
    secret: bytes
    clients_dir: Path


class CurveKeyError(ValueError):
    """The keys cannot or must not be used."""

    def __init__(self, key: str, found: object, rule: str, way_out: str) -> None:
        super().__init__(f"{key} is {found}, must be {rule}. {way_out}")
        self.key, self.found, self.rule, self.way_out = key, found, rule, way_out


def load_keys(bus: BusSection, *, modes: bool = True) -> ServerKeys:
    """Return the keys that both settings name. CurveKeyError: they cannot or must not be used.

    modes: refuse also what others may read or write.
    """
    secret_file = _path(SECRET, bus.curve_secret_file)
    public, secret = _pair(SECRET, secret_file)
    if secret is None:
        raise CurveKeyError(SECRET, str(secret_file), "a file with a secret key: it holds a public key alone", MAKE_ONE)
    if modes:
        _check_private(secret_file)
    from zmq import curve_public

    if curve_public(secret) != public:
        rule = "a file whose public key belongs to its secret key: clients that know this one could not connect"
        raise CurveKeyError(SECRET, str(secret_file), rule, MAKE_ONE)
    clients_dir = _path(CLIENTS, bus.curve_clients_dir)
    _check_clients(clients_dir, modes=modes)
    return ServerKeys(public=public, secret=secret, clients_dir=clients_dir)


def _path(key: str, value: str | None) -> Path:
    try:
        return Path(value or "").expanduser().absolute()
    except RuntimeError:
        raise CurveKeyError(key, value, "a path whose ~ names a user of this machine", "Write it in full.") from None


def _pair(key: str, path: Path) -> tuple[bytes, bytes | None]:
    """Return (public, secret or None) of a certificate file."""
    from zmq.auth import load_certificate

    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > KEY_FILE_BYTES:
            raise CurveKeyError(key, str(path), f"a file of at most {KEY_FILE_BYTES} bytes with a CURVE key", MAKE_ONE)
        public, secret = load_certificate(path)
    except OSError as error:
        raise CurveKeyError(key, str(path), f"a file that can be read ({error.strerror})", MAKE_ONE) from None
    except ValueError:
        raise CurveKeyError(key, str(path), "a certificate of ZeroMQ with a public key", MAKE_ONE) from None
    for part in (public, secret):
        if part is not None and not _is_key(part):
            rule = f"a certificate whose keys have {KEY_CHARACTERS} characters of Z85"
            raise CurveKeyError(key, str(path), rule, MAKE_ONE)
    return public, secret


def _is_key(text: bytes) -> bool:
    from zmq.utils.z85 import decode

    try:
        return len(text) == KEY_CHARACTERS and len(decode(text)) == 32
    except (KeyError, ValueError, struct.error):  # the last: five characters that stand for more than 32 bits
        return False


def _check_private(path: Path) -> None:
    """Refuse a secret that another may read, change or replace."""
    about, folder = path.stat(), path.parent.stat()
    if not is_trusted(about) or not is_trusted(folder):
        owner = user_name(folder.st_uid if is_trusted(about) else about.st_uid)
        raise CurveKeyError(SECRET, str(path), f"a file of your own in a folder of your own; {owner} owns it", MAKE_ONE)
    if about.st_mode & 0o077:
        rule = f"readable by you alone; it has mode {mode_text(about)}"
        way_out = f"Call `chmod 600 {path}`, and make new keys if others have been at this machine."
        raise CurveKeyError(SECRET, str(path), rule, way_out)
    _check_folder(SECRET, path.parent, folder)


def _check_folder(key: str, folder: Path, about: stat_result) -> None:
    if others_may_write(about):
        rule = f"something that nobody but you may write to; it has mode {mode_text(about)}"
        raise CurveKeyError(key, str(folder), rule, f"Call `chmod go-w {folder}`.")


def _check_clients(folder: Path, *, modes: bool) -> None:
    """Refuse a folder without keys, with a file that is none, or to which another could add one."""
    if not folder.is_dir():
        rule = "a folder with the public keys of the clients that may connect"
        raise CurveKeyError(CLIENTS, str(folder), rule, "Create it, and put their .key files into it.")
    keys = sorted(path for path in folder.glob("*.key") if not path.name.startswith("."))  # as zmq.auth finds them
    if not keys:
        rule = "a folder with at least one client's public key, NAME.key: nobody could connect"
        raise CurveKeyError(CLIENTS, str(folder), rule, "Put the clients' .key files into it.")
    for path in keys:
        _pair(CLIENTS, path)
    for path in (folder, *keys) if modes else ():
        about = path.stat()
        if not is_trusted(about):
            rule = f"your own; {user_name(about.st_uid)} owns it and could let others in"
            raise CurveKeyError(CLIENTS, str(path), rule, "Copy it, and name the copy.")
        _check_folder(CLIENTS, path, about)
