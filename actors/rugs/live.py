"""The live state of game and player, folded from events. Pure.

In: events in the journal's order. Out: the snapshot's data of contract 4.5 and more, and the prices of the round in
progress. What is not known is null, never 0. Never goes back to an older game: large frames of a finished round arrive
late. A msgspec struct, so that the whole of it can be kept on disk and resumed.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from actors.core.intervals import Spans, add_span
from actors.core.messages import Event
from actors.rugs.phases import ORDER
from actors.rugs.readings import integer, listing, mapping, number, text
from actors.rugs.wallet import Wallet

PAST_GAMES = 64  # ids of finished rounds that are remembered; a history names ten
NO_FRAME = ("system.", "player.action")  # events that were not made of a frame


class Link(Struct, kw_only=True):
    """Whether frames can come: some game socket is open and some capture attached."""

    captures: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    connected: bool | None = None

    def fold(self, data: dict[str, Any]) -> None:
        """Take a system.connection event."""
        what, stream = text(data.get("what")), text(data.get("stream"))
        capture = f"{data.get('capture')} {data.get('incarnation')}"
        if what == "attached":
            self.captures.add(capture)
            self.connected = bool(self.streams)
        elif what == "detached":
            self.captures.discard(capture)
            if not self.captures:
                self._lose()
        elif what in ("opened", "found", "resumed") and stream is not None:
            self.streams.add(stream)
            self.connected = True
        elif what == "closed" and stream is not None:
            self.streams.discard(stream)
            self.connected = bool(self.streams)
        elif what == "lost":
            self._lose()

    def _lose(self) -> None:
        self.streams.clear()
        self.connected = False


class Live(Struct, kw_only=True):
    """What is true now. `seq` is the last event's, `last` each type's."""

    seq: int = 0
    last: dict[str, int] = field(default_factory=dict)
    link: Link = field(default_factory=Link)
    last_frame_at: int | None = None
    game_id: str | None = None
    past: list[str] = field(default_factory=list)
    tick: int | None = None
    price: float | None = None
    phase: str | None = None
    rugged: bool = False
    cooldown_ms: int | None = None
    peak: float | None = None
    prices: list[float] = field(default_factory=list)
    first_tick: int = 0
    round_started_at: int | None = None
    connected_players: int | None = None
    trade_count: int | None = None
    rugpool: dict[str, Any] | None = None
    leaderboard: list[Any] | None = None
    server_seed_hash: str | None = None
    wallet: Wallet = field(default_factory=Wallet)
    recording_on: bool | None = None
    recording_since: int | None = None
    gap_count: int = 0
    gap_us: int = 0
    gap_spans: Spans = field(default_factory=list)
    last_game: dict[str, Any] | None = None
    last_game_at: float = 0.0
    undecodable: int = 0

    def fold(self, event: Event) -> None:
        """Take the next event."""
        self.seq = event.seq
        self.last[event.type] = event.seq
        if not event.type.startswith(NO_FRAME):
            self.last_frame_at = event.ts
            self.link.connected = True
        if event.type not in _FOLDED:
            return
        data = _object(event.data)
        if data is None:
            self.undecodable += 1
        else:
            self._fold(event, data)

    def data(self) -> dict[str, Any]:
        """Return the snapshot's data: every key of contract 4.5, and more."""
        return {
            "gameId": self.game_id,
            "tick": self.tick,
            "price": self.price,
            "phase": self.phase,
            "cooldownMs": self.cooldown_ms,
            "connected": self.link.connected,
            "lastFrameAt": self.last_frame_at,
            **self.wallet.data(self.tick, self.price),
            "rugpool": self.rugpool,
            "leaderboard": self.leaderboard,
            "peak": self.peak,
            "connectedPlayers": self.connected_players,
            "tradeCount": self.trade_count,
            "serverSeedHash": self.server_seed_hash,
            "roundStartedAt": self.round_started_at,
            "recording": {"on": self.recording_on, "since": self.recording_since},
            "gaps": {"count": self.gap_count, "seconds": self.gap_us / 1e6},
            "lastGame": self.last_game,
        }

    def _fold(self, event: Event, data: dict[str, Any]) -> None:
        match event.type:
            case "game.tick":
                self._tick(event, data)
            case "player.state":
                self.wallet.state(data, self.tick)
            case "player.trade":
                self.wallet.trade(data, self.game_id)
            case "connection.authenticated":
                self.wallet.who(text(data.get("player_id")), text(data.get("username")))
            case "sidebet.placed":
                self.wallet.bet(data, self.game_id, self.tick)
            case "sidebet.result":
                self.wallet.settle()
            case "game.completed":
                self._completed(event, data)
            case "system.connection":
                self.link.fold(data)
            case "system.recording":
                self._recording(event, data)
            case "system.gap":
                self._gap(data)

    def _tick(self, event: Event, data: dict[str, Any]) -> None:
        game_id = event.game_id or text(data.get("gameId"))
        if game_id is None or (game_id != self.game_id and game_id in self.past):
            return
        phase = text(data.get("phase"))
        if game_id != self.game_id:
            if phase == "RUGGED" and self.phase in ("COOLDOWN", "PRESALE"):
                self._remember(game_id)  # a late rug: the next countdown, which we see, began behind it
                return
            self._begin(game_id)
        elif self._is_older(data, phase):
            return  # overtaken, or from a second tab that lags
        if not self.rugged or phase not in ("ACTIVE", "RUGGED"):  # after the rug the game counts its ticks on
            self._advance(event, data, phase)
        self.cooldown_ms = integer(data.get("cooldownTimer"), self.cooldown_ms)
        self.connected_players = integer(data.get("connectedPlayers"), self.connected_players)
        self.trade_count = integer(data.get("tradeCount"), self.trade_count)
        self.rugpool = mapping(data.get("rugpool")) or self.rugpool
        self.leaderboard = listing(data.get("leaderboard"), self.leaderboard)
        commitment = mapping(data.get("provablyFair")) or {}
        self.server_seed_hash = text(commitment.get("serverSeedHash"), self.server_seed_hash)

    def _is_older(self, data: dict[str, Any], phase: str | None) -> bool:
        """Say whether a frame of this round stands before the one that was taken last. Countdowns may be set back."""
        place, reached = ORDER.get(phase or "", 9), ORDER.get(self.phase or "", 0)
        tick = integer(data.get("tickCount"))
        is_same_phase_before = phase == self.phase == "ACTIVE" and tick is not None and tick < (self.tick or 0)
        return (place < reached and reached > 1) or is_same_phase_before

    def _begin(self, game_id: str) -> None:
        """A new round: what belongs to the old one is unknown again, or begins anew by the rules of the game."""
        if self.game_id is not None:
            self._remember(self.game_id)
            self.wallet.new_round()
        self.game_id, self.rugged = game_id, False
        self.tick = self.price = self.phase = self.peak = self.cooldown_ms = None
        self.prices, self.first_tick, self.round_started_at = [], 0, None
        self.trade_count = self.leaderboard = self.server_seed_hash = None

    def _remember(self, game_id: str) -> None:
        if game_id not in self.past:
            self.past = [*self.past, game_id][-PAST_GAMES:]

    def _advance(self, event: Event, data: dict[str, Any], phase: str | None) -> None:
        self.tick = integer(data.get("tickCount"), self.tick)
        self.price = number(data.get("price"), self.price)
        self.phase = phase or self.phase
        self.rugged = phase == "RUGGED"
        if phase in ("ACTIVE", "RUGGED") and self.tick is not None and self.price is not None:
            if self.tick == 0 and self.round_started_at is None:
                self.round_started_at = event.ts
            self._chart(self.tick, self.price, mapping(data.get("partialPrices")) or {})
            self.wallet.pass_tick(self.tick)

    def _chart(self, tick: int, price: float, partial: dict[str, Any]) -> None:
        """Add a price by its tick. What a hole hides is taken from the last five, or the series begins anew there."""
        following = self.first_tick + len(self.prices)
        if tick < following and self.prices:
            return
        before = _run_before(tick, mapping(partial.get("values")) or {})
        if self.prices and len(before) >= tick - following:
            before = before[len(before) - (tick - following) :]
            self.prices += before
        else:
            self.prices, self.first_tick = before, tick - len(before)
        self.prices.append(price)
        self.peak = max(price, *before, self.peak or 0.0)

    def _completed(self, event: Event, data: dict[str, Any]) -> None:
        """Keep the latest finished round: histories list ten, and tell which games are over."""
        game_id = text(data.get("id")) or event.game_id
        if game_id is not None and game_id != self.game_id:
            self._remember(game_id)
        at = number(data.get("timestamp")) or float(event.ts)
        if at >= self.last_game_at:
            self.last_game_at = at
            self.last_game = {
                "id": game_id,
                "peak": number(data.get("peakMultiplier")),
                "verified": data.get("verified"),
                "verifyReason": data.get("verifyReason"),
            }

    def _recording(self, event: Event, data: dict[str, Any]) -> None:
        on = data.get("on")
        if isinstance(on, bool) and on != self.recording_on:
            self.recording_on, self.recording_since = on, event.ts if on else None

    def _gap(self, data: dict[str, Any]) -> None:
        """Count a gap: causes of the same hole that were told one by one are one gap."""
        added_us, added = add_span(self.gap_spans, integer(data.get("from_us")) or 0, integer(data.get("to_us")) or 0)
        self.gap_us += added_us
        self.gap_count += added


def _run_before(tick: int, recent: dict[str, Any]) -> list[float]:
    """Return the prices of the ticks right before `tick`, as far back as the frame's last five reach."""
    run: list[float] = []
    while (price := number(recent.get(str(tick - len(run) - 1)))) is not None:
        run.append(price)
    return run[::-1]


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        return mapping(msgspec.json.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


_FOLDED = {"game.tick", "player.state", "player.trade", "connection.authenticated", "sidebet.placed", "sidebet.result"}
_FOLDED |= {"game.completed", "system.connection", "system.recording", "system.gap"}
