"""What keeps VECTRA from working on this machine, each with its fix. Only looks; changes nothing.

In: the settings, of a running VECTRA those it runs with. Out: findings. What a running VECTRA uses, its ports and its
display, is its own and counts as good.
"""

import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from actors.core.config import Config
from actors.core.ownership import is_trusted, mode_text, others_may_write, user_name
from supervisor.doctor_kept import Kept, cache, exports
from supervisor.foreign_files import columns_lacking, in_words, is_import_unfinished, odd_files
from supervisor.locks import running_pid
from supervisor.places import place_faults
from supervisor.strangers import strangers
from vectra_player.entry import foreign_packages

CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge",
    "brave-browser",
)
SERVED = ("web.port", "feed.port", "monitor.port", "bus.events", "bus.requests")
STRANGERS_SHOWN = 500
LOW_BYTES = 5_000_000_000  # about a day of the journal with its Parquet, see docs/architecture.md


class Finding(Struct, frozen=True, kw_only=True):
    """One thing looked at."""

    what: str
    good: bool
    found: str
    fix: str = ""


def examine(config: Config) -> list[Finding]:
    """Look at everything; the order is that in which a start would fail."""
    return [
        _python(),
        _foreign(),
        _chromium(config),
        _display(config, os.environ),
        *_directories(config),
        _disk(config),
        *_ports(config),
        *_earlier_files(config),
        _kept("cache", cache(config.data_path), config),
        _kept("exports", exports(config.data_path), config),
        _strangers(config),
    ]


def mistakes(errors: list[str]) -> list[Finding]:
    """Return what is wrong with the settings; all else is then looked at with the good ones, defaults for the rest."""
    fix = "Mend that; `vectra-supervisor check` looks again. What follows counts with the default in its place."
    return [Finding(what="settings", good=False, found=error, fix=fix) for error in errors]


def settings_read(path: str | None) -> Finding:
    """Name the settings file; one that others may change is told of even where --config names it."""
    found = path or "none, the defaults count"
    if path is not None and Path(path).is_file():
        about = Path(path).stat()
        if others_may_write(about) or not is_trusted(about):
            why = f"{path} can be changed by others (mode {mode_text(about)}, {user_name(about.st_uid)})"
            fix = f"chmod go-w {path}, or name a file of your own."
            return Finding(what="settings", good=False, found=why, fix=fix)
    return Finding(what="settings", good=True, found=found)


def hindrances(config: Config, environ: Mapping[str, str]) -> list[Finding]:
    """Return what a start would fail for, as far as a few milliseconds can tell. Nothing may run there yet.

    Ports are not looked at where an earlier run was killed: what it left may hold them, and the start ends that first.
    """
    left_over = (config.runtime_path / "children.json").exists()
    ports = [] if left_over else [finding for finding in _ports(config) if finding.what in SERVED]
    first = (_chromium(config), _display(config, environ))
    return [finding for finding in (*first, *_unsafe(config), *ports) if not finding.good]


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(what="Python", good=sys.version_info >= (3, 11), found=version, fix="Install Python 3.11 or newer.")


def _foreign() -> Finding:
    foreign = foreign_packages(packages_distributions())
    found = ", ".join(f"{name} installs {' and '.join(packages)}" for name, packages in foreign.items())
    fix = f"{sys.executable} -m pip uninstall {' '.join(foreign)}, or use a virtual environment of VECTRA's own."
    return Finding(what="foreign packages", good=not foreign, found=found or "none", fix=fix)


def _chromium(config: Config) -> Finding:
    names = [config.browser.binary] if config.browser.binary else list(CHROMIUMS)
    found = next((path for name in names if (path := shutil.which(os.path.expanduser(name)))), None)  # noqa: PTH111
    if config.browser.binary and not found:
        fix = f"browser.binary is {config.browser.binary!r}, must be a program. Remove the line to look for Chromium."
    else:
        fix = "sudo apt-get install chromium, or set browser.binary to the browser's path."
    return Finding(what="Chromium", good=found is not None, found=found or "not found", fix=fix)


def _display(config: Config, environ: Mapping[str, str]) -> Finding:
    if config.browser.headless:
        return Finding(what="display", good=True, found="not needed, browser.headless is true")
    if running_pid(config.runtime_path) is not None:
        return Finding(what="display", good=True, found="VECTRA is running")
    found = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    fix = "Start in a desktop session, or set browser.headless: true. `start --demo` needs no display."
    missing = "none (DISPLAY and WAYLAND_DISPLAY are unset), and browser.headless is false"
    return Finding(what="display", good=bool(found), found=found or missing, fix=fix)


def _directories(config: Config) -> Iterator[Finding]:
    unsafe = {finding.what: finding for finding in _unsafe(config)}
    places = {"data_dir": config.data_path, "runtime_dir": config.runtime_path, "browser profile": config.profile_path}
    for what, path in places.items():
        if what in unsafe:
            yield unsafe[what]
            continue
        nearest = next(parent for parent in (path, *path.parents) if parent.exists())
        if not os.access(nearest, os.W_OK | os.X_OK) or not nearest.is_dir():
            fix = f"sudo chown {os.getuid()} {nearest}, or choose another directory in vectra.yaml."
            yield Finding(what=what, good=False, found=f"{path} cannot be written", fix=fix)
        elif path.exists() and path.stat().st_mode & 0o077:
            mode = oct(path.stat().st_mode & 0o777)[2:]
            yield Finding(what=what, good=False, found=f"{path} is open to others ({mode})", fix=f"chmod 700 {path}")
        else:
            yield Finding(what=what, good=True, found=str(path) if path.exists() else f"{path} (made at the start)")


def _unsafe(config: Config) -> Iterator[Finding]:
    """Report directories that a start refuses."""
    for key, found, rule, way_out in place_faults(config):
        what = "browser profile" if key.startswith("browser.") else key
        yield Finding(what=what, good=False, found=f"{found} must be {rule}", fix=way_out)


def _disk(config: Config) -> Finding:
    path = config.data_path
    free = shutil.disk_usage(next(parent for parent in (path, *path.parents) if parent.exists())).free
    fix = "Make room, or set data_dir to a larger disk, or lower journal.max_bytes and journal.retention_days."
    return Finding(what="disk space", good=free >= LOW_BYTES, found=f"{free / 1e9:.1f} GB free", fix=fix)


def _kept(what: str, kept: Kept, config: Config) -> Finding:
    """Say how much the control room keeps; what is half made is left over only where nothing runs."""
    folder = config.data_path / what
    if kept.open_to_others:
        found = f"{kept.open_to_others[0]} is open to others"
        return Finding(what=what, good=False, found=found, fix=f"chmod -R go= {folder}")
    if kept.partial and running_pid(config.runtime_path) is None:
        names = " ".join(str(path) for path in kept.partial)
        fix = f"The next start removes it, or: rm -r {names}"
        return Finding(what=what, good=False, found=f"{kept.in_words()}, left half made: {names}", fix=fix)
    if kept.strange:
        names = " ".join(str(path) for path in kept.strange)
        fix = f"VECTRA leaves it alone. Move it out of {folder}, or if it is an export that nobody wants: rm -r {names}"
        return Finding(what=what, good=False, found=f"no export that this version knows: {names}", fix=fix)
    return Finding(what=what, good=True, found=kept.in_words() if kept.files else "nothing yet")


def _strangers(config: Config) -> Finding:
    """Name what is not ours; it may be meant to be there, and nothing of VECTRA's touches it."""
    found = strangers(config)
    more = f" and {len(found) - STRANGERS_SHOWN:,} more" if len(found) > STRANGERS_SHOWN else ""
    names = ", ".join(str(path) for path in found[:STRANGERS_SHOWN])
    words = f"{names}{more}: not VECTRA's, left alone" if found else "none"
    return Finding(what="foreign files", good=True, found=words)


def _ports(config: Config) -> Iterator[Finding]:
    ours = running_pid(config.runtime_path) is not None
    ports = {
        "web.port": (config.web.host, config.web.port),
        "feed.port": (config.feed.host, config.feed.port),
        "monitor.port": (config.feed.host, config.monitor.port),
        "browser.cdp_port": ("127.0.0.1", config.browser.cdp_port),
        "bus.events": _address(config.bus.events),
        "bus.requests": _address(config.bus.requests),
    }
    for key, (host, port) in ports.items():
        if port and ours:
            yield Finding(what=key, good=True, found=f"{port}, VECTRA is running")
        elif port:
            free = _is_free(host, port)
            any_free = "tcp://127.0.0.1:0" if key.startswith("bus.") else "0"
            fix = (
                f"`ss -ltnp 'sport = :{port}'` says who has it; end that, or set {key} to another port: "
                f"--set {key}={any_free} takes any that is free."
            )
            yield Finding(what=key, good=free, found=f"{port} is {'free' if free else 'taken'}", fix=fix)


def _address(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return (parts.hostname or "127.0.0.1", parts.port or 0) if parts.scheme == "tcp" else ("127.0.0.1", 0)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _earlier_files(config: Config) -> Iterator[Finding]:
    """Report what lies in our Parquet folders and is not as this version writes it."""
    data_dir, folder = config.data_path, config.data_path / "events_parquet"
    if is_import_unfinished(data_dir):
        fix = "Call `vectra-supervisor import` with the same files again: it completes what it had begun."
        yield Finding(what="import", good=False, found="was killed before all its rows were in place", fix=fix)
    if not folder.is_dir():
        return
    odd = odd_files(data_dir)
    foreign = odd.pop("other schema", [])
    found = f"{in_words(foreign)}: another schema" if foreign else "none of another schema"
    fix = (
        f"`vectra-supervisor stop`, then `vectra-supervisor import {folder}` takes them over. What it leaves, move out "
        "of events_parquet."
    )
    yield Finding(what="Parquet files", good=not foreign, found=found, fix=fix)
    for kind, paths in odd.items():
        yield Finding(what=f"Parquet files, {kind}", good=False, found=_odd(kind, paths), fix=_ODD[kind])


_ODD = {
    "other columns": "`vectra-supervisor rebuild` writes them anew where the frames are there; a missing column reads "
    "as null until then, and the files are not merged.",
    "damaged": "Move them out of events_parquet: nothing can read them.",
    "other name": "Move them out of events_parquet: VECTRA passes them over, a plain glob may read their rows twice.",
}


def _odd(kind: str, paths: list[Path]) -> str:
    lacking = columns_lacking(paths[0]) if kind == "other columns" else []
    return in_words(paths) + (f", without {', '.join(lacking)}" if lacking else "")
