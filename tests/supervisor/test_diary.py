"""Facts on their way to the journal: kept, resent under one id, forgotten only past the bound."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actors.core import streams
from actors.core.bus import Bus
from actors.core.messages import Committed, Submit
from supervisor.diary import LIMIT, Diary
from tests.supervisor.running import until


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    bus = Bus(tmp_path)
    yield bus
    bus.close()


def test_a_fact_is_sent_again_until_the_journal_has_it(bus: Bus) -> None:
    diary = Diary(bus)
    diary.note("writer", "exited", code=None, signal=9)
    with bus.inbox(streams.COMMANDS) as commands, bus.outbox(streams.RESULTS) as results:

        def heard() -> Submit | None:
            diary.resend()
            found: Submit | None = commands.receive()
            return found

        first, second = until(heard), until(heard)
        assert first.id == second.id
        assert first.event == "actor"
        data = msgspec.json.decode(first.data)
        assert data == {"actor": "writer", "what": "exited", "code": None, "signal": 9}

        def confirmed() -> bool:
            results.send(Committed(id=first.id, seq=256))
            diary.hear()
            return diary.pending == 0

        until(confirmed)
    diary.close()


def test_while_the_journal_is_away_facts_queue_up_to_a_bound_and_the_oldest_go(bus: Bus) -> None:
    diary = Diary(bus)
    for number in range(LIMIT + 5):
        diary.note("writer", "exited", number=number)
    assert (diary.pending, diary.forgotten) == (LIMIT, 5)
    diary.close()
