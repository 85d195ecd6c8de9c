"""Where rows lie on disk: `events_parquet/doc_type=<t>/date=YYYY-MM-DD/<first seq>-<last seq>.parquet`.

In: doc_type, capture times, numbers. Out: paths, and from paths back the ranges they cover. A file's name is its commit
record: what it says is covered is on disk. Imported rows lie in files of their own, whose numbers are beyond any of the
journal's. Never opens a data file.
"""

import datetime
from pathlib import Path

from msgspec import Struct

from actors.rugs.schema import IMPORT_SEQ
from actors.rugs.stored import FILE_NAME

POSITION = "_position"
_EPOCH = datetime.date(1970, 1, 1)
DAY_US = 86_400_000_000
LAST_US = 253_402_300_800_000_000 - 1  # end of the year 9999, the last date that has a name


class DataFile(Struct, frozen=True, kw_only=True):
    """One sealed file and the numbers of its first and last row."""

    path: Path
    first: int
    last: int

    @property
    def is_imported(self) -> bool:
        """Whether its rows come from an import, not from the journal."""
        return self.first >= IMPORT_SEQ


def events_dir(data_dir: Path) -> Path:
    """Return the root of all doc_types."""
    return data_dir / "events_parquet"


def staging_dir(data_dir: Path) -> Path:
    """Return where files are made, outside every reader's glob, on the same file system."""
    return data_dir / "staging"


def date_of(at_us: int) -> str:
    """Return the UTC date of a Unix time in microseconds, 0 to LAST_US."""
    return (_EPOCH + datetime.timedelta(days=at_us // DAY_US)).isoformat()


def file_path(root: Path, doc_type: str, date: str, first: int, last: int) -> Path:
    """Return the final path of the rows `first` to `last` of one date."""
    return root / f"doc_type={doc_type}" / f"date={date}" / f"{first:016d}-{last:016d}.parquet"


def parse(path: Path) -> DataFile | None:
    """Return what a file's name says, None for a name that is not ours."""
    match = FILE_NAME.fullmatch(path.name)
    return DataFile(path=path, first=int(match[1]), last=int(match[2])) if match else None


def files_of(root: Path, doc_type: str) -> list[DataFile]:
    """Return the files of a doc_type, rising by number. A pipe is none: whoever opened it would wait for ever."""
    paths = (root / f"doc_type={doc_type}").glob("date=*/*.parquet")
    found = (file for path in paths if (file := parse(path)) and path.is_file())
    return sorted(found, key=lambda file: (file.first, file.last))


def covered(root: Path, doc_type: str) -> int:
    """Return the last number of the journal's that a sealed file of the doc_type holds, -1 for none."""
    return max((file.last for file in files_of(root, doc_type) if not file.is_imported), default=-1)
