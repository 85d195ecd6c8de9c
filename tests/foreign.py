"""Things that are not VECTRA's, planted in its directories, and a picture of them to compare with afterwards."""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

NAMES = (
    "notes.txt", ".hidden", ".mine.tmp", ".notes.txt.12.tmp", "7.seg", "12ab.ckpt", "12.ckpt", "thesis.staged",
    "successor.of.the.king", "list.txt", "web.log.bak", "job.json.old", "a b\nc",
)  # fmt: skip


def plant(folder: Path, *, folders: bool = True) -> list[Path]:
    """Put files, links and folders of odd names and modes into a folder, made where it is not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for number, name in enumerate(NAMES):
        path = folder / name
        path.write_text(f"{folder} {name}")
        path.chmod((0o644, 0o600, 0o444, 0o750)[number % 4])
        made.append(path)
    for name, target in (("link", folder / "notes.txt"), ("nowhere", Path("/nowhere/at/all")), ("up", Path("/etc"))):
        (folder / name).symlink_to(target)
        made.append(folder / name)
    os.mkfifo(folder / "pipe", 0o640)
    made.append(folder / "pipe")
    pq.write_table(pa.table({"a": [1, 2]}), folder / "mine.parquet")
    (folder / "mine.parquet").chmod(0o644)
    made.append(folder / "mine.parquet")
    if folders:
        inner = folder / "my-analysis"
        inner.mkdir(mode=0o755)
        (inner / "result.csv").write_text("1;2")
        (inner / "empty").mkdir()
        inner.chmod(0o711)
        made += [inner, inner / "result.csv", inner / "empty"]
    return made


def picture(paths: Iterable[Path]) -> dict[Path, tuple[str, str, int, int]]:
    """Return kind and mode, content, owner and inode of each."""
    return {path: _of(path) for path in paths}


def _of(path: Path) -> tuple[str, str, int, int]:
    try:
        about = path.lstat()
    except FileNotFoundError:
        return "gone", "", 0, 0
    content = ""
    if stat.S_ISLNK(about.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(about.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    return stat.filemode(about.st_mode), content, about.st_uid, about.st_ino
