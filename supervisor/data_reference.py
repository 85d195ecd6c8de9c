"""`docs/reference/data.md` from the code: every doc_type and column of the schema, every view of `sql`.

In: `actors.rugs.schema` and `supervisor.data_views`. Out: the page as text; `python -m supervisor.data_reference`
prints it, and a test holds the file against it.
"""

from collections.abc import Iterator

from actors.rugs.schema import DOC, LEADING, SCHEMA_VERSION, Column
from supervisor.data_views import VIEWS

HEAD = f"""# The data on disk

Parquet, schema {SCHEMA_VERSION}, zstd. This page is made from the code: `python -m supervisor.data_reference`.

```
<data dir>/events_parquet/doc_type=<type>/date=YYYY-MM-DD/<first seq>-<last seq>.parquet
```

`date` is the UTC date of capture; a file's name tells the lowest and the highest `seq` of its rows. Files appear whole
and never change; finished hours and days are merged into one file each, a whole date directory in one step. Each file
bears `vectra.schema_version`, `vectra.first_seq` and `vectra.last_seq` as key-value metadata, and all files of one
doc_type and version have the same Arrow schema. Read them with anything that reads Parquet, or ask
[`vectra-supervisor sql`](cli.md#sql): see [questions and answers](../how-to/query.md).

Numbers: a frame takes its `seq` from the journal, in steps of 256; what is made of it takes the numbers from there on,
so `seq // 256` joins a row with its frame in `ws_event`. From 2^52 (4503599627370496) on the numbers are an import's.

With recording off only `system_event` and `game` are written.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_doc_types(), *_views()])


def _doc_types() -> Iterator[str]:
    yield "## Columns of every doc_type\n"
    yield from _table(LEADING)
    for name, doc in DOC.items():
        yield f"## `{name}`\n\nOne row: {doc.row}.\n"
        yield from _table(doc.columns)


def _table(columns: tuple[Column, ...]) -> Iterator[str]:
    yield "| column | type | unit or values | meaning | source | example |\n|---|---|---|---|---|---|"
    for one in columns:
        cells = (f"`{one.name}`", f"`{one.type}`", one.unit, one.meaning, one.source, f"`{one.example}`")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _views() -> Iterator[str]:
    yield "## Views\n\nWhat `vectra-supervisor sql` offers besides the doc_types themselves; times are UTC.\n"
    yield "| view | one row | columns |\n|---|---|---|"
    for view in VIEWS:
        yield f"| `{view.name}` | {view.row} | {', '.join(f'`{column}`' for column in view.columns)} |"
    yield ""


if __name__ == "__main__":
    print(page(), end="")
