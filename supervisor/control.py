"""The control channel: questions in, answers out at once, whatever the tree is busy with.

In: `Ask` with an op (status, config, restart, reload, stop). Out: `Answer`, before the work is done: a caller that
wants to see the end of it asks for the status. Never waits, never raises for what a caller sends.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from actors.core import streams
from actors.core.messages import Answer, Ask
from supervisor.tree import Tree

PORTION = 20  # questions before the tree has a turn: the rest is still there in the next one

Op = Callable[[dict[str, Any]], Any]


class Refused(ValueError):
    """The request cannot be carried out; the message goes to the caller."""


class Control:
    """Answers requests with the functions in `ops`."""

    def __init__(self, tree: Tree, ops: dict[str, Op]) -> None:
        self._router = tree.bus.router(streams.CONTROL)
        self._ops = ops
        tree.loop.read(self._router, self._on_question)

    def _on_question(self) -> None:
        for _ in range(PORTION):
            question = self._router.receive()
            if question is None:
                return
            client, ask = question
            self._router.send(client, self._answer(ask))

    def _answer(self, ask: Ask) -> Answer:
        op = self._ops.get(ask.op)
        if op is None:
            return Answer(id=ask.id, error=f"op is {ask.op!r}, must be one of {', '.join(sorted(self._ops))}.")
        try:
            return Answer(id=ask.id, data=msgspec.json.encode(op(ask.args)))
        except Refused as refusal:
            return Answer(id=ask.id, error=str(refusal))
