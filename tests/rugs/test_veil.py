"""Other players get pseudonyms, always the same ones; the own player and everything else stay exact."""

import json

import pytest

from actors.rugs.redact import MARK, Redactor
from actors.rugs.veil import Veil
from tests.rugs.playbook import TRACE, packet

KEY = b"k" * 32
OTHER = {"playerId": "did:privy:cmother", "username": 'An "other"'}
OWN = {"id": "did:privy:cmown", "hasUsername": True, "username": "me"}


def clean(redactor: Redactor, text: str, *, sent: bool = False) -> str:
    return redactor.clean(sent, 1, text.encode())[0].decode()


def trade(who: dict[str, str]) -> str:
    return packet("standard/newTrade", TRACE, {"id": "4f", "gameId": "20260101-aa", **who, "type": "buy", "price": 1.5})


def test_an_id_and_a_name_become_hashes_and_everything_else_stays() -> None:
    covered = json.loads(clean(Redactor(veil=Veil(KEY)), trade(OTHER))[2:])[2]
    assert {name: value for name, value in covered.items() if name not in OTHER} == {
        "id": "4f", "gameId": "20260101-aa", "type": "buy", "price": 1.5,
    }  # fmt: skip
    assert (covered["playerId"][:10], len(covered["playerId"]), covered["username"][:7]) == (
        "did:privy:",
        34,
        "player-",
    )
    assert "other" not in json.dumps(covered)


def test_one_player_has_one_pseudonym_in_all_sessions_and_processes_of_a_key() -> None:
    first, second = clean(Redactor(veil=Veil(KEY)), trade(OTHER)), clean(Redactor(veil=Veil(KEY)), trade(OTHER))
    other_key = clean(Redactor(veil=Veil(b"x" * 32)), trade(OTHER))
    assert first == second != other_key
    spaced = clean(Redactor(veil=Veil(KEY)), '42["x",{"username" : "An \\u0022other\\u0022"}]')
    assert json.loads(spaced[2:])[1]["username"] == json.loads(first[2:])[2]["username"]


def test_the_own_player_is_known_from_its_own_messages_on_and_in_later_sessions_from_the_beginning() -> None:
    veil = Veil(KEY)
    redactor = Redactor(veil=veil)
    own = trade({"playerId": OWN["id"], "username": "me"})  # type: ignore[dict-item]
    assert clean(redactor, own) != own
    assert clean(redactor, packet("usernameStatus", TRACE, OWN)) == packet("usernameStatus", TRACE, OWN)
    assert clean(redactor, own) == own
    assert veil.changed
    assert clean(Redactor(veil=Veil(KEY, veil.own)), own) == own
    assert clean(redactor, trade(OTHER)) != trade(OTHER)


def test_a_capture_that_came_later_covers_the_same_once_the_own_player_is_known() -> None:
    texts = [packet("usernameStatus", OWN), trade(OTHER), packet("gameStateUpdate", {"leaderboard": [OWN, OTHER]})]
    early, late = Redactor(veil=Veil(KEY)), Redactor(veil=Veil(KEY, {"did:privy:cmown", "me"}))
    said = [clean(early, text) for text in texts]
    assert [clean(late, text) for text in texts[1:]] == said[1:]


@pytest.mark.parametrize(
    "text",
    [
        packet("newChatMessage", {"message": "hi", "replyTo": {"username": "Bob", "message": "x"}}),
        packet("x", {"discordUsername": "Bob"}),
        packet("x", {"winnerPlayerId": "Bob"}),
        packet("x", {"nested": json.dumps({"username": "Bob"})}),
        packet("x", ["did:privy:Bob"]),
        "not json did:privy:Bob",
    ],
)
def test_ids_and_names_are_found_wherever_they_stand(text: str) -> None:
    covered = clean(Redactor(veil=Veil(KEY)), text)
    assert "Bob" not in covered
    if text.startswith("42"):
        json.loads(covered[2:])


@pytest.mark.parametrize("text", ["2", packet("x", {"username": None, "level": 3}), packet("x", {"username": ""})])
def test_where_there_is_nobody_nothing_changes(text: str) -> None:
    assert Redactor(veil=Veil(KEY)).clean(False, 1, text.encode()) == (text.encode(), False)


def test_secrets_are_redacted_all_the_same_and_binary_messages_keep_their_length() -> None:
    redactor = Redactor(veil=Veil(KEY))
    assert clean(redactor, '42["authenticate","secret"]', sent=True) == f'42["authenticate","{MARK}"]'
    payload = b"\x00\x14did:privy:cmotherother\x00"
    covered, changed = redactor.clean(False, 2, payload)
    assert (changed, len(covered), b"cmother" in covered) == (True, len(payload), False)


def test_without_the_setting_players_are_kept() -> None:
    assert clean(Redactor(), trade(OTHER)) == trade(OTHER)
