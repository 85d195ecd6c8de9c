"""Where our servers listen, as files: `<runtime dir>/endpoints/<name>` holds a URL.

A server that may bind any free port publishes here what it got; others look it up; a restarted one asks for the port
it had, so that open pages and clients find it again. Cleared by the supervisor when a tree starts.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from actors.core.files import is_plain_file, partial_of, private_dir, remove_file, replace_file

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_URL = re.compile(r"[a-z]+://[^\s]{1,500}")
_PARTIAL = partial_of(_NAME.pattern)


def publish(runtime_dir: Path, name: str, url: str) -> None:
    """Tell everyone that `name` is served at `url`."""
    replace_file(private_dir(runtime_dir / "endpoints") / name, url.encode(), durable=False)


def withdraw(runtime_dir: Path, name: str) -> None:
    """Say that `name` is served no more."""
    remove_file(runtime_dir / "endpoints" / name)


def lookup(runtime_dir: Path, name: str) -> str | None:
    """Return the URL under which `name` is served, None where it is not."""
    path = runtime_dir / "endpoints" / name
    try:
        return path.read_text() if is_plain_file(path) else None  # a pipe of somebody's would be waited for
    except (OSError, UnicodeDecodeError):
        return None


def everything(runtime_dir: Path) -> dict[str, str]:
    """Return all endpoints by name."""
    folder = runtime_dir / "endpoints"
    names = sorted(path.name for path in folder.glob("[!.]*")) if folder.is_dir() else []
    return {name: url for name in names if _URL.fullmatch(url := lookup(runtime_dir, name) or "")}


def clear(runtime_dir: Path) -> None:
    """Remove all endpoints, and what a death left of one; a file that holds no URL is not ours and stays."""
    folder = runtime_dir / "endpoints"
    for path in folder.iterdir() if folder.is_dir() else ():
        url = lookup(runtime_dir, path.name) or ""
        if _PARTIAL.fullmatch(path.name) or (_NAME.fullmatch(path.name) and _URL.fullmatch(url)):
            remove_file(path)


def remembered_port(runtime_dir: Path, name: str, configured: int) -> int:
    """Return the port to try first: the configured one, or for 0 the one an earlier incarnation had (0: none)."""
    if configured:
        return configured
    url = lookup(runtime_dir, name)
    return (urlsplit(url).port or 0) if url else 0
