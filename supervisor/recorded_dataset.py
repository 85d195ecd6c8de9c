"""The recorded Parquet files of one doc_type as an Arrow dataset that only reads, for DuckDB to scan.

In: a doc_type's folder. Out: at each scan the files that lie there then, pruned by the date of their folder, and by
Parquet's statistics as Arrow reads them. Files that cannot be read are left out and named in `Unread`; a file that a
compaction took meanwhile is `FilesSwapped`, and the scan can be done again. Writes nothing, follows no other path.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq

from actors.core.special_files import is_special
from actors.rugs.schema import columns_of
from actors.rugs.stored import FILE_NAME

_TYPES: dict[str, Any] = {
    "int8": pa.int8(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
    "list<double>": pa.list_(pa.float64()),
}
_LARGE = {"raw", "data", "prices", "sidebets"}  # columns whose values have kilobytes
LARGE_ROWS, SMALL_ROWS = 2_048, 65_536  # a batch: of frames some 6 MB, of ticks 5 MB
READ_BYTES = 1_000_000


class FilesSwapped(Exception):
    """A file was there when the folder was listed, and is no more: a compaction put its successor in place."""


Unread = dict[Path, str]
"""The files that were left out, each with the reason."""


class RecordedFiles(ds.Dataset):
    """The files of one doc_type. DuckDB asks it for `schema` and calls `scanner`; nothing else of a Dataset works."""

    def __init__(self, root: Path, doc_type: str, unread: Unread) -> None:
        """root: events_parquet. unread: gets the files that are left out; those that are in it already are, too."""
        self.doc_type = doc_type
        self._folder = root / f"doc_type={doc_type}"
        self._unread = unread
        self._format = ds.ParquetFileFormat(
            default_fragment_scan_options=ds.ParquetFragmentScanOptions(
                use_buffered_stream=True, buffer_size=READ_BYTES, pre_buffer=False
            )
        )
        fields = [pa.field(column.name, _TYPES[column.type]) for column in columns_of(doc_type)]
        self._schema = pa.schema([*fields, pa.field("date", pa.date32())])

    @property
    def schema(self) -> pa.Schema:
        """The columns of contract 4.7, then `date`; an older file that lacks one reads as null there."""
        return self._schema

    def scanner(  # type: ignore[override]  # DuckDB gives no more than these
        self, columns: Any = None, filter: Any = None, **options: Any
    ) -> Any:
        """Return a scanner over the files that are there now and may hold what is asked for. FilesSwapped."""
        listed = self._dataset([self._fragment(path, date) for path, date in self.files()])
        chosen = [one for one in listed.get_fragments(filter) if self._is_readable(one)]
        names = self._schema.names if columns is None else columns
        rows = LARGE_ROWS if _LARGE & set(names) else SMALL_ROWS
        options |= {"batch_size": rows, "batch_readahead": 4, "fragment_readahead": 2}
        return self._dataset(chosen).scanner(columns=columns, filter=filter, **options)

    def files(self) -> Iterator[tuple[Path, str]]:
        """Yield the files, oldest first, each with its date."""
        for folder in sorted(one for one in self._folder.glob("date=*") if one.is_dir()):
            date = folder.name.removeprefix("date=")
            for path in sorted(one for one in folder.iterdir() if FILE_NAME.fullmatch(one.name)):
                if is_special(path):
                    self._unread[path] = "it is no regular file"
                else:
                    yield path, date

    def find_damage(self) -> bool:
        """Read every file whole and leave out those that cannot be; say whether there was one that was not known."""
        before = len(self._unread)
        for path, _ in self.files():
            if path not in self._unread and (why := _damage(path)) is not None:
                self._unread[path] = why
        return len(self._unread) > before

    def _dataset(self, fragments: list[Any]) -> Any:
        return ds.FileSystemDataset(fragments, self._schema, self._format, pa.fs.LocalFileSystem())

    def _fragment(self, path: Path, date: str) -> Any:
        try:
            day = pa.scalar(date).cast(pa.date32())
        except pa.ArrowException:
            self._unread[path] = f"its folder's date is {date}"
            day = pa.scalar(None, pa.date32())
        return self._format.make_fragment(
            str(path), pa.fs.LocalFileSystem(), partition_expression=pc.field("date") == day
        )

    def _is_readable(self, fragment: Any) -> bool:
        path = Path(fragment.path)
        if path in self._unread:
            return False
        try:
            fragment.ensure_complete_metadata()
            for field in fragment.physical_schema:
                self._check_type(field)
        except FileNotFoundError:
            if not path.is_symlink():
                raise FilesSwapped(str(path)) from None
            self._unread[path] = "it is a link to nothing"
            return False
        except (OSError, ValueError) as error:  # Arrow's are among these
            self._unread[path] = str(error).splitlines()[0]
            return False
        return True

    def _check_type(self, field: Any) -> None:
        place = self._schema.get_field_index(field.name)
        if place >= 0 and not _fits(field.type, self._schema.field(place).type):
            raise ValueError(f"its column {field.name} is {field.type}, must be {self._schema.field(place).type}")


def _fits(found: Any, wanted: Any) -> bool:
    """Say whether Arrow makes one of the other without a loss."""
    if found == wanted or pa.types.is_null(found):
        return True
    if pa.types.is_integer(found):
        return pa.types.is_integer(wanted) and found.bit_width <= wanted.bit_width
    return pa.types.is_large_string(found) and pa.types.is_string(wanted)


def _damage(path: Path) -> str | None:
    try:
        with pq.ParquetFile(path, buffer_size=READ_BYTES, pre_buffer=False) as file:
            for _ in file.iter_batches(LARGE_ROWS, use_threads=False):
                pass
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return str(error).splitlines()[0]
    return None
