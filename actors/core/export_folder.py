"""Export folders: which folders below `<data dir>/exports` are ours, and which files in them.

In: paths. Out: what they are, told by their mark: a name of 16 hexadecimal digits and a `job.json` that says the same.
What bears no mark of ours is somebody's own and is never removed; nor is an export whose `job.json` is damaged or of a
newer version: its result may still be wanted.
"""

import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from actors.core.files import is_plain_file, partial_of, remove_file

JOB_FILE = "job.json"
JOB_FILE_MAX_BYTES = 1_000_000  # one has some 400
NAME = re.compile(r"[0-9a-f]{16}")
_FORMATS = r"(csv|jsonl|parquet)"
_JOB_PARTIAL = partial_of(re.escape(JOB_FILE))

KINDS = ("export", "compaction")
STATES = ("running", "done", "failed", "cancelled", "interrupted")
Standing = Literal["ours", "begun", "unreadable", "foreign"]


def standing_of(folder: Path) -> Standing:
    """Return what a folder is. begun: ours, and died before it had a job; unreadable: ours by name, to be kept."""
    if not NAME.fullmatch(folder.name) or not stat.S_ISDIR(folder.lstat().st_mode):
        return "foreign"
    if (folder / JOB_FILE).is_symlink() or (folder / JOB_FILE).exists():
        told = read_job(folder)
        return "ours" if told is not None and told.get("id") == folder.name else "unreadable"
    return "begun" if all(_JOB_PARTIAL.fullmatch(path.name) for path in folder.iterdir()) else "foreign"


def read_job(folder: Path) -> dict[str, Any] | None:
    """Return what a folder's `job.json` says, None where there is none that can be read."""
    path = folder / JOB_FILE
    try:
        if not is_plain_file(path) or path.stat().st_size > JOB_FILE_MAX_BYTES:
            return None
        told = msgspec.json.decode(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def remove_parts(folder: Path, kinds: Iterable[str], keep: str | None) -> None:
    """Remove what an export wrote, but for its result; what else lies in its folder stays. kinds: of rows."""
    parts = re.compile(rf"({'|'.join(kinds)})\.{_FORMATS}|all\.zip|vectra-.+\.({_FORMATS}|zip)", re.DOTALL)
    for path in _listed(folder):
        if path.name != keep and parts.fullmatch(path.name):
            remove_file(path)


def remove_export(folder: Path, kinds: Iterable[str]) -> None:
    """Remove an export of ours, and its folder where nothing else lies in it."""
    if not NAME.fullmatch(folder.name) or folder.is_symlink():
        return
    remove_parts(folder, kinds, None)
    for path in _listed(folder):
        if path.name == JOB_FILE or _JOB_PARTIAL.fullmatch(path.name):
            remove_file(path)
    if not _listed(folder):
        try:
            folder.rmdir()
        except OSError:  # something came meanwhile, or it is gone
            return


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
