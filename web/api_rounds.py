"""`/api/rounds` and what is known of one round: the list searched and sorted, trades and side bets, the proof."""

import asyncio

from quart import Blueprint, Response
from quart_schema import document_querystring, document_response

from web.answers import Rounds
from web.api import find
from web.app import as_json
from web.asked import query
from web.hub import Hub
from web.ledger import Ledger
from web.proof import Proof, proof
from web.query import Query
from web.round_rows import Details, details


def rounds_routes(hub: Hub, ledger: Ledger) -> Blueprint:
    """Return the blueprint."""
    routes = Blueprint("rounds_api", __name__, url_prefix="/api")

    @routes.get("/rounds")
    @document_querystring(Query)
    @document_response(Rounds)
    async def rounds() -> Response:
        """Finished rounds on disk: searched, sorted, paged."""
        return as_json(await ledger.rounds(query(Query)))

    @routes.get("/games/<game_id>/details")
    @document_response(Details)
    async def about(game_id: str) -> Response:
        """What was done in a round: trades, side bets, own presses; and which of its ticks were seen live."""
        one = await find(hub, game_id)
        after = await asyncio.to_thread(ledger.register.before, one.seq)
        at_ms = one.ended_at if one.ended_at is not None else one.ts
        return as_json(
            await asyncio.to_thread(details, ledger.data_dir, one.game_id, after, one.seq, at_ms, one.prices or [])
        )

    @routes.get("/games/<game_id>/proof")
    @document_response(Proof)
    async def proved(game_id: str) -> Response:
        """The computation of a round from its revealed seed, tick by tick, beside what was recorded."""
        return as_json(await asyncio.to_thread(proof, await find(hub, game_id)))

    return routes
