"""What one client has not been sent yet, and what it lost. Pure.

In: framed messages in order. Out: chunks to write. Where there are too many bytes, or the oldest waits too long, the
oldest events go, and the next chunk begins with a `dropped` message that names them. The feed's own answers are never
dropped.
"""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from actors.broadcaster.envelope import dropped, text_frame


class Item(Struct, frozen=True):
    """One framed message; `seq` 0 is an answer, not an event."""

    seq: int
    frame: bytes


class Backlog:
    """Messages of one client, oldest first."""

    def __init__(self, bytes_max: int, age_max_s: float) -> None:
        self.size_bytes = 0
        self.lost = 0  # events, since the client came
        self._bytes_max = bytes_max
        self._age_max_s = age_max_s
        self._queue: deque[tuple[float, Item]] = deque()
        self._answers: deque[Item] = deque()  # answers that stood among lost events; they go out before the queue
        self._lost: tuple[int, int, int] | None = None  # count, first, last

    def __bool__(self) -> bool:
        return bool(self._queue) or bool(self._answers) or self._lost is not None

    @property
    def overfull(self) -> bool:
        """Whether the answers alone are too much: the client asks and does not read."""
        return self.size_bytes > self._bytes_max

    def add(self, items: Iterable[Item], now_s: float) -> None:
        """Append messages, then keep the bounds."""
        for item in items:
            self._queue.append((now_s, item))
            self.size_bytes += len(item.frame)
        self.trim(now_s)

    def trim(self, now_s: float) -> None:
        """Forget the oldest events while there are too many bytes or they wait too long."""
        while self._queue and (self.size_bytes > self._bytes_max or now_s - self._queue[0][0] > self._age_max_s):
            self._lose_oldest()

    def forget(self) -> None:
        """Lose all events that wait: the client is given up."""
        while self._queue:
            self._lose_oldest()

    def take(self, size_bytes: int) -> bytes:
        """Return the next messages, about `size_bytes` of them, at least one."""
        chunk = []
        if self._lost is not None:
            chunk.append(text_frame(dropped(*self._lost)))
            self._lost = None
        size = 0
        while self and size < size_bytes:
            item = self._answers.popleft() if self._answers else self._queue.popleft()[1]
            chunk.append(item.frame)
            size += len(item.frame)
        self.size_bytes -= size
        return b"".join(chunk)

    def _lose_oldest(self) -> None:
        item = self._queue.popleft()[1]
        if not item.seq:
            self._answers.append(item)
            return
        self.size_bytes -= len(item.frame)
        self.lost += 1
        count, first, _ = self._lost or (0, item.seq, 0)
        self._lost = (count + 1, first, item.seq)
