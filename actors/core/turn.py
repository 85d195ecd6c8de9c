"""One turn for everybody else: what a long piece of work on an asyncio loop awaits between its parts.

Unlike a sleep of nothing it says what it is for, and nothing can put it off. In, out: nothing.
"""

import types
from collections.abc import Generator


@types.coroutine
def turn() -> Generator[None, None, None]:
    """Let the event loop do everything else once."""
    yield
