"""What the control room keeps in the data directory beside the record: the index of rounds, and exports.

In: a folder. Out: how much lies there, what others may read, and what was left half made. Only looks; changes nothing,
follows no symbolic link.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from actors.core import export_folder


class Kept(Struct, frozen=True, kw_only=True):
    """One folder."""

    files: int
    size_bytes: int
    open_to_others: list[Path]
    partial: list[Path]
    strange: list[Path]  # not ours: left alone

    def in_words(self) -> str:
        """Say how much it is."""
        files = f"{self.files} {'file' if self.files == 1 else 'files'}"
        return f"{files}, {self.size_bytes / 1e6:.1f} MB"


def cache(data_dir: Path) -> Kept:
    """Look at the index of rounds, which may be deleted at any time."""
    folder = data_dir / "cache"
    return _look(folder, [path for path, _ in _entries(folder) if path.name.endswith(".tmp")])


def exports(data_dir: Path) -> Kept:
    """Look at what was exported; partial are those whose process ended before they did, strange what is not ours."""
    folder = data_dir / "exports"
    inside = [path for path, _ in _entries(folder) if path.parent == folder]
    standings = {path: export_folder.standing_of(path) for path in inside}
    partial = [path for path, standing in standings.items() if standing == "begun" or _is_running(path)]
    strange = [path for path, standing in standings.items() if standing != "begun" and not _says_its_name(path)]
    return _look(folder, partial, strange)


def _look(folder: Path, partial: list[Path], strange: Sequence[Path] = ()) -> Kept:
    found = list(_entries(folder))
    sizes = [about.st_size for _, about in found if stat.S_ISREG(about.st_mode)]
    loose = [path for path, about in found if about.st_mode & 0o077 and not stat.S_ISLNK(about.st_mode)]
    loose = [path for path in loose if not any(path.is_relative_to(one) for one in strange)]
    return Kept(files=len(sizes), size_bytes=sum(sizes), open_to_others=loose, partial=partial, strange=list(strange))


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the folder and all in it; what goes away meanwhile is passed over."""
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            yield path, path.lstat()
        except FileNotFoundError:
            continue


def _says_its_name(folder: Path) -> bool:
    """Return whether it holds a job that bears the folder's name and is as this version writes jobs."""
    job = export_folder.read_job(folder) or {}
    kind = job.get("kind", export_folder.KINDS[0])
    return job.get("id") == folder.name and job.get("state") in export_folder.STATES and kind in export_folder.KINDS


def _is_running(folder: Path) -> bool:
    return _says_its_name(folder) and (export_folder.read_job(folder) or {}).get("state") == "running"
