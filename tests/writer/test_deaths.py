"""The campaign of deaths on order, short: journal, normalizer and writer together; and that it knows every point."""

import re
from pathlib import Path

import pytest

from tests.deaths import OF_JOURNAL, OF_WRITER, deaths
from tests.processes import ROOT

_POINT = re.compile(r'point\("([a-z.-]+)"\)')
_FAULT = re.compile(r'fault="([a-z-]+)"')
_SUFFIX = re.compile(r'point\(f"\{fault\}(-[a-z]+)"\)')


def points_of(*folders: str) -> set[str]:
    """Return the fault points that the source names: by themselves, and through `replace_file`."""
    suffixes = _SUFFIX.findall((ROOT / "actors" / "core" / "files.py").read_text())
    sources = [path.read_text() for folder in folders for path in (ROOT / "actors").glob(folder)]
    replaced = [fault + suffix for text in sources for fault in _FAULT.findall(text) for suffix in suffixes]
    return {name for text in sources for name in _POINT.findall(text)} | set(replaced)


def test_every_fault_point_of_journal_and_writer_is_ordered() -> None:
    assert {order.point for order in OF_JOURNAL} == points_of("journal/*.py", "core/segment*.py")
    assert {order.point for order in OF_WRITER} == points_of("writer/*.py")


@pytest.mark.system
def test_deaths_of_journal_and_writer_lose_and_double_nothing(home: Path) -> None:
    found = deaths(home, 24)
    assert sum(found.deaths.values()) == 24
    assert (found.lost, found.doubled, found.wrong) == (0, 0, [])
    assert found.queries > 0
