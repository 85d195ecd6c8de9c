"""The page of the data is the code's, and the schema does not change behind its version's back."""

import re
from pathlib import Path

from actors.rugs.schema import DOC, DOC_TYPES, LEADING, SCHEMA_VERSION, fingerprint
from supervisor.data_reference import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
CONTRACT = {
    "ws_event", "game_tick", "server_state", "player_action", "system_event", "game", "trade", "sidebet",
}  # fmt: skip


def test_the_page_is_what_the_code_says() -> None:
    said = (DOCS / "reference" / "data.md").read_text()
    assert said == page(), "run: python -m supervisor.data_reference > docs/reference/data.md"


def test_every_doc_type_is_there_and_every_column_is_explained() -> None:
    assert set(DOC_TYPES) == CONTRACT
    for column in (*LEADING, *(column for doc in DOC.values() for column in doc.columns)):
        assert all((column.meaning, column.unit, column.source, column.example)), column.name
        assert re.search(rf"^\| `{column.name}` \| `{re.escape(column.type)}` \|", page(), re.M)


def test_columns_change_only_with_the_version() -> None:
    assert {SCHEMA_VERSION: fingerprint()} == {"2.0.0": "ee3fba3dc2e9d95b"}, "a changed column needs a new version"
