"""Who the own player is, a capture learns from the game's own sockets only, whatever other pages of the browser say."""

import json

import pytest

from actors.capture.tap import Tap
from actors.rugs.veil import Veil
from tests.capture.playbook import Play, texts

LOGIN = '42["authenticate","made-up"]'
ANSWER = '42["usernameStatus",{"id":"did:privy:cmone","hasUsername":true,"username":"One"}]'
TRADE = '42["standard/newTrade",{"playerId":"did:privy:cmone","username":"One"}]'


def logged_in(play: Play, url: str) -> None:
    play.open(url)
    play.frame(LOGIN, sent=True)
    play.frame(ANSWER)
    play.frame(TRADE)


@pytest.mark.parametrize("url", ["wss://evil.example/?wss://h/", "ws://h/socket.io/", "wss://h.evil/socket.io/"])
def test_a_foreign_socket_uncovers_nobody(url: str) -> None:
    veil = Veil(b"k" * 32)
    play = Play(pattern="^wss://h/", veil=veil)
    logged_in(play, url)
    assert not any(b"cmone" in text or b'"One"' in text for text in texts(play.items))
    assert (veil.own, veil.changed) == (set(), False)


def test_the_games_own_socket_tells_who_the_own_player_is() -> None:
    veil = Veil(b"k" * 32)
    play = Play(pattern="^wss://h/", veil=veil)
    logged_in(play, "wss://h/socket.io/?EIO=4&transport=websocket")
    assert texts(play.items)[1:] == [ANSWER.encode(), TRADE.encode()]
    assert veil.own == {"did:privy:cmone", "One"}


def test_a_stream_that_another_capture_saw_open_tells_it_too_and_one_that_nobody_saw_does_not() -> None:
    for known, expected in (((f"guid/T1/{request}" for request in ("9.1",)), {"did:privy:cmone", "One"}), ((), set())):
        veil = Veil(b"k" * 32)
        play = Play(pattern="^wss://h/", veil=veil, known=tuple(known))
        play.frame(LOGIN, sent=True)
        play.frame(ANSWER)
        assert veil.own == expected


def test_without_a_pattern_nothing_is_learned() -> None:
    veil = Veil(b"k" * 32)
    play = Play(pattern="^wss://h/", veil=veil)
    play.tap = Tap("guid", 1000.0, veil=veil)
    play.take(play.tap.begin(play.now_s))
    play.attach("S1", "T1")
    play.answer_all()
    play.items.clear()
    logged_in(play, "wss://h/socket.io/")
    assert json.loads(texts(play.items)[-1][2:])[1]["username"].startswith("player-")
