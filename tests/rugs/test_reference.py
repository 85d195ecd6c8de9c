"""The reference of events is what the structs say, and says something of each field."""

from pathlib import Path

import pytest

from actors.rugs import drift
from actors.rugs.catalogue import TYPES
from actors.rugs.events import TYPES as WIRE_TYPES
from actors.rugs.fields import fields_of
from actors.rugs.reference import page
from actors.rugs.typed import EVENTS

FILE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"


def test_the_file_is_current() -> None:
    assert FILE.read_text() == page(), f"write it again: python -m actors.rugs.reference > {FILE}"


def test_every_type_and_every_event_of_the_wire_is_in_it() -> None:
    text = page()
    for name in [*TYPES, *drift.RECEIVED, *drift.SENT]:
        assert f"`{name}`" in text, name


@pytest.mark.parametrize(
    "struct", [*EVENTS.values(), *(s for s in drift.RECEIVED.values() if s)], ids=lambda s: s.__name__
)
def test_every_field_is_told(struct: type) -> None:
    assert struct.__doc__
    assert [name for name, field in fields_of(struct).items() if not field.meaning] == []


def test_every_typed_event_of_the_wire_has_its_struct() -> None:
    assert WIRE_TYPES.keys() <= drift.RECEIVED.keys()
    assert set(WIRE_TYPES.values()) <= set(EVENTS)
