"""What the control room keeps in the data directory beside the record: the index of rounds, and exports.

In: a folder. Out: how much lies there, what others may read, and what was left half made. Only looks; changes nothing,
follows no symbolic link.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct


class Kept(Struct, frozen=True, kw_only=True):
    """One folder."""

    files: int
    size_bytes: int
    open_to_others: list[Path]
    partial: list[Path]

    def in_words(self) -> str:
        """Say how much it is."""
        files = f"{self.files} {'file' if self.files == 1 else 'files'}"
        return f"{files}, {self.size_bytes / 1e6:.1f} MB"


def cache(data_dir: Path) -> Kept:
    """Look at the index of rounds, which may be deleted at any time."""
    folder = data_dir / "cache"
    return _look(folder, [path for path, _ in _entries(folder) if path.name.endswith(".tmp")])


def exports(data_dir: Path) -> Kept:
    """Look at what was exported; partial are those whose process ended before they did."""
    folder = data_dir / "exports"
    jobs = [path for path, mode in _entries(folder) if stat.S_ISDIR(mode.st_mode) and path.parent == folder]
    return _look(folder, [job for job in jobs if _state(job) in ("running", None)])


def _look(folder: Path, partial: list[Path]) -> Kept:
    found = list(_entries(folder))
    sizes = [about.st_size for _, about in found if stat.S_ISREG(about.st_mode)]
    loose = [path for path, about in found if about.st_mode & 0o077 and not stat.S_ISLNK(about.st_mode)]
    return Kept(files=len(sizes), size_bytes=sum(sizes), open_to_others=loose, partial=partial)


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the folder and all in it; what goes away meanwhile is passed over."""
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            yield path, path.lstat()
        except FileNotFoundError:
            continue


def _state(job: Path) -> str | None:
    """Return the state of a job as the control room wrote it down, None where it did not."""
    try:
        told = msgspec.json.decode((job / "job.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return told.get("state") if isinstance(told, dict) else None
