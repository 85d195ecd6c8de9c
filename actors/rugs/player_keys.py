"""Key names whose values tell who a player is, compared in normal form: lower case, letters and digits only. Pure.

In: a key as it stands in JSON. Out: what its value is: a name, an id, a picture, a group of players, a text that people
write. `name` alone is a player's only beside other keys of a player: coins and events have names too.
"""

import re
from typing import Final, Literal

from actors.rugs.secret_names import normalized

Kind = Literal["", "name", "id", "picture", "people", "text", "maybe"]

PLAYER: Final = re.compile(
    rb'"(?:player_?id|user_?id|user_?name|level|avatar\w*|wallet\w*|id"\s*:\s*"did:)', re.IGNORECASE
)
"""Beside `name`: it is a player's."""
COIN: Final = re.compile(rb'"(?:ticker|symbol|address|max_bet)"')

_NAMES: Final = (
    b"username", b"usernames", b"displayname", b"displaynames", b"playername", b"playernames", b"nickname",
    b"nicknames", b"screenname", b"discordname", b"telegramname", b"twittername", b"winnername", b"ownername",
    b"authorname", b"sendername", b"creatorname", b"fullname", b"firstname", b"lastname", b"realname", b"handle",
    b"handles", b"usertag", b"createdby",
)  # fmt: skip
_IDS: Final = (
    b"playerid", b"playerids", b"userid", b"userids", b"accountid", b"discordid", b"telegramid", b"twitterid",
    b"ownerid", b"authorid", b"senderid", b"walletaddress", b"useraddress", b"playeraddress", b"pubkey", b"publickey",
    b"email",
)  # fmt: skip
_PEOPLE: Final = (
    b"players", b"users", b"members", b"participants", b"winners", b"losers", b"friends", b"followers", b"mentions",
    b"admins", b"moderators", b"spectators", b"entrants", b"voters", b"attendees", b"recipients",
)  # fmt: skip
_PICTURES: Final = (b"avatar", b"avatarurl", b"avataruri", b"pfp", b"pfpurl", b"profilepicture", b"profileimage")
_TEXTS: Final = frozenset((b"message", b"text", b"content", b"body", b"title", b"description", b"bio", b"caption"))
_EXACT: Final[dict[bytes, Kind]] = {b"nick": "name", b"wallet": "id", b"did": "id", b"name": "maybe"}
_HINTS: Final = (b"name", b"user", b"player", b"nick", b"owner", b"author", b"wallet", b"avatar", b"email", b"handle")
_MAX_REMEMBERED: Final = 4096


class _Kinds(dict[bytes, Kind]):
    """Kinds of the keys that were met; forgetting one costs only the time to judge it again."""

    def __missing__(self, name: bytes) -> Kind:
        kind = _judge(normalized(name))
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        if len(name) <= 64:
            self[name] = kind
        return kind


_KINDS: Final = _Kinds()


def kind_of(name: bytes) -> Kind:
    """Return what the value of a key tells of a player; nothing where it is empty."""
    return _KINDS[name]


def is_uncovered(name: str) -> bool:
    """Return whether a key looks like one of a player's, and its value gets no pseudonym."""
    plain = normalized(name.encode(errors="replace"))
    return kind_of(name.encode(errors="replace")) == "" and any(hint in plain for hint in _HINTS)


def _judge(plain: bytes) -> Kind:
    if plain in _EXACT:
        return _EXACT[plain]
    if plain in _TEXTS:
        return "text"
    for kind, ends in (("name", _NAMES), ("id", _IDS), ("people", _PEOPLE), ("picture", _PICTURES)):
        if plain.endswith(ends):
            return kind  # type: ignore[return-value]
    return ""
