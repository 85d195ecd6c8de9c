"""The pages a person sees. They bring the frame; live numbers come through `/ws/live` and the API.

Data is put into the page by Jinja's escaping here, and by textContent in the scripts: names and chat are hostile.
"""

import re
from typing import Any
from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from actors.rugs.schema import DOC_TYPES
from web.api import find
from web.asked import query
from web.hub import Hub
from web.ledger import Ledger
from web.query import Query
from web.rounds import Round, sidebet_counts
from web.show import FILTERS

NAVIGATION = (
    ("live", "/", "Live", "l"),
    ("recording", "/recording", "Recording", "r"),
    ("games", "/games", "Rounds", "g"),
    ("explorer", "/explorer", "Explorer", "e"),
    ("backtest", "/backtest", "Backtest", "b"),
    ("profiles", "/profiles", "Profiles", "p"),
    ("system", "/system", "System", "s"),
)
LATER = {
    "explorer": (
        "Explorer",
        "Questions to everything that was recorded: how long rounds last, how high they go, what follows a long one, "
        "with filters, charts and your own SQL.",
        "The same data answers to SQL on the command line, and its Parquet files open in DuckDB, pandas or Polars.",
        'vectra-supervisor sql "SELECT count(*) AS rounds, median(ticks) AS ticks, avg(peak) AS peak FROM games"',
    ),
    "backtest": (
        "Backtest",
        "A strategy played against recorded rounds, tick by tick, with its trades drawn into the chart and its "
        "result after fees and luck.",
        "The rounds it will play are being recorded now. Each one stands under Rounds, with every tick, and can be "
        "exported.",
        'vectra-supervisor sql "SELECT game_id, tick, price FROM ticks ORDER BY seq DESC LIMIT 20"',
    ),
    "profiles": (
        "Profiles",
        "Other players as the record shows them: what they trade, when they leave, what they win and lose.",
        "Their trades and side bets are recorded as the game sends them.",
        'vectra-supervisor sql "SELECT username, count(*) AS trades, sum(amount) AS sol FROM trades GROUP BY username '
        'ORDER BY trades DESC LIMIT 10"',
    ),
}


def page_routes(hub: Hub, ledger: Ledger) -> Blueprint:
    """Return the blueprint."""
    routes = Blueprint("pages", __name__)
    for name, filter_ in FILTERS.items():
        routes.add_app_template_filter(filter_, name)

    @routes.app_context_processor
    async def frame() -> dict[str, Any]:
        return {"navigation": NAVIGATION}

    @routes.get("/")
    async def live() -> str:
        return await render_template("live.html", here="live")

    @routes.get("/recording")
    async def recording() -> str:
        return await render_template("recording.html", here="recording", doc_types=list(DOC_TYPES))

    @routes.get("/games")
    async def games() -> str | AnyResponse:
        wanted = request.args.get("id", "").strip()
        if re.fullmatch(r"[\w-]{1,80}", wanted):
            return redirect(f"/games/{wanted}", 303)
        asked = query(Query)
        return await render_template(
            "games.html", here="games", found=await ledger.rounds(asked), asked=asked, filtered=_filtered(asked),
            link=lambda **changes: _link(asked, changes),
        )  # fmt: skip

    @routes.get("/games/<game_id>")
    async def game(game_id: str) -> str:
        found = await find(hub, game_id)
        return await render_template("game.html", here="games", round=found, bets=_bets(found))

    @routes.get("/system")
    async def system() -> str:
        return await render_template("system.html", here="system")

    @routes.get("/<any(explorer,backtest,profiles):page>")
    async def later(page: str) -> str:
        title, what, meanwhile, command = LATER[page]
        return await render_template(
            "later.html", here=page, title=title, what=what, meanwhile=meanwhile, command=command
        )

    @routes.get("/favicon.ico")
    async def favicon() -> AnyResponse | Response:
        return redirect("/static/favicon.svg", 308)

    return routes


def _filtered(asked: Query) -> bool:
    return msgspec.structs.replace(asked, sort="time", order="down", page=1) != Query()


def _link(asked: Query, changes: dict[str, Any]) -> str:
    """Return the address of the same list in another order or on another page."""
    wanted = msgspec.structs.asdict(asked) | changes
    plain = msgspec.structs.asdict(Query())
    given = {key: value for key, value in wanted.items() if value != plain[key]}
    return "/games" + (f"?{urlencode(given)}" if given else "")


def _bets(round_: Round) -> tuple[int, int] | None:
    return sidebet_counts(round_.sidebets)
