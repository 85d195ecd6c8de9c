"""The API's description is true: every route is in it, and nothing else is."""

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any, cast

import pytest
from quart import Quart

from web.access import Door
from web.api import DESCRIPTION, api_routes
from web.app import create_app
from web.rounds import COLUMNS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


@pytest.fixture
def described() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    return described


@pytest.fixture
def app() -> Quart:
    routes = api_routes(cast(Any, None), cast(Any, None))
    return create_app(Door("t" * 43, "127.0.0.1", 5000, []), [routes], logging.getLogger("test"))


def served(app: Quart) -> set[tuple[str, str]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_described_and_nothing_else(app: Quart, described: dict[str, Any]) -> None:
    assert {(path, method) for path, methods in described["paths"].items() for method in methods} == served(app)


def test_references_lead_somewhere(described: dict[str, Any]) -> None:
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', DESCRIPTION.read_text()):
        place = described
        for step in reference.split("/"):
            place = place[step]


def test_a_game_is_described_column_by_column(described: dict[str, Any]) -> None:
    game = described["components"]["schemas"]["Game"]
    assert list(game["properties"]) == list(COLUMNS) == game["required"]


def test_every_route_stands_in_the_reference(described: dict[str, Any]) -> None:
    text = REFERENCE.read_text()
    for path in described["paths"]:
        assert path.replace("{game_id}", "<id>").replace("{name}", "<name>") in text, path


def test_an_unknown_error_is_told_without_its_inside(app: Quart) -> None:
    async def ask() -> tuple[int, bytes | str]:
        client = app.test_client()
        response = await client.get("/api/status", headers={"Authorization": f"Bearer {'t' * 43}", "Host": "localhost"})
        return response.status_code, await response.get_data()

    status, body = asyncio.run(ask())
    assert status == 500
    assert json.loads(body)["error"]["code"] == "internal_error"
    assert "NoneType" not in str(body)
