"""Other players get pseudonyms, always the same ones; the own player and everything else stay exact."""

import json

import pytest

from actors.rugs.acks import Acks, Notes
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


LOGIN = '42["authenticate","[redacted]"]'


def hear(redactor: Redactor, text: str, *, sent: bool = False, own_stream: bool = True) -> str:
    return redactor.clean(sent, 1, text.encode(), "stream", own_stream=own_stream)[0].decode()


def test_the_own_player_is_known_from_the_answer_to_its_login_on_and_in_later_sessions_from_the_beginning() -> None:
    veil = Veil(KEY)
    redactor = Redactor(veil=veil)
    own = trade({"playerId": OWN["id"], "username": "me"})  # type: ignore[dict-item]
    hear(redactor, LOGIN, sent=True)
    assert hear(redactor, own) != own
    assert hear(redactor, packet("usernameStatus", TRACE, OWN)) == packet("usernameStatus", TRACE, OWN)
    assert hear(redactor, own) == own
    assert veil.changed
    assert clean(Redactor(veil=Veil(KEY, veil.own)), own) == own
    assert hear(redactor, trade(OTHER)) != trade(OTHER)


ANSWER = packet("usernameStatus", {"id": "did:privy:victim", "username": "Victim"})


@pytest.mark.parametrize(
    "said",
    [
        [(False, False, ANSWER)],  # nobody logged in
        [(True, True, LOGIN), (False, False, ANSWER)],  # the answer came over another socket
        [(True, False, LOGIN), (False, True, ANSWER)],  # the login did
        [(False, True, LOGIN), (False, True, ANSWER)],  # a login that the server sent
        [(True, True, LOGIN), (True, True, ANSWER)],  # an answer that the page sent
        [(True, True, LOGIN), (False, True, ANSWER.replace("42", "42/chat,", 1))],
        [(True, True, LOGIN.replace("42", "42/chat,", 1)), (False, True, ANSWER)],
        [(True, True, LOGIN), (False, True, packet("playerUpdate", {"id": "did:privy:victim"}))],
        [(True, True, LOGIN), (False, True, packet("usernameStatus", OWN)), (False, True, ANSWER)],  # a second one
    ],
)
def test_nothing_else_uncovers_a_player(said: list[tuple[bool, bool, str]]) -> None:
    veil = Veil(KEY)
    redactor = Redactor(veil=veil)
    for sent, own_stream, text in said:
        hear(redactor, text, sent=sent, own_stream=own_stream)
    victim = trade({"playerId": "did:privy:victim", "username": "Victim"})
    assert "ictim" not in hear(redactor, victim)
    assert "ictim" not in hear(Redactor(veil=veil), victim)
    assert "did:privy:victim" not in veil.own


def test_another_account_takes_the_place_of_the_one_before() -> None:
    veil = Veil(KEY, {"did:privy:cmold", "old"})
    redactor = Redactor(veil=veil)
    for who in ({"id": "did:privy:cmnew", "username": None}, {"id": "did:privy:cmnew", "username": "new"}):
        hear(redactor, LOGIN, sent=True)
        hear(redactor, packet("usernameStatus", who))
    assert veil.own == {"did:privy:cmnew", "new"}
    old = trade({"playerId": "did:privy:cmold", "username": "old"})
    assert hear(redactor, old) == clean(Redactor(veil=Veil(KEY)), old)


def test_a_capture_that_came_between_a_login_and_its_answer_learns_the_same() -> None:
    early = Acks(Notes(guid="g"))
    late = Acks(Notes(guid="g"), lambda: [early.notes])
    veils = [Veil(KEY), Veil(KEY)]
    redactors = [Redactor(acks, "session", veil) for acks, veil in zip((early, late), veils, strict=True)]
    hear(redactors[0], LOGIN, sent=True)
    texts = [packet("usernameStatus", OWN), trade(OTHER), packet("gameStateUpdate", {"leaderboard": [OWN, OTHER]})]
    first, second = ([hear(redactor, text) for text in texts] for redactor in redactors)
    assert first == second
    assert veils[0].own == veils[1].own == {"did:privy:cmown", "me"}


@pytest.mark.parametrize(
    "text",
    [
        packet("newChatMessage", {"message": "hi", "replyTo": {"username": "Bob", "message": "x"}}),
        packet("x", {"discordUsername": "Bob"}),
        packet("x", {"winnerPlayerId": "Bob"}),
        packet("x", {"nested": json.dumps({"username": "Bob"})}),
        packet("x", ["did:privy:Bob"]),
        "not json did:privy:Bob",
        packet("x", {"userName": "Bob", "user_name": "Bob", "nickname": "Bob", "DISPLAY_NAME": "Bob"}),
        packet("x", {"usernames": ["Bob", "Al"]}),
        packet("x", {"players": {"Bob": {"balance": 3}}, "winners": ["Bob"]}),
        packet("playerJoined", "Bob", 7),
        packet("online", ["Al", "Bob"]),
        '433["Bob"]',
        packet("x", {"player": {"name": "Bob", "level": 3}}),
        packet("newChatMessage", {"message": "hi @Bob, and well done @Bob."}),
        packet("newChatMessage", {"username": "Bob", "message": "Bob here, https://x.example/u/Bob?s=1"}),
        packet("x", {"username": "Bob", "seen": {"Bob": 3}, "list": ["Bob"]}),
        '42["x",{"a":"did\\u003aprivy\\u003aBob"}]',
        '42["x",{"a":"https://h/did%3Aprivy%3ABob.png"}]',
        packet("x", {"avatar": "https://h/Bob.png", "username": "Al"}),
        packet("x", {"walletAddress": "Bob", "email": "Bob", "user_id": "Bob"}),
        '42["x",{"\\u0075sername":"\\u0042ob"}]',
        '42["x","{\\u0022username\\u0022:\\u0022Bob\\u0022}"]',
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


def test_a_name_has_one_pseudonym_however_it_is_written() -> None:
    spelled = (
        '{"username":"Bob"}',
        '{"user_name":"\\u0042o\\u0062"}',
        '{"text":"@Bob"}',
        '["Bob"]',
        '{"nick":["Bob"]}',
    )
    covered = [clean(Redactor(veil=Veil(KEY)), f'42["x",{text}]') for text in spelled]
    assert len({text[text.index("player-") :][:17] for text in covered}) == 1


NOT_A_NAME = {"type": "buy", "coin": "solana", "price": 1.5, "gameId": "20260101-aa"}


@pytest.mark.parametrize(
    "name", ["buy", "solana", "gameStateUpdate", "price", "type", "20260101-aa", "username", "1.5"]
)
def test_a_name_that_is_a_word_of_the_game_changes_nothing_but_itself(name: str) -> None:
    text = packet("standard/newTrade", TRACE, {"id": "4f", "username": name, **NOT_A_NAME})
    covered = json.loads(clean(Redactor(veil=Veil(KEY)), text)[2:])
    assert {key: value for key, value in covered[2].items() if key != "username"} == {"id": "4f", **NOT_A_NAME}
    assert (covered[0], covered[1]) == ("standard/newTrade", TRACE)


def test_coins_events_and_numbers_keep_their_names() -> None:
    coin = {"address": "0xPractice", "ticker": "FREE", "name": "Practice SOL"}
    for text in (
        packet("gameStateUpdate", {"availableShitcoins": [coin], "leaderboard": [{"level": 3, "selectedCoin": coin}]}),
        packet("rugRoyaleUpdate", {"upcomingEvents": [{"name": "Royale", "status": "open"}], "participantCount": 4}),
        packet("newEvent", 7, "1.5", "2026-01-01T00:00:00Z", "0123456789abcdef0123", True),
        packet("buyOrder", {"amount": 1}, "offset0007"),
    ):
        assert clean(Redactor(veil=Veil(KEY)), text) == text


def test_what_was_seen_before_changes_nothing() -> None:
    texts = [trade(OTHER), packet("playerJoined", 'An "other"'), packet("newChatMessage", {"message": 'An "other" x'})]
    redactor = Redactor(veil=Veil(KEY))
    assert [clean(redactor, text) for text in texts] == [clean(Redactor(veil=Veil(KEY)), text) for text in texts]


def test_secrets_are_redacted_all_the_same_and_binary_messages_keep_their_length() -> None:
    redactor = Redactor(veil=Veil(KEY))
    assert clean(redactor, '42["authenticate","secret"]', sent=True) == f'42["authenticate","{MARK}"]'
    payload = b"\x00\x14did:privy:cmotherother\x00"
    covered, changed = redactor.clean(False, 2, payload)
    assert (changed, len(covered), b"cmother" in covered) == (True, len(payload), False)


def test_without_the_setting_players_are_kept() -> None:
    assert clean(Redactor(), trade(OTHER)) == trade(OTHER)


def test_a_name_is_covered_however_deep_the_players_around_it_are_nested() -> None:
    for depth in (1, 3, 4, 5, 9, 40):
        frame = b'42["x",' + b'{"users":' * depth + b'{"username":"Victim"}' + b"}" * depth + b"]"
        assert b"Victim" not in Veil(b"k" * 32).session().cover(False, 1, frame)
