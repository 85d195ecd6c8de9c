"""`/api/*`: what the pages use, and any program with the token may. Described in `openapi.json`.

JSON in and out; errors as in contract 4.8. Each answer tells what happened, not what was asked.
"""

import re
from pathlib import Path

import msgspec
from quart import Blueprint, Response, request

from web.app import as_json
from web.errors import Refused
from web.house import House
from web.hub import Hub
from web.rounds import PricedRound

GAME_ID = re.compile(r"^[\w-]{1,80}$")
LIMIT, MOST = 50, 500
DESCRIPTION = Path(__file__).with_name("openapi.json")


def api_routes(hub: Hub, house: House) -> Blueprint:
    """Return the blueprint."""
    routes = Blueprint("api", __name__, url_prefix="/api")

    @routes.get("/status")
    async def status() -> Response:
        return as_json(await house.status())

    @routes.get("/state")
    async def state() -> Response:
        answer = await house.snapshot()
        return as_json({"seq": answer.seq, "last": answer.last, "data": msgspec.Raw(answer.state)})

    @routes.post("/recording/start")
    async def start_recording() -> Response:
        return as_json({"on": True, "seq": await house.record(True)})

    @routes.post("/recording/stop")
    async def stop_recording() -> Response:
        return as_json({"on": False, "seq": await house.record(False)})

    @routes.get("/games")
    async def games() -> Response:
        limit = number("limit", LIMIT, 1, MOST)
        before = number("before", None, 0, 2**53)
        found = await hub.rounds(limit or LIMIT, before, sidebets=True)
        following = found[-1].seq if found and len(found) == limit else None
        return as_json({"games": found, "next": following})

    @routes.get("/games/<game_id>")
    async def game(game_id: str) -> Response:
        return as_json(await find(hub, game_id))

    @routes.post("/actors/<name>/restart")
    async def restart(name: str) -> Response:
        return as_json({"actor": name, "result": await house.restart(name)})

    @routes.get("/openapi.json")
    async def openapi() -> Response:
        return Response(DESCRIPTION.read_bytes(), content_type="application/json")

    return routes


async def find(hub: Hub, game_id: str) -> PricedRound:
    """Return a round, or refuse with 404."""
    found = await hub.round(game_id) if GAME_ID.match(game_id) else None
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
