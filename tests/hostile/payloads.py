"""What a hostile page receives on its own sockets: forged game frames, and frames that are expensive to look at. Pure.

Whatever is forged bears a mark that the simulator never makes (`MARK` in every id, `PRICE` as every number): one
stored row is proof. Every expensive frame bears the mark too, as far as its kind allows.
"""

import base64
import json
import random
from typing import Any

MARK = "ffffffffffffffff"
GAME = f"20251231-{MARK}"
PLAYER = f"did:privy:{MARK}"
PRICE = 666.0
BULK_BYTES = 300_000
SEPARATOR = "\x1e"  # between packets in the body of a poll
TRACE = {"__trace": True, "traceparent": f"00-{MARK}{MARK}-{MARK}-01"}


def event(name: str, *arguments: Any, ack_id: int | None = None) -> str:
    """Return a Socket.IO event packet."""
    return f"42{'' if ack_id is None else ack_id}{json.dumps([name, *arguments], separators=(',', ':'))}"


def forged(number: int) -> list[str]:
    """Return the game's frames with the forger's figures. number: makes ticks and ids differ."""
    tick = number % 5000
    state = {
        "gameId": GAME, "active": True, "price": PRICE, "rugged": False, "tickCount": tick, "cooldownTimer": 0,
        "partialPrices": {"startTick": tick, "endTick": tick, "values": {str(tick): PRICE}}, "tradeCount": 666,
        "allowPreRoundBuys": False, "connectedPlayers": 666, "leaderboard": [],
    }  # fmt: skip
    player = {"id": PLAYER, "cash": PRICE, "bonusBalance": PRICE, "positionQty": PRICE, "avgCost": PRICE}
    trade = {
        "id": f"{MARK}-{number}", "gameId": GAME, "playerId": PLAYER, "username": MARK, "level": 3, "type": "buy",
        "price": PRICE, "tickIndex": tick, "qty": PRICE, "amount": PRICE, "coin": "solana", "leverage": 1,
    }  # fmt: skip
    bet = {
        "id": f"{MARK}-{number}", "gameId": GAME, "playerId": PLAYER, "username": MARK, "price": PRICE,
        "betAmount": PRICE, "xPayout": 5, "startTick": tick, "endTick": tick + 40, "tickIndex": tick, "type": "placed",
        "coinAddress": "So11111111111111111111111111111111111111112", "timestamp": 1_765_000_000_000,
    }  # fmt: skip
    return [
        event("gameStateUpdate", state),
        event("usernameStatus", {"id": PLAYER, "username": MARK, "hasUsername": True}),
        event("playerUpdate", player),
        event("standard/newTrade", TRACE, trade),
        event("newTrade", trade),
        event("currentSidebet", TRACE, bet),
        event("gameStateUpdate", {**state, "rugged": True}),
        f'46999999999-77[{{"_placeholder":true,"num":0}},"{MARK}"]',
        f'451-["gameStateUpdate",{{"_placeholder":true,"num":0}},"{MARK}"]',
        f'43{number}[{{"success":true,"id":"{PLAYER}"}}]',
    ]


def sent_by_page(number: int) -> list[str]:
    """Return what the page itself sends on its forged sockets: requests of somebody else."""
    order = {"amount": PRICE, "gameId": GAME}
    return [
        f'40{{"token":"{MARK}"}}',
        event("authenticate", TRACE, MARK, ack_id=number),
        event("buyOrder", TRACE, order, ack_id=number + 1),
        event("requestSidebet", TRACE, order, ack_id=number + 2),
    ]


def handshake(number: int) -> list[str]:
    """Return an Engine.IO and a Socket.IO opening."""
    opening = {"sid": f"{MARK}{number}", "upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000}
    return ["0" + json.dumps(opening, separators=(",", ":")), f'40{{"sid":"{MARK}{number}"}}']


def poll_body(number: int) -> str:
    """Return the answer to a long poll: an opening and everything forged, in one body."""
    return SEPARATOR.join([*handshake(number), *forged(number)])


def expensive(size: int = BULK_BYTES, seed: int = 1) -> dict[str, str | bytes]:
    """Return frames of so many bytes, by name: the worst cases of patterns and parsers that look at foreign text."""
    dice = random.Random(seed)
    head = f'42["{MARK}","'
    runs = {
        "jwt heads": "eyJ", "jwt with dots": "eyJhbGciOiJ9.", "letters": "abcdefghij", "scheme letters": "wss",
        "quotes": "'", "escaped quotes": '\\"', "backslashes": "\\\\", "escapes": "\\u0041", "blanks": " ",
        "dashes": "_-", "token keys": "accessToken_", "digits": "1234567890", "percent": "%2E%2F",
        "umlauts": "ü\U0001f600", "urls": "http://a.b/?x=", "keys": '\\"token\\":\\"', "control": "\\u001b\\u0007",
    }  # fmt: skip
    texts = {name: head + run * (size // len(run.encode())) + '"]' for name, run in runs.items()}
    half = size // 2
    bare = {
        "nested lists": "42" + "[" * half + "]" * half,
        "open lists": '42["x",' + "[" * size,
        "nested objects": "42" + '{"a":' * (size // 6) + "1" + "}" * (size // 6),
        "deep json": f'42["{MARK}",' + "[" * 900 + "1" + "]" * 900 + "," + "1," * half + "1]",
        "huge number": f'42["gameStateUpdate",{{"gameId":"{GAME}","price":' + "6" * size + "}]",
        "huge exponent": f'42["gameStateUpdate",{{"gameId":"{GAME}","price":1e' + "6" * size + "}]",
        "attachments": "45" + "9" * size + '-["x"]',
        "namespace": "42/" + "a" * size + ',["x"]',
        "ack number": "43" + "7" * size + "[]",
        "event name": '42["' + "n" * size + '"]',
        "open string": '42["authenticate","' + "e" * size,
        "many keys": "42" + json.dumps(["x", {f"k{number}Token": MARK for number in range(size // 30)}]),
        "named lists": '42["x",' + '{"signature":[1,' * (size // 16),
        "quotes alone": '"' * size,
        "opcode heads": "4" * size,
    }
    noise = dice.randbytes(size)
    binary = {"binary": noise, "binary jwt": b"eyJ" * (size // 3), "binary zeros": bytes(size)}
    encoded = {"base64": head + base64.b64encode(noise).decode()[:size] + '"]'}
    return {**texts, **bare, **encoded, **binary}
