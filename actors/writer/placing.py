"""Files into their places, all or none, for an import: whatever dies when, the next call completes or undoes it.

In: files that were written aside, below `staging/import`, and where each belongs; also a file that is moved out of the
way. What is to be done is first written down and synced, as a list of renames; then it is done, in that order; then
the list is removed. `complete` does what a list still says, and removes what was written aside without one.
"""

import re
from pathlib import Path

import msgspec

from actors.core.files import partial_of, private_dir, remove_file, replace_file, sync_dir

LIST = "list"
_OURS = re.compile(rf"[a-z_]+-[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}-[0-9]{{16}}|{partial_of(LIST).pattern}")
Rename = tuple[Path, Path]


def aside(data_dir: Path) -> Path:
    """Return the folder in which an import writes: outside every reader's glob, on the same file system."""
    return data_dir / "staging" / "import"


def place(data_dir: Path, renames: list[Rename]) -> None:
    """Do all renames, of paths below the data directory. OSError: nothing was done, or the next call completes it."""
    told = [(str(one.relative_to(data_dir)), str(other.relative_to(data_dir))) for one, other in renames]
    replace_file(aside(data_dir) / LIST, msgspec.json.encode(told))
    _carry_out(data_dir, told)


def complete(data_dir: Path) -> None:
    """Complete what died on its way, and remove what had not come so far. Call it before anything is written aside."""
    folder = private_dir(aside(data_dir))
    if (folder / LIST).exists():
        _carry_out(data_dir, msgspec.json.decode((folder / LIST).read_bytes(), type=list[tuple[str, str]]))
    for left in folder.iterdir():
        if _OURS.fullmatch(left.name):
            remove_file(left)


def _check_inside(told: list[tuple[str, str]]) -> None:
    """ValueError: the list says something that no import of ours would: it leads out of the data directory."""
    for one in (path for pair in told for path in pair):
        if Path(one).is_absolute() or ".." in Path(one).parts:
            raise ValueError(f"staging/import/{LIST} names {one!r}, must name paths inside. Move that list away.")


def _carry_out(data_dir: Path, told: list[tuple[str, str]]) -> None:
    touched: set[Path] = set()
    _check_inside(told)
    for source, target in ((data_dir / one, data_dir / other) for one, other in told):
        if source.exists():  # else it was done before
            private_dir(target.parent)
            source.rename(target)
        touched |= {source.parent, target.parent}
    for folder in sorted({place for one in touched for place in (one, *one.parents)}):
        if folder.is_relative_to(data_dir) and folder.is_dir():
            sync_dir(folder)
    (aside(data_dir) / LIST).unlink()
    sync_dir(aside(data_dir))
