"""`/api/*`: what the pages use, and any program with the token may. Described at `/api/openapi.json`.

JSON in and out; errors as in contract 4.8. Each answer tells what happened, not what was asked.
"""

import asyncio
import re

import msgspec
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response

from actors.core.recording_id import recording_id
from web.answers import Games, GamesQuery, LiveStateAnswer, Restarted, Status, Switched
from web.app import as_json
from web.errors import Refused
from web.house import House
from web.hub import Hub
from web.ledger import Ledger
from web.rounds import PricedRound

GAME_ID = re.compile(r"[\w-]{1,80}")
LIMIT, MOST = 50, 500


def api_routes(hub: Hub, house: House, ledger: Ledger) -> Blueprint:
    """Return the blueprint."""
    routes = Blueprint("api", __name__, url_prefix="/api")

    @routes.get("/status")
    @document_response(Status)
    async def status() -> Response:
        """The supervisor's status, as `vectra-supervisor status --json`."""
        return as_json(await house.status())

    @routes.get("/state")
    @document_response(LiveStateAnswer)
    async def state() -> Response:
        """The live state, as in a snapshot of the feed."""
        answer = await house.snapshot()
        recording = await asyncio.to_thread(recording_id, ledger.data_dir)
        data = msgspec.Raw(answer.state)
        return as_json({"seq": answer.seq, "last": answer.last, "recording": recording, "data": data})

    @routes.post("/recording/start")
    @document_response(Switched)
    async def start_recording() -> Response:
        """Switch the recording on; answers when the journal has it on disk."""
        return as_json({"on": True, "seq": await house.record(True)})

    @routes.post("/recording/stop")
    @document_response(Switched)
    async def stop_recording() -> Response:
        """Switch the recording off; answers when the journal has it on disk."""
        return as_json({"on": False, "seq": await house.record(False)})

    @routes.get("/games")
    @document_querystring(GamesQuery)
    @document_response(Games)
    async def games() -> Response:
        """Finished rounds, newest first."""
        limit = number("limit", LIMIT, 1, MOST)
        before = number("before", None, 0, 2**53)
        found = await hub.rounds(limit or LIMIT, before, sidebets=True)
        following = found[-1].seq if found and len(found) == limit else None
        return as_json({"games": found, "next": following})

    @routes.get("/games/<game_id>")
    @document_response(PricedRound)
    async def game(game_id: str) -> Response:
        """One finished round with its prices."""
        return as_json(await find(hub, game_id))

    @routes.post("/actors/<name>/restart")
    @document_response(Restarted)
    async def restart(name: str) -> Response:
        """Restart an actor; `result` is the supervisor's answer."""
        return as_json({"actor": name, "result": await house.restart(name)})

    return routes


async def find(hub: Hub, game_id: str) -> PricedRound:
    """Return a round, or refuse with 404."""
    found = await hub.round(game_id) if GAME_ID.fullmatch(game_id) else None
    if found is None:
        raise Refused(404, "unknown_game", "This round is not on disk here.")
    return found


def number(name: str, default: int | None, lowest: int, highest: int) -> int | None:
    """Return a whole number of the query, or refuse with 400."""
    given = request.args.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,16}", given) or not lowest <= int(given) <= highest:
        raise Refused(400, "bad_query", f"{name} is {given[:40]!r}, must be a whole number from {lowest} to {highest}.")
    return int(given)
