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
from web.actor import all_routes
from web.app import create_app
from web.openapi import describe
from web.rounds import COLUMNS

DOCUMENT = "/api/openapi.json"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


@pytest.fixture
def app() -> Quart:
    nothing = cast(Any, None)
    routes = all_routes(nothing, nothing, nothing, nothing, Path("/nonexistent"))
    made = create_app(Door("t" * 43, "127.0.0.1", 5000), routes, logging.getLogger("test"))
    describe(made)
    return made


@pytest.fixture
def described(app: Quart) -> dict[str, Any]:
    status, body = ask(app, "/api/openapi.json")
    assert status == 200
    described: dict[str, Any] = json.loads(body)
    return described


def ask(app: Quart, path: str) -> tuple[int, bytes | str]:
    async def answer() -> tuple[int, bytes | str]:
        headers = {"Authorization": f"Bearer {'t' * 43}", "Host": "localhost"}
        response = await app.test_client().get(path, headers=headers)
        return response.status_code, await response.get_data()

    return asyncio.run(answer())


def served(app: Quart) -> set[tuple[str, str]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/") and rule.rule != DOCUMENT]
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_described_and_nothing_else(app: Quart, described: dict[str, Any]) -> None:
    assert {(path, method) for path, methods in described["paths"].items() for method in methods} == served(app)


def test_references_lead_somewhere(described: dict[str, Any]) -> None:
    references = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described))
    assert len(references) > 20
    for reference in references:
        place = described
        for step in reference.split("/"):
            place = place[step]


def test_a_game_is_described_column_by_column(described: dict[str, Any]) -> None:
    assert set(described["components"]["schemas"]["Round"]["properties"]) == set(COLUMNS)


def test_every_error_has_one_shape(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            told = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert told == {"$ref": "#/components/schemas/Error"}, path
            assert operation["summary"].endswith("."), path


def test_every_route_stands_in_the_reference(described: dict[str, Any]) -> None:
    text = REFERENCE.read_text()
    for path in described["paths"]:
        assert path.replace("{game_id}", "<id>").replace("{name}", "<name>").replace("{job_id}", "<id>") in text, path


def test_an_unknown_error_is_told_without_its_inside(app: Quart) -> None:
    status, body = ask(app, "/api/status")
    assert status == 500
    assert json.loads(body)["error"]["code"] == "internal_error"
    assert "NoneType" not in str(body)
