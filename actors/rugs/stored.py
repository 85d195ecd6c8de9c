"""Whose a Parquet file is, told by its name and by what its footer says. Pure: opens nothing.

In: the doc_type of its folder, the `vectra.schema_version` it bears, and its columns. Out: whether this version wrote
files like it, an older one of the same schema did, or it is of another schema: `doctor` names what is not ours, and
`import` takes over what is of another schema.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

from actors.rugs.schema import DOC_TYPES, SCHEMA_VERSION, columns_of

Standing = Literal["ours", "other columns", "other schema"]
VERSION_KEY: Final = b"vectra.schema_version"
FILE_NAME: Final = re.compile(r"([0-9]{16})-([0-9]{16})\.parquet")  # the first and the last number in it


def standing(doc_type: str | None, version: str | None, columns: Sequence[str]) -> Standing:
    """Return how a file stands to this version's. doc_type: None where no folder tells it."""
    if version != SCHEMA_VERSION or doc_type not in DOC_TYPES:
        return "other schema"
    return "ours" if list(columns) == [column.name for column in columns_of(doc_type)] else "other columns"
