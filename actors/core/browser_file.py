"""Who the browser is and who reads it, as files in the runtime directory.

`browser.json`, written by browser, is there exactly while its DevTools answer; `attached/<capture>`, written by each
capture, while it sees everything of one browser. Read by captures and pilot. Small, whole, private, not durable.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from actors.core.files import is_plain_file, private_dir, remove_file, replace_file

F = TypeVar("F")


class BrowserFile(msgspec.Struct, frozen=True, kw_only=True):
    """The running Chromium."""

    pid: int
    port: int
    ws: str  # ws://127.0.0.1:PORT/devtools/browser/GUID
    guid: str  # new at each start of the browser
    started_us: int


class AttachedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A capture that sees everything of the browser `guid` since `since_us`."""

    pid: int
    guid: str
    since_us: int
    sockets: int = 0  # of the site, seen to open, or known and heard
    closed_us: int | None = None  # when the last of them was closed, and none has come since
    streams: list[str] = []  # the sockets, at most 300; a successor did not see them open
    suspects: int = 0  # sockets of unknown address that speak the game's protocol in a page of the site
    stranger: str = ""  # origin of a document of another site that opened the game's sockets, which do not count
    homes: list[str] = []  # origins that the site's page was redirected to
    blind: bool = False  # whether the site has a socket is not known: it attached late, and nothing told it yet


def write_browser_file(runtime_dir: Path, browser: BrowserFile) -> None:
    """Tell everyone which browser runs."""
    replace_file(runtime_dir / "browser.json", msgspec.json.encode(browser), durable=False)


def read_browser_file(runtime_dir: Path) -> BrowserFile | None:
    """Return the browser that runs, None where none does."""
    return _read(runtime_dir / "browser.json", BrowserFile)


def remove_browser_file(runtime_dir: Path) -> None:
    """Say that no browser runs."""
    remove_file(runtime_dir / "browser.json")


def write_attached_file(runtime_dir: Path, capture: str, attached: AttachedFile) -> None:
    """Say that `capture` is attached."""
    replace_file(private_dir(runtime_dir / "attached") / capture, msgspec.json.encode(attached), durable=False)


def remove_attached_file(runtime_dir: Path, capture: str) -> None:
    """Say that `capture` is attached no more."""
    remove_file(runtime_dir / "attached" / capture)


def read_attached_file(runtime_dir: Path, capture: str) -> AttachedFile | None:
    """Return what `capture`, alive or dead, said last; None where it is attached no more."""
    return _read(runtime_dir / "attached" / capture, AttachedFile)


def attached_captures(runtime_dir: Path, guid: str) -> dict[str, AttachedFile]:
    """Return what the living captures attached to the browser `guid` say, by name."""
    found = {}
    for path in (runtime_dir / "attached").glob("[!.]*"):
        attached = _read(path, AttachedFile)
        if attached is not None and attached.guid == guid and is_alive(attached.pid):
            found[path.name] = attached
    return found


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs. One that ended does not, though nobody has waited for it yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def _read(path: Path, kind: type[F]) -> F | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind) if is_plain_file(path) else None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):  # absent, or no file of ours
        return None
