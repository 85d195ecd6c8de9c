"""Files in the data directory's Parquet folders that are not as this version writes them, for `doctor`. Only looks.

In: a data directory. Out: the files that are of another schema, have other columns, are damaged, or bear names that
VECTRA does not give; and whether an import died on its way. Reads every file's footer, no rows.
"""

from pathlib import Path
from typing import Literal

from actors.core.special_files import is_special
from actors.rugs.schema import DOC_TYPES, columns_of
from actors.rugs.stored import FILE_NAME, VERSION_KEY, standing

Kind = Literal["other schema", "other columns", "damaged", "other name"]
SHOWN = 5


def odd_files(data_dir: Path) -> dict[Kind, list[Path]]:
    """Return the files that are not as they should be, by what is odd."""
    found: dict[Kind, list[Path]] = {}
    for path in sorted((data_dir / "events_parquet").rglob("*.parquet")):
        kind = _kind(path)
        if kind is not None:
            found.setdefault(kind, []).append(path)
    return found


def is_import_unfinished(data_dir: Path) -> bool:
    """Say whether an import was killed while it put its files into their places."""
    return (data_dir / "staging" / "import" / "list").exists()


def in_words(paths: list[Path]) -> str:
    """Name files, the first ones only where they are many."""
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return ", ".join(str(path) for path in paths[:SHOWN]) + more


def columns_lacking(path: Path) -> list[str]:
    """Return the columns that a file of our schema does not have."""
    import pyarrow.parquet as pq

    there = set(pq.read_schema(path).names)
    return [column.name for column in columns_of(_doc_type(path)) if column.name not in there]


def _kind(path: Path) -> Kind | None:
    import pyarrow.parquet as pq

    if is_special(path):
        return "damaged"
    try:
        footer = pq.read_metadata(path)
        columns = footer.schema.to_arrow_schema().names
    except (OSError, ValueError):
        return "damaged"
    version = (footer.metadata or {}).get(VERSION_KEY)
    doc_type = _doc_type(path)
    stands = standing(doc_type or None, None if version is None else version.decode(errors="replace"), columns)
    if stands == "ours":
        return None if FILE_NAME.fullmatch(path.name) else "other name"
    return stands


def _doc_type(path: Path) -> str:
    name = path.parent.parent.name.removeprefix("doc_type=")
    return name if name in DOC_TYPES else ""
