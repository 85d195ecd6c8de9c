"""Where our servers listen, as files: `<runtime dir>/endpoints/<name>` holds a URL.

A server that may bind any free port publishes here what it got; others look it up; a restarted one asks for the port
it had, so that open pages and clients find it again. Cleared by the supervisor when a tree starts.
"""

from pathlib import Path
from urllib.parse import urlsplit

from actors.core.files import private_dir, replace_file


def publish(runtime_dir: Path, name: str, url: str) -> None:
    """Tell everyone that `name` is served at `url`."""
    replace_file(private_dir(runtime_dir / "endpoints") / name, url.encode(), durable=False)


def withdraw(runtime_dir: Path, name: str) -> None:
    """Say that `name` is served no more."""
    (runtime_dir / "endpoints" / name).unlink(missing_ok=True)


def lookup(runtime_dir: Path, name: str) -> str | None:
    """Return the URL under which `name` is served, None where it is not."""
    try:
        return (runtime_dir / "endpoints" / name).read_text()
    except FileNotFoundError:
        return None


def everything(runtime_dir: Path) -> dict[str, str]:
    """Return all endpoints by name."""
    folder = runtime_dir / "endpoints"
    names = sorted(path.name for path in folder.glob("[!.]*")) if folder.is_dir() else []
    return {name: url for name in names if (url := lookup(runtime_dir, name))}


def remembered_port(runtime_dir: Path, name: str, configured: int) -> int:
    """Return the port to try first: the configured one, or for 0 the one an earlier incarnation had (0: none)."""
    if configured:
        return configured
    url = lookup(runtime_dir, name)
    return (urlsplit(url).port or 0) if url else 0
