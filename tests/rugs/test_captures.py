"""Real sessions played through the core: every frame accounted for, every round verified, live prices the true ones."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.core.messages import Event, Row
from actors.rugs.redact import Redactor
from actors.rugs.typed import data_type
from actors.rugs.veil import Veil
from tests.rugs.playbook import Play, data, drifts, fits, rows

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
SESSIONS = ["2025-12-06-anonymous", "2025-12-14-anonymous", "2026-02-06-samples"]

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded sessions are not part of the project")


def frames(name: str) -> Iterator[tuple[str, bool]]:
    with gzip.open(CAPTURES / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            recorded = json.loads(line)
            yield recorded["frame"], recorded["dir"] == "sent"


class Session:
    """A capture, played."""

    def __init__(self, name: str, *, restart_every: int | None = None, tabs: int = 1) -> None:
        self.playing = Play()
        self.payloads: list[str] = []
        self.events: list[Event] = []
        self.rows: list[Row] = []
        for place, (payload, sent) in enumerate(frames(name)):
            if restart_every and place % restart_every == 0:
                self.playing.restart()
            self.payloads.append(payload)
            for tab in range(tabs):
                made = self.playing.frame(payload, sent=sent, stream=f"browser/page/{tab}")
                self.events += made.events
                self.rows += made.rows

    def ticks(self) -> list[dict[str, Any]]:
        return [row for row in rows(self.rows, "game_tick") if row["phase"] in ("ACTIVE", "RUGGED")]


@pytest.fixture(scope="module", params=SESSIONS)
def session(request: pytest.FixtureRequest) -> Session:
    return Session(request.param)


def test_every_frame_is_kept_exactly_once(session: Session) -> None:
    kept = rows(session.rows, "ws_event")
    assert [row["raw"].decode() for row in kept] == session.payloads
    assert all(row["event_name"] == json.loads(row["raw"][2:])[0] for row in kept)


def test_nothing_is_malformed(session: Session) -> None:
    assert (session.playing.memory.malformed, session.playing.memory.failures) == (0, 0)
    assert all(fits(row) for row in session.rows)


def test_nothing_drifts(session: Session) -> None:
    assert drifts(session.events) == []


def test_every_event_has_the_fields_that_its_type_is_told_to_have(session: Session) -> None:
    for event in session.events:
        msgspec.json.decode(event.data, type=data_type(event.type))


def test_all_rounds_are_verified(session: Session) -> None:
    games = rows(session.rows, "game")
    assert len(games) >= 10
    assert {row["verified"] for row in games} == {True}
    assert len({row["game_id"] for row in games}) == len(games)


def test_live_prices_are_those_of_the_histories(session: Session) -> None:
    completed = [data(event) for event in session.events if event.type == "game.completed"]
    assert [one["differingTicks"] for one in completed] == [[]] * len(completed)


def test_no_tick_is_typed_twice_and_completed_rounds_have_all(session: Session) -> None:
    ticks = session.ticks()
    found = Counter((row["game_id"], row["tick"]) for row in ticks)
    assert max(found.values()) == 1
    for game in rows(session.rows, "game"):
        prices = sorted((row["tick"], row["price"]) for row in ticks if row["game_id"] == game["game_id"])
        assert prices == list(enumerate(game["prices"]))


def test_every_state_frame_is_a_tick_or_a_copy_of_one(session: Session) -> None:
    """Copies, as counted in the sessions: full frames at tick 0 and on connect, timer 10000, Broadcast A."""
    states = [json.loads(payload[2:])[1] for payload in session.payloads if payload.startswith('42["gameStateUpdate"')]
    typed = [event for event in session.events if event.type == "game.tick"]
    keys: set[tuple[Any, ...]] = set()
    for one in states:
        if one.get("rugged"):
            keys.add((one["gameId"], "rug"))
        elif one.get("active"):
            keys.add((one["gameId"], one["tickCount"]))
        else:
            keys.add((one["gameId"], one["cooldownTimer"], one["allowPreRoundBuys"]))
    assert len(typed) == len(keys)


def test_a_tick_event_has_every_field_of_its_frame(session: Session) -> None:
    by_seq = {row["seq"]: json.loads(row["raw"][2:])[1] for row in rows(session.rows, "ws_event")}
    for event in session.events:
        if event.type == "game.tick":
            frame, tick = by_seq[event.seq // 256 * 256], data(event)
            left_out = {name for name in frame if name.endswith("Prices")} | {
                "gameHistory",
                "prices",
                "availableShitcoins",
            }
            assert {name: tick[name] for name in frame.keys() - left_out} == {
                name: frame[name] for name in frame.keys() - left_out
            }
            assert not left_out & tick.keys()


def test_every_other_event_is_typed_with_all_its_fields(session: Session) -> None:
    by_seq = {row["seq"]: json.loads(row["raw"][2:]) for row in rows(session.rows, "ws_event")}
    for event in session.events:
        name, *args = by_seq[event.seq // 256 * 256]
        plain = [arg for arg in args if not (isinstance(arg, dict) and arg.get("__trace"))]
        if event.type == "player.trade":
            assert [data(event)] == plain
        elif event.type.startswith("raw."):
            assert (event.type, data(event)) == (f"raw.{name}", {"args": plain})


@pytest.mark.parametrize("name", SESSIONS)
def test_restarts_on_the_way_change_nothing(name: str) -> None:
    whole, broken = Session(name), Session(name, restart_every=17)
    assert broken.events == whole.events
    assert broken.rows == whole.rows


def test_a_second_tab_adds_frames_only() -> None:
    one, two = Session(SESSIONS[1]), Session(SESSIONS[1], tabs=2)

    def values(session: Session) -> list[Any]:
        return [(row.doc_type, row.game_id, row.values) for row in session.rows if row.doc_type != "ws_event"]

    assert values(two) == values(one)


def test_the_rounds_of_the_second_session_were_seen_whole() -> None:
    games = rows(Session("2025-12-14-anonymous").rows, "game")
    assert [(row["ticks"], row["live_ticks"], row["missing_ticks"]) for row in games[-2:]] == [(116, 117, 0), (7, 8, 0)]


def test_player_frames_are_kept_raw() -> None:
    session = Session("2025-12-gameStatePlayerUpdate-samples")
    assert {event.type for event in session.events} == {"raw.gameStatePlayerUpdate"}
    assert drifts(session.events) == []
    assert all(event.game_id == data(event)["args"][0]["gameId"] for event in session.events)


def test_nothing_of_the_game_is_redacted(session: Session) -> None:
    redactor = Redactor()
    assert [redactor.clean(False, 1, payload.encode()) for payload in session.payloads] == [
        (payload.encode(), False) for payload in session.payloads
    ]


def test_pseudonyms_leave_everything_but_players_as_it_is(session: Session) -> None:
    redactor = Redactor(veil=Veil(b"k" * 32))
    for payload in session.payloads:
        covered = redactor.clean(False, 1, payload.encode())[0].decode()
        for before, after in _texts(json.loads(payload[2:]), json.loads(covered[2:])):
            assert before == after or after.startswith("did:privy:") or "player-" in after


def _texts(before: Any, after: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the values of two messages that must have the same form, side by side."""
    assert type(before) is type(after)
    if isinstance(before, dict):
        assert before.keys() == after.keys()
        for name, value in before.items():
            yield from _texts(value, after[name])
    elif isinstance(before, list):
        for one, other in zip(before, after, strict=True):
            yield from _texts(one, other)
    else:
        yield before, after
