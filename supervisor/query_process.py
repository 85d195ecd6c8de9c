"""The process in which a question of the user is answered: a DuckDB over the recorded files, in a sandbox.

In: on standard input a question a line, `{"sql", "values"}`. Out: on standard output messages, a kind and a length
before each: `B` a batch of the answer as an Arrow stream, `E` why there is none, `D` that it is whole, with
the files that were left out. Two fences stand behind each other: a database without a file system, without extensions,
whose settings are locked, and to which the files come as datasets that we opened; and around it `sandbox.py`. Never
writes a file.
"""

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import msgspec
import pyarrow as pa
from msgspec import Struct

from actors.core.lifeline import die_with_parent
from actors.rugs.schema import DOC_TYPES
from supervisor.data_views import VIEWS, doc_type_select, view_sql
from supervisor.recorded_dataset import FilesSwapped, RecordedFiles, Unread
from supervisor.sandbox import confine

HEAD = struct.Struct("<cQ")
BATCH_BYTES = 4_000_000  # of a message
SLICE_ROWS = 65_536
TRIES = 5  # a compaction swaps a folder in a moment; the next listing has its successor
_LOCKED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}
_NO_THREADS = {"threads": "1", "async_threads": "0"}  # until the fence stands around them


class Order(Struct, frozen=True, kw_only=True):
    """What the process is for, and how much it may take."""

    parent: int
    events_dir: str
    memory_bytes: int  # of the database
    address_bytes: int  # of the process, beyond what it has when it begins
    value_bytes: int  # of one row of an answer
    threads: int


class Wanted(Struct, frozen=True, kw_only=True):
    """One question; `values` stand for its `?`."""

    sql: str
    values: list[Any] = []


class Trouble(Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    kind: str  # refused, memory, swapped, value
    why: str = ""


class Whole(Struct, frozen=True, kw_only=True):
    """The answer's end."""

    left_out: dict[str, str]


class _NoAnswer(Exception):
    def __init__(self, kind: str, why: str = "") -> None:
        self.trouble = Trouble(kind=kind, why=why)


def main() -> None:
    """Be the process."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    die_with_parent(order.parent)
    work = Work(order)
    root = Path(order.events_dir)
    try:
        confine([root.resolve()], memory_bytes=order.address_bytes)
    except (OSError, RuntimeError) as error:
        trouble = Trouble(kind="refused", why=f"The sandbox cannot be set up, so nothing is answered: {error}")
        _send(sys.stdout.buffer, b"E", msgspec.json.encode(trouble))
        return
    work.start_threads()
    for line in sys.stdin.buffer:
        work.answer(msgspec.json.decode(line, type=Wanted), sys.stdout.buffer)


class Work:
    """The database, and what it is asked."""

    def __init__(self, order: Order) -> None:
        self._order = order
        bounds: dict[str, Any] = {"memory_limit": f"{order.memory_bytes}B", **_LOCKED, **_NO_THREADS}
        self._database = duckdb.connect(":memory:", config=bounds)
        self._unread: Unread = {}
        self._files = [RecordedFiles(Path(order.events_dir), doc_type, self._unread) for doc_type in DOC_TYPES]
        for files in self._files:
            self._database.register(f"{files.doc_type} files", files)
            select = doc_type_select(files.doc_type, f'FROM "{files.doc_type} files"')
            self._database.execute(f"CREATE VIEW {files.doc_type} AS {select}")
        for view in VIEWS:
            self._database.execute(view_sql(view))
        self._database.execute("SET TimeZone = 'UTC'")

    def start_threads(self) -> None:
        """Get the processors, and lock the settings."""
        self._database.execute(f"SET threads = {self._order.threads}")
        self._database.execute("SET lock_configuration = true")
        pa.set_cpu_count(self._order.threads)
        pa.set_io_thread_count(self._order.threads)

    def answer(self, wanted: Wanted, out: BinaryIO) -> None:
        """Write the answer, or why there is none."""
        self._unread.clear()  # what was damaged may have been replaced
        try:
            sql = only_reading(self._database, wanted.sql)
            for number, batch in enumerate(self._batches(sql, wanted.values)):
                _send(out, b"B", _stream(batch), flush=number == 0)
            told: tuple[bytes, Struct] = (b"D", Whole(left_out={str(path): why for path, why in self._unread.items()}))
        except _NoAnswer as error:
            told = (b"E", error.trouble)
        except (MemoryError, duckdb.OutOfMemoryException, pa.ArrowMemoryError):
            told = (b"E", Trouble(kind="memory"))
        except duckdb.Error as error:
            told = (b"E", _trouble(error))
        except (RecursionError, ValueError, TypeError, NotImplementedError, OSError) as error:
            told = (b"E", Trouble(kind="refused", why=str(error)))
        _send(out, told[0], msgspec.json.encode(told[1]))

    def _batches(self, sql: str, values: list[Any]) -> Iterator[pa.RecordBatch]:
        """Yield the answer in pieces, the first one empty; begins anew where files are swapped or prove damaged."""
        begun = False
        for tries in range(TRIES):
            try:
                reader = self._database.sql(sql, params=values).to_arrow_reader(
                    SLICE_ROWS
                )  # execute() would copy the rows
                if not begun:
                    yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                for batch in reader:
                    for piece in self._pieces(batch):
                        begun = True
                        yield piece
                return
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                if not _of_files(error):
                    raise
                is_swapped = "No such file" in str(error) or FilesSwapped.__name__ in str(error)
                if begun or tries == TRIES - 1:
                    raise _NoAnswer("swapped" if is_swapped else "damaged", str(error).splitlines()[0]) from None
                if not is_swapped and not self._find_damage():
                    raise

    def _find_damage(self) -> bool:
        found = [files.find_damage() for files in self._files]
        return any(found)

    def _pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Cut a batch so that each piece takes little to send and to hold."""
        size = batch.get_total_buffer_size() if batch.num_rows <= 1 else batch.nbytes
        if size <= BATCH_BYTES:
            yield batch
        elif batch.num_rows > 1:
            half = batch.num_rows // 2
            yield from self._pieces(batch.slice(0, half))
            yield from self._pieces(batch.slice(half))
        elif batch.nbytes > self._order.value_bytes:
            raise _NoAnswer("value", str(batch.nbytes))
        else:
            yield batch


def only_reading(database: Any, sql: str) -> str:
    """Return the statement, if it is one, and one that reads. `_NoAnswer` says what it is else.

    EXPLAIN is let through for a SELECT and without options: with ANALYZE it would run what it explains.
    """
    statements = database.extract_statements(sql)
    if len(statements) != 1:
        raise _NoAnswer("refused", f"Found {len(statements)} statements, must be one.")
    kind = statements[0].type
    if kind == duckdb.StatementType.EXPLAIN:
        return f"EXPLAIN {_explained(database, statements[0].query)}"
    if kind != duckdb.StatementType.SELECT:
        rule = "must be a statement that reads: SELECT, FROM, WITH, DESCRIBE, SHOW."
        raise _NoAnswer("refused", f"Found {kind.name}, {rule}")
    return sql


def _explained(database: Any, sql: str) -> str:
    text = _without_comments(sql)
    inner = text[len("explain") :]
    if text[: len("explain")].lower() == "explain":
        try:
            statements = database.extract_statements(inner)
        except duckdb.Error:
            statements = []
        if [one.type for one in statements] == [duckdb.StatementType.SELECT]:
            return inner
    raise _NoAnswer("refused", "Found EXPLAIN of something else, must be EXPLAIN SELECT ..., without options.")


def _without_comments(sql: str) -> str:
    """Return the text behind the comments that it begins with; one that is not closed stays."""
    text = sql.strip()
    while text.startswith(("--", "/*")):
        begin, end = ("--", "\n") if text.startswith("--") else ("/*", "*/")
        _, found, rest = text[len(begin) :].partition(end)
        if not found:
            break
        text = rest.strip()
    return text


def _of_files(error: Exception) -> bool:
    """Say whether an error came out of reading the recorded files and not of the question."""
    return any(mark in str(error) for mark in ("the stream registered as", FilesSwapped.__name__))


def _trouble(error: duckdb.Error) -> Trouble:
    text = str(error)
    memory = any(mark in text for mark in ("bad_alloc", "Out of Memory", "failed to allocate", "MemoryError"))
    return Trouble(kind="memory") if memory else Trouble(kind="refused", why=text)


def _stream(batch: pa.RecordBatch) -> Any:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _send(out: BinaryIO, kind: bytes, body: Any, *, flush: bool = True) -> None:
    out.write(HEAD.pack(kind, len(body)))
    out.write(body)
    if flush:
        out.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)  # nobody reads any more
