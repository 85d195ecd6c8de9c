"""`/api/reports`, `/api/settings`, `/api/logs`: what the house says of itself. Reads only."""

import asyncio
from pathlib import Path

import msgspec
from quart import Blueprint, Response
from quart_schema import document_querystring, document_response

from web import logs
from web.answers import HoursQuery, LogQuery, Logs, Reports, Settings
from web.app import as_json
from web.asked import query
from web.house import House
from web.ledger import Ledger

MOST = 500
DRIFT_HOURS = 744  # each difference is told once: what was seen last week still holds


def system_routes(ledger: Ledger, house: House, runtime_dir: Path) -> Blueprint:
    """Return the blueprint."""
    routes = Blueprint("system_api", __name__, url_prefix="/api")

    @routes.get("/reports")
    @document_querystring(HoursQuery)
    @document_response(Reports)
    async def reports() -> Response:
        """Gaps and what became of actors over the last hours, drift of the protocol over 31 days; 500 of each."""
        hours = query(HoursQuery).hours
        return as_json(
            Reports(
                gaps=(await ledger.gaps(hours))[:MOST],
                drift=(await ledger.drift(DRIFT_HOURS))[:MOST],
                actors=(await ledger.reports(hours, frozenset({"actor"})))[:MOST],
            )
        )

    @routes.get("/settings")
    @document_response(Settings)
    async def settings() -> Response:
        """The settings in force, and where each value came from."""
        return as_json(await house.settings())

    @routes.get("/logs")
    @document_response(Logs)
    async def names() -> Response:
        """Whose logs there are."""
        return as_json(Logs(logs=await asyncio.to_thread(logs.actors, runtime_dir)))

    @routes.get("/logs/<name>")
    @document_querystring(LogQuery)
    @document_response(logs.LogView)
    async def log(name: str) -> Response:
        """The newest records of a log; with a cursor, what was added since."""
        asked = query(LogQuery)
        if asked.cursor is msgspec.UNSET:
            found = await asyncio.to_thread(logs.newest, runtime_dir, name, asked.count, asked.level, asked.text)
        else:
            found = await asyncio.to_thread(logs.since, runtime_dir, name, asked.cursor, asked.level, asked.text)
        return as_json(found)

    return routes
