"""The API against its own description: schemathesis makes requests of it, and every answer must be as described."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours, good_status
from tests.web.rounds_on_disk import game_row

pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 15


def test_every_answer_is_as_described(room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.status, neighbours.commits, neighbours.refusal = good_status(), True, None
    headers = {"Authorization": f"Bearer {room.token}"}
    document = room.json("/api/openapi.json")[1]
    schema = schemathesis.openapi.from_dict(document)
    asked: dict[str, int] = {}
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # an error has no operation, and fails here
        strategy = operation.as_strategy()

        @given(case=strategy)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck]
        )
        def play(case: Any) -> None:
            if case.path_parameters and "game_id" in case.path_parameters and asked.get(case.operation.label, 0) == 0:
                case.path_parameters["game_id"] = game_row(3)["game_id"]  # one that is there
            asked[case.operation.label] = asked.get(case.operation.label, 0) + 1
            response = case.call(base_url=room.url, headers=headers)
            case.validate_response(response, checks=CHECKS)

        play()
    print(asked)
    assert len(asked) == sum(len(methods) for methods in document["paths"].values())
    assert sum(asked.values()) > len(asked) * 2
