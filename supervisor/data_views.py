"""DuckDB views over the recorded Parquet files: one for each doc_type, and five that answer questions in one line.

In: a data directory. Out: SQL text that any DuckDB can run (`vectra-supervisor sql --views`), the same whether there
are files of a doc_type already or not. Times come as TIMESTAMP in UTC. Opens no file itself.
"""

from pathlib import Path

from msgspec import Struct

from actors.rugs.schema import DOC_TYPES, columns_of

FILES = "[0-9]*-[0-9]*.parquet"  # ours only: an earlier system's files may lie in the same folders

_SQL_TYPES = {
    "int8": "TINYINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
    "timestamp[us, UTC]": "TIMESTAMP",
    "list<double>": "DOUBLE[]",
}


class View(Struct, frozen=True, kw_only=True):
    """A view on top of the doc_types."""

    name: str
    row: str
    columns: tuple[str, ...]
    body: str  # what follows "from", with its conditions
    select: str = ""  # the columns where they are computed


VIEWS = (
    View(
        name="ticks",
        row="one tick of a round, seen live or repaired, without the countdowns",
        columns=("game_id", "tick", "price", "rugged", "ts", "trade_count", "connected_players", "origin", "seq"),
        body="game_tick WHERE phase IN ('ACTIVE', 'RUGGED')"
        " QUALIFY row_number() OVER (PARTITION BY game_id, tick ORDER BY origin DESC, seq) = 1",
    ),
    View(
        name="games",
        row="one completed round",
        columns=(
            "game_id", "ended_at", "ticks", "peak", "peak_tick", "rug_price", "verified", "verify_reason",
            "live_ticks", "missing_ticks", "prices", "server_seed", "server_seed_hash", "version", "sidebets", "seq",
        ),
        body="game QUALIFY row_number() OVER (PARTITION BY game_id ORDER BY seq) = 1",
    ),
    View(
        name="trades",
        row="one trade that was told of",
        columns=(
            "ts", "game_id", "tick", "player_id", "username", "side", "price", "qty", "amount", "coin", "leverage",
            "level", "trade_id", "seq",
        ),
        body="trade",
    ),
    View(
        name="sidebets",
        row="one side bet, its settlement included; `won` is null while it is open",
        columns=(
            "game_id", "player_id", "username", "start_tick", "end_tick", "amount", "payout", "won", "profit",
            "settled_tick", "placed_at", "seq",
        ),
        select="game_id, player_id, max(username) AS username, start_tick, max(end_tick) FILTER (kind = 'placed') AS"
        " end_tick, max(amount) AS amount, max(payout) AS payout, max(payout) > 0 AS won,"
        " max(payout) - max(amount) AS profit, max(settled_tick) AS settled_tick,"
        " min(ts) FILTER (kind = 'placed') AS placed_at, min(seq) AS seq",
        body="sidebet GROUP BY game_id, player_id, start_tick",
    ),
    View(
        name="gaps",
        row="one span in which the game was not seen; `seconds` leaves out what an earlier row covers, so they add up",
        columns=("from_at", "to_at", "seconds", "cause", "data", "seq"),
        select="make_timestamp(from_us) AS from_at, make_timestamp(to_us) AS to_at, greatest(0, to_us - greatest("
        "from_us, coalesce(max(to_us) OVER (ORDER BY from_us, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),"
        " from_us))) / 1e6 AS seconds, data->>'cause' AS cause, data, seq",
        body="(SELECT (data->>'from_us')::BIGINT AS from_us, (data->>'to_us')::BIGINT AS to_us, data, seq"
        " FROM system_event WHERE event = 'gap')",
    ),
)  # fmt: skip


def views_sql(data_dir: Path) -> str:
    """Return statements that make all views in any DuckDB, over the files that lie there now and later."""
    head = f"-- VECTRA's data in {data_dir}, for any DuckDB: .read views.sql\nSET TimeZone = 'UTC';\n"
    made = [_doc_type(data_dir / "events_parquet", doc_type) for doc_type in DOC_TYPES]
    made += [view_sql(view) for view in VIEWS]
    return "\n".join([head, *made])


def view_sql(view: View) -> str:
    """Return the statement that makes a view on top of the doc_types."""
    return (
        f"CREATE OR REPLACE VIEW {view.name} AS\nSELECT {view.select or ', '.join(view.columns)}\nFROM {view.body};\n"
    )


def doc_type_select(doc_type: str, source: str) -> str:
    """Return the question for all rows of a doc_type's files as users see them: times without a zone, which are UTC."""
    times = [column.name for column in columns_of(doc_type) if column.type.startswith("timestamp")]
    plain = ", ".join(f"{name} AT TIME ZONE 'UTC' AS {name}" for name in times)
    return f"SELECT * REPLACE ({plain})\n{source}"


def _doc_type(root: Path, doc_type: str) -> str:
    """Return the view of a doc_type; where it has no file yet DuckDB would refuse the glob, so it is an empty table."""
    folder = root / f"doc_type={doc_type}"
    body = _files(folder) if any(folder.glob(f"date=*/{FILES}")) else _nothing(doc_type)
    return f"CREATE OR REPLACE VIEW {doc_type} AS\n{body};\n"


def _files(folder: Path) -> str:
    glob = str(folder / "date=*" / FILES).replace("'", "''")
    source = f"FROM read_parquet('{glob}', hive_partitioning = true, union_by_name = true)"
    doc_type = folder.name.removeprefix("doc_type=")
    return doc_type_select(doc_type, source).replace("SELECT *", "SELECT * EXCLUDE (doc_type)", 1)


def _nothing(doc_type: str) -> str:
    columns = ", ".join(f"NULL::{_SQL_TYPES[one.type]} AS {one.name}" for one in columns_of(doc_type))
    return f"SELECT {columns}, NULL::DATE AS date\nWHERE false"
