"""Read-only database over the recorded data: questions in SQL, answered by a sandboxed process, in bounds.

In: a data directory and statements. Out: answers as Arrow batches while they are made. What is asked cannot write, read
another file or reach the network (`query_process.py`, `sandbox.py`), and takes no more memory, time and bytes than its
`Bounds`; `Refused` says why there is no answer and what to do instead. Synchronous; one question at a time. The thread
that asks must live as long as the database: its end would be the process's.
"""

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from actors.rugs.schema import DOC_TYPES
from supervisor.data_views import VIEWS

CODE = Path(__file__).resolve().parents[1]
MODULE = "supervisor.query_process"
HEAD_BYTES = 9  # of a message: its kind and its length
SPARE_BYTES = 10_000_000  # of a message beyond its values: names, types, zeros between them
END_S = 1.0
_SIGNAL_ABORT = -6


class Refused(Exception):
    """The question cannot be answered; the message is for the person who asked."""


class Bounds(Struct, frozen=True, kw_only=True):
    """What one question may take."""

    time_s: float = 120.0  # of waiting for the answer, not for those who read it
    answer_bytes: int = 2_000_000_000
    value_bytes: int = 64_000_000  # of one row; the largest known frames have 2 MB
    memory_bytes: int = 1_000_000_000  # of the database
    address_bytes: int = 3_000_000_000  # of its process: what DuckDB does not count, Arrow and stacks beside it
    threads: int = 2


class ReadOnlyDatabase:
    """A database over one data directory that can only be read. Use it as a context manager.

    bounds: of each question. A question that goes beyond them ends with its process; the next one gets a new process.
    """

    def __init__(self, data_dir: Path, bounds: Bounds = Bounds()) -> None:  # noqa: B008, it is frozen
        self._events_dir = data_dir / "events_parquet"
        self.bounds = bounds
        self._process: subprocess.Popen[bytes] | None = None
        self._is_answering = False
        self.left_out: dict[str, str] = {}  # of all answers: the files that cannot be read, and why

    def __enter__(self) -> "ReadOnlyDatabase":
        self._start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process, self._is_answering = self._process, None, False
        if process is None:
            return
        process.kill()
        process.wait()
        self._close_pipes(process)

    def ask(self, sql: str) -> Any:
        """Return a whole answer as an Arrow table. Refused: it is no reading statement, is wrong, or takes too much."""
        import pyarrow as pa

        batches = list(self.stream(sql))
        return pa.Table.from_batches(batches)

    def rows(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield the answer's rows as plain values; `values` stand for its `?`. Refused."""
        for batch in self.stream(sql, *values):
            yield from zip(*(plain_values(column) for column in batch.columns), strict=True)

    def stream(self, sql: str, *values: Any) -> Iterator[Any]:
        """Yield the answer as Arrow batches while it is made; the first one has no rows, only the columns. Refused."""
        if self._is_answering:
            self.close()  # the answer before was not read to its end
        process = self._start()
        self._is_answering = True
        limit = _Limit(self.bounds)
        try:
            request = msgspec.json.encode({"sql": sql, "values": values}) + b"\n"
        except UnicodeEncodeError:
            raise Refused("The statement is not valid text.") from None
        try:
            process.stdin.write(request)  # type: ignore[union-attr]  # it is a pipe
            process.stdin.flush()  # type: ignore[union-attr]
        except BrokenPipeError:
            raise self._dead() from None
        yield from self._batches(process, limit)

    def _batches(self, process: "subprocess.Popen[bytes]", limit: "_Limit") -> Iterator[Any]:
        import pyarrow as pa

        while True:
            kind, body = self._message(process, limit)
            if kind == b"B":
                with pa.ipc.open_stream(body) as reader:
                    yield from reader
            elif kind == b"D":
                self.left_out |= msgspec.json.decode(body)["left_out"]
                self._is_answering = False
                return
            else:
                self._is_answering = False
                trouble = msgspec.json.decode(body)
                raise Refused(self._words(trouble["kind"], trouble["why"]))

    def _message(self, process: "subprocess.Popen[bytes]", limit: "_Limit") -> tuple[bytes, bytes]:
        head = self._read(process, HEAD_BYTES, limit)
        kind, size = head[:1], int.from_bytes(head[1:], "little")
        limit.answer_bytes -= size
        if kind not in b"BDE" or size > self.bounds.value_bytes + SPARE_BYTES:
            self.close()
            raise Refused("The database gave no answer that can be read: it was closed.")
        if limit.answer_bytes < 0:
            self.close()
            raise Refused(
                f"The answer has more than {self.bounds.answer_bytes / 1e6:,.0f} MB, which is the limit. "
                "Ask for less: fewer columns, a date, LIMIT."
            )
        return kind, self._read(process, size, limit)

    def _read(self, process: "subprocess.Popen[bytes]", size: int, limit: "_Limit") -> bytes:
        read = bytearray()
        fd = process.stdout.fileno()  # type: ignore[union-attr]  # it is a pipe
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while len(read) < size:
            began_s = time.monotonic()
            is_there = poll.poll(max(0.0, limit.time_s * 1000))
            limit.time_s -= time.monotonic() - began_s
            if not is_there:
                self.close()
                raise Refused(
                    f"There was no answer after {self.bounds.time_s:g} s, which is the limit. "
                    "Ask for less: a date, one game_id, LIMIT before a join."
                )
            piece = os.read(fd, size - len(read))
            if not piece:
                raise self._dead()
            read += piece
        return bytes(read)

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            order = {
                "parent": os.getpid(), "events_dir": str(self._events_dir), "memory_bytes": self.bounds.memory_bytes,
                "address_bytes": self.bounds.address_bytes, "value_bytes": self.bounds.value_bytes,
                "threads": self.bounds.threads,
            }  # fmt: skip
            environment = {
                "PYTHONPATH": os.pathsep.join([str(CODE), *filter(None, sys.path)]),
                "JE_ARROW_MALLOC_CONF": "background_thread:false",  # it would stand outside the sandbox
                "LANG": os.environ.get("LANG", "C.UTF-8"),
            }
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, msgspec.json.encode(order).decode()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            )  # fmt: skip
        return self._process

    def _dead(self) -> Refused:
        """Return why the process ended by itself: a bound of the kernel's, or a fault of the database."""
        process, self._process, self._is_answering = self._process, None, False
        if process is None:
            return Refused("The database was closed.")
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._close_pipes(process)
        if process.returncode == _SIGNAL_ABORT:  # C++ found no memory where it could not report that
            return Refused(self._words("memory", ""))
        return Refused(
            f"The database ended on this question (code {process.returncode}): it takes too much memory, or is one "
            "that DuckDB cannot answer. Ask it another way."
        )

    @staticmethod
    def _close_pipes(process: "subprocess.Popen[bytes]") -> None:
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):  # what could not be sent is still in its buffer
                pipe.close()  # type: ignore[union-attr]

    def _words(self, kind: str, why: str) -> str:
        """Return why there is no answer, with the way out."""
        if kind == "memory":
            return (
                f"The question takes more than {self.bounds.memory_bytes / 1e6:,.0f} MB of memory, which is the limit. "
                "Ask for less at a time: a date, fewer columns, a smaller GROUP BY or join."
            )
        if kind == "value":
            return (
                f"One row of the answer has {int(why) / 1e6:,.0f} MB, must be {self.bounds.value_bytes / 1e6:,.0f} at "
                "most. Shorten its values, as with left(raw, 1000)."
            )
        if kind == "swapped":
            return "The writer merged files while the answer was on its way; ask again."
        if kind == "damaged":
            return f"A recorded file proved damaged while the answer was on its way: {_bare(why)}. Ask again."
        return _refusal(why, self._events_dir)


class _Limit:
    """What is left of the bounds of one question."""

    def __init__(self, bounds: Bounds) -> None:
        self.time_s = bounds.time_s
        self.answer_bytes = bounds.answer_bytes


def left_out_words(left_out: dict[str, str]) -> str:
    """Return which files an answer lacks, and the way out."""
    files = "\n".join(f"{path} cannot be read: {why}" for path, why in sorted(left_out.items()))
    return f"{files}\nThe answer is without their rows. Move them out of events_parquet, or bring back a copy."


def plain_values(column: Any) -> list[Any]:
    """Return a column's values; one that Python has no type for, as a day beyond the year 9999, as text."""
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, ArithmeticError, ImportError):
        values = [_plain(one) for one in column]
    return values


def _plain(value: Any) -> Any:
    import pyarrow as pa

    try:
        return value.as_py()
    except (ValueError, OverflowError, ArithmeticError, ImportError):
        try:
            return value.cast(pa.string()).as_py()
        except (pa.ArrowException, ValueError):
            return "(a value that cannot be shown)"


def _bare(error: str) -> str:
    return re.sub(r"^(\w+ )+Error: ", "", error.strip())


def _refusal(error: str, events_dir: Path) -> str:
    """Return DuckDB's error with the way out."""
    bare = _bare(error)
    if "does not exist" in bare and "Table with name" in bare:
        names = ", ".join([view.name for view in VIEWS] + list(DOC_TYPES))
        return f"{bare}\nThere are: {names}."
    if "file system operations are disabled" in bare or "Cannot access" in bare:
        return f"{bare}\nOnly files below {events_dir} can be read here."
    return bare
