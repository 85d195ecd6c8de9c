"""A reader as a user's program is: looks through a plain glob, again and again, while a writer flushes and compacts."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import duckdb

from actors.writer.layout import events_dir


class Reader:
    """Looks in a thread for the length of a with block; keeps what was wrong.

    look: counts once; returns what is wrong, None where nothing is.
    harmless: words of the errors that only mean that a file is not there, or not any more.
    """

    def __init__(
        self, look: Callable[[], object], *, pause_s: float = 0.0, harmless: tuple[str, ...] = ("No such file",)
    ) -> None:
        self.queries = 0
        self.vanished = 0
        self.wrong: list[str] = []
        self._look, self._pause_s, self._harmless = look, pause_s, harmless
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.wait(self._pause_s):
            try:
                wrong = self._look()
            except duckdb.Error as error:
                self.vanished += 1
                if not any(words in str(error) for words in self._harmless):
                    self.wrong.append(str(error))
                continue
            self.queries += 1
            if wrong is not None:
                self.wrong.append(str(wrong))


def plain_glob(data_dir: Path) -> dict[str, tuple[int, int]]:
    """Return for each doc_type how many rows, and how many different numbers, a user's glob finds."""
    glob = str(events_dir(data_dir) / "**" / "*.parquet")
    query = (
        "select doc_type, count(*), count(distinct seq) from "
        "read_parquet(?, hive_partitioning=true, union_by_name=true) group by 1"
    )
    with duckdb.connect() as database:
        database.execute("set threads=1")
        return {name: (rows, numbers) for name, rows, numbers in database.execute(query, [glob]).fetchall()}
