"""Questions to the rest of the house, and their answers: the supervisor, the live state, the recording switch.

Each call has a limit and raises `Refused` with a plain sentence where the other side is silent; an answer tells what
really happened, never "sent". Lives in the web actor's event loop.
"""

import asyncio
import contextlib
import itertools
import os
import uuid
from typing import Any

import msgspec

from actors.core import streams
from actors.core.bus import AsyncDealer, AsyncInbox, Bus, Outbox
from actors.core.clock import now_us
from actors.core.config import Journal
from actors.core.messages import Answer, Ask, Committed, LiveState, SnapshotQuery, Submit
from web.errors import Refused
from web.storage import Limits

STATUS_S = 1.0
RESTART_S = 10.0
SNAPSHOT_S = 0.5
SNAPSHOT_TRIES = 3  # a question to an actor that just died is lost; its successor answers the next one
SWITCH_S = 5.0
RESEND_S = 0.2  # a command travels again until it is committed; its id tells doubles apart


class House:
    """The dealers to supervisor and state, and the command stream to the journal."""

    def __init__(self, bus: Bus) -> None:
        self._ids = (f"web-{os.getpid()}-{number}" for number in itertools.count(1))
        self._status: AsyncDealer[Answer] = bus.async_dealer(streams.CONTROL)
        self._control: AsyncDealer[Answer] = bus.async_dealer(streams.CONTROL)  # a slow restart must not hide status
        self._queries: AsyncDealer[LiveState] = bus.async_dealer(streams.QUERIES)
        self._commands: Outbox[Submit] = bus.outbox(streams.COMMANDS)
        self._results: AsyncInbox[Committed] = bus.async_inbox(streams.RESULTS)
        self._waiting: dict[str, asyncio.Future[Committed]] = {}
        self._limits = Limits(Journal().max_bytes, Journal().retention_days)

    async def status(self) -> dict[str, Any]:
        """Return the object of contract 4.2."""
        answer = await self._status.ask(Ask(id=next(self._ids), op="status"), STATUS_S)
        if answer is None or answer.error is not None:
            raise Refused(
                503,
                "supervisor_silent",
                f"The supervisor did not answer within {STATUS_S:g} s. Look at `vectra-supervisor status`.",
                {"error": answer.error if answer else None},
            )
        status: dict[str, Any] = msgspec.json.decode(answer.data)
        return status

    async def settings(self) -> dict[str, Any]:
        """Return `path`, `config` and `sources`: the settings in force, and where each value came from."""
        answer = await self._status.ask(Ask(id=next(self._ids), op="config"), STATUS_S)
        if answer is None or answer.error is not None:
            raise Refused(503, "supervisor_silent", f"The supervisor did not tell its settings within {STATUS_S:g} s.")
        settings: dict[str, Any] = msgspec.json.decode(answer.data)
        return settings

    async def journal_limits(self) -> Limits:
        """Return the journal's limits in force; the last known ones where the supervisor is silent."""
        with contextlib.suppress(Refused):
            journal = (await self.settings())["config"]["journal"]
            self._limits = Limits(journal["max_bytes"], journal["retention_days"])
        return self._limits

    async def drift_frames(self) -> dict[str, int]:
        """Return the normalizer's count of frames that were not as described, by event; empty where it is not told."""
        with contextlib.suppress(Refused):
            for one in (await self.status()).get("actors") or []:
                if one.get("name") == "normalizer":
                    return {**((one.get("stats") or {}).get("drift_frames") or {})}
        return {}

    async def restart(self, actor: str) -> Any:
        """Restart an actor and return the supervisor's answer."""
        names = [one.get("name") for one in (await self.status()).get("actors") or []]
        if actor not in names:
            raise Refused(404, "unknown_actor", f"There is no actor {actor[:60]!r}.", {"actors": names})
        answer = await self._control.ask(Ask(id=next(self._ids), op="restart", args={"actor": actor}), RESTART_S)
        if answer is None:
            raise Refused(
                503, "supervisor_silent", f"The supervisor did not confirm the restart within {RESTART_S:g} s."
            )
        if answer.error is not None:
            raise Refused(409, "not_restarted", answer.error)
        return msgspec.json.decode(answer.data)

    async def snapshot(self) -> LiveState:
        """Return the live state with the prices of its round."""
        for _ in range(SNAPSHOT_TRIES):
            answer = await self._queries.ask(SnapshotQuery(id=next(self._ids)), SNAPSHOT_S)
            if answer is not None:
                return answer
        limit_s = SNAPSHOT_S * SNAPSHOT_TRIES
        raise Refused(503, "state_silent", f"The state actor did not answer within {limit_s:g} s.")

    async def record(self, on: bool) -> int:
        """Switch the recording and return the number under which the journal holds the switch on disk."""
        submit = Submit(
            id=uuid.uuid4().hex,
            event="recording",
            data=msgspec.json.encode({"on": on, "by": "ui"}),
            at_us=now_us(),
        )
        result: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._waiting[submit.id] = result
        try:
            async with asyncio.timeout(SWITCH_S):
                while not result.done():
                    self._commands.send(submit)
                    await asyncio.wait([result], timeout=RESEND_S)
        except TimeoutError:
            verb = "start" if on else "stop"
            raise Refused(
                503,
                "journal_silent",
                f"The journal did not confirm within {SWITCH_S:g} s, so whether the recording will {verb} is not "
                "known. Look at the journal on the System page, then look here again.",
            ) from None
        finally:
            del self._waiting[submit.id]
        committed = result.result()
        if committed.error is not None:
            raise Refused(409, "recording_refused", committed.error)
        return committed.seq

    async def hear_results(self) -> None:
        """Hand each committed command to whoever waits for it; runs for ever."""
        while True:
            committed = await self._results.receive()
            waiting = self._waiting.get(committed.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(committed)
