"""Rate limiting of log lines that a stranger can cause: a log that rotates must not be rotated away by one.

In: lines, by topic. Out: at most one line a topic and period to the logger, with how many were left out before it. Pure
but for the logger.
"""

import logging
from typing import Any

PERIOD_S = 60.0


class RateLimitedLog:
    """Passes on one line a topic and period. Topics are ours and few, never a stranger's words."""

    def __init__(self, log: logging.Logger, period_s: float = PERIOD_S) -> None:
        self._log = log
        self._period_s = period_s
        self._next_s: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def write(self, topic: str, now_s: float, level: int, text: str, *words: Any, **options: Any) -> None:
        """Log the line, or count it. now_s: monotonic; text, words, options: as `Logger.log` takes them."""
        if now_s < self._next_s.get(topic, float("-inf")):
            self._left_out[topic] = self._left_out.get(topic, 0) + 1
            return
        self._next_s[topic] = now_s + self._period_s
        left_out = self._left_out.pop(topic, 0)
        more = f" ({left_out} more like it since the last line)" if left_out else ""
        self._log.log(level, text + more, *words, **options)
