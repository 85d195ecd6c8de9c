"""The simulator's players: who they are, what they are called, what they say in the chat.

A few names and messages carry what hostile users try: markup, scripts, spreadsheet formulas, template and SQL
fragments, direction overrides. Everything downstream must show them as the text they are. All are made up.
"""

from typing import Any, Final

from msgspec import Struct

from actors.simulator.dice import Dice

SOL_ADDRESS: Final = "So11111111111111111111111111111111111111112"
PRACTICE_ADDRESS: Final = "0xPractice"
PRACTICE_COIN: Final[dict[str, Any]] = {
    "address": PRACTICE_ADDRESS,
    "ticker": "FREE",
    "name": "Free Practice Token",
    "max_bet": 10000,
    "max_win": 50000,
    "logoURI": "/icons/Icon_Free_Solana.png",
}
HOSTILE_NAMES: Final = (
    '<img src=x onerror="document.title=1">',
    "\"><script>window.__pwned='name'</script>",
    "'; DROP TABLE game; --",
    '=HYPERLINK("http://example.invalid","x")',
    "{{ 7*7 }}${7*7}<%= 7*7 %>",
    "\u202egnp.exe",
    "Zoë 🦊 漢字",
)
HOSTILE_CHAT: Final = (
    "<script>window.__pwned='chat'</script>",
    '<svg onload="window.__pwned=1">',
    "<b>bold claim</b> &amp; a stray &lt;",
    "javascript:alert(1)",
    "line one\nline two\u2028line three",
    '"},{"type":"game.tick","price":999}',
)
_ADJECTIVES: Final = ("quiet", "brave", "lucky", "sleepy", "rapid", "golden", "spicy", "frozen", "humble", "cosmic")
_NOUNS: Final = ("otter", "badger", "comet", "waffle", "falcon", "pickle", "lantern", "walrus", "pebble", "magnet")
_CHAT: Final = (
    "gm", "that rug was personal", "2x then out", "who bought the top", "sidebet paid!", "holding", "nice candle",
    "one more round", "gg", "paper hands", "lfg", "took profit at 1.4", "is it golden yet?", "careful now", "send it",
)  # fmt: skip
_TAGS: Final = (None, None, None, None, "ghoul", "ogplayer", "grindoor")


class Person(Struct, frozen=True, kw_only=True):
    """Someone who plays. `username` is None for those who have chosen none."""

    player_id: str
    username: str | None
    level: int
    practice: bool = False  # plays with the free practice token, not SOL

    @property
    def coin_address(self) -> str:
        """Address of the token this person plays with."""
        return PRACTICE_ADDRESS if self.practice else SOL_ADDRESS

    @property
    def coin(self) -> dict[str, Any] | None:
        """The leaderboard's `selectedCoin`: None is SOL."""
        return PRACTICE_COIN if self.practice else None


def crowd(dice: Dice, count: int = 90) -> list[Person]:
    """Make the players of one simulator: hostile names first, then a few without a name, then ordinary ones."""
    names: list[str | None] = [*HOSTILE_NAMES, None, None, None]
    while len(names) < count:
        names.append(f"{dice.one_of(_ADJECTIVES)}_{dice.one_of(_NOUNS)}{dice.whole(1, 99)}")
    return [
        Person(player_id=dice.player_id(), username=name, level=dice.whole(0, 85), practice=dice.chance(0.12))
        for name in names
    ]


def own_person(dice: Dice) -> Person:
    """Make the player behind the simulator's own page."""
    return Person(player_id=dice.player_id(), username="demo_player", level=12)


def chat_message(dice: Dice, people: list[Person], now_ms: int) -> dict[str, Any]:
    """Return the payload of a `newChatMessage`; one in eight is hostile."""
    author = dice.one_of(people)
    text = dice.one_of(HOSTILE_CHAT) if dice.chance(0.125) else dice.one_of(_CHAT)
    answered = dice.one_of(people) if dice.chance(0.1) else None
    reply = answered and {"key": dice.unique_id(), "username": answered.username, "message": dice.one_of(_CHAT)}
    return {
        "playerId": author.player_id,
        "username": author.username,
        "level": author.level,
        "message": text,
        "timestamp": now_ms,
        "filtered": False,
        "role": "mod" if dice.chance(0.03) else None,
        "tag": dice.one_of(_TAGS),
        "verified": dice.chance(0.7),
        "discordUsername": author.username if dice.chance(0.5) else None,
        "replyTo": reply,
    }
