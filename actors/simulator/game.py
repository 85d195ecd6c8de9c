"""The game as it goes on for ever: countdown, presale, round, rug, and again. Pure: no clock, no socket.

`step(now_ms)` returns what is to be sent now and how long nothing happens then; `handle` answers a client's request at
any moment between two steps. The order of events is that of recorded sessions; the generator below reads as they do.
All chance is seeded, in separate sources, so that what a client does never changes the rounds or the crowd.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from actors.simulator import frames
from actors.simulator.account import Account
from actors.simulator.crowd import Crowd
from actors.simulator.dice import Dice
from actors.simulator.live import COOLDOWN_MS, PRESALE_MS, Live
from actors.simulator.messages import Emit, Reply, Step
from actors.simulator.orders import ORDER_NAMES, Orders, split_trace
from actors.simulator.past import play_history
from actors.simulator.payloads import Payload
from actors.simulator.people import crowd, own_person
from actors.simulator.questions import Questions
from actors.simulator.records import Records
from actors.simulator.rounds import Rounds
from actors.simulator.surroundings import Surroundings

TICK_S = 0.25
COUNTDOWN_S = 0.1
COUNTDOWN_MS = 100
FIRST_TRADES_S = 0.03  # from the first frame of a round to the presale's trades
BROADCASTS_S = 0.28  # from broadcast A, which closes a round, to B, which reveals it
GOLDEN_CYCLE = 6  # two rounds in six are golden


class Game:
    """One endless game. `step` and `handle` are called by one thread, in the order of time."""

    def __init__(self, seed: str, now_ms: int, *, fixed_date: bool = True, first_timer_ms: int = 5000) -> None:
        """Lay out the players and ten past rounds; begin in the countdown at `first_timer_ms` (100 to 15000)."""
        names = ("rounds", "people", "past", "crowd", "world", "wire", "ids", "own")
        dice = {name: Dice(f"{seed}:{name}") for name in names}
        people = crowd(dice["people"])
        self._now_ms = now_ms
        self._world = dice["world"]
        self._rounds = Rounds(dice["rounds"], fixed_date=fixed_date)
        self._rounds_begun = 0
        self._has_player = False
        records = Records(self._world)
        play_history(records, self._rounds, people, dice["past"], now_ms)
        self.live = Live(self._rounds.draw(now_ms), records, dice["ids"])
        self.account = Account(own_person(dice["people"]), people, now_ms)
        self._crowd = Crowd(self.live, people, dice["crowd"], dice["wire"], dice["ids"])
        self._surroundings = Surroundings(self.live, people, self._world, dice["own"])
        self._orders = Orders(self.live, self.account, dice["own"])
        self._questions = Questions(self.live, self.account, people, self._surroundings, dice["own"])
        self._timeline = self._play(first_timer_ms)

    def step(self, now_ms: int) -> Step:
        """Go on by one frame. now_ms: Unix milliseconds, for timestamps only."""
        self._now_ms = now_ms
        step = next(self._timeline)
        around = self._surroundings.pass_time(step.delay_s, now_ms)
        return Step(emits=[*step.emits, *around], delay_s=step.delay_s)

    def welcome(self, now_ms: int) -> list[Emit]:
        """Return what a client gets on connecting."""
        return self._surroundings.welcome(now_ms)

    def handle(self, name: str, args: Sequence[Any], now_ms: int, *, authenticated: bool = True) -> Reply:
        """Answer a client's request. args: what followed the name, a trace object included."""
        trace_id, rest = split_trace(args)
        if name in ORDER_NAMES:
            return self._orders.handle(name, rest, trace_id, now_ms, authenticated=authenticated)
        reply = self._questions.handle(name, rest, trace_id, now_ms)
        self._has_player = self._has_player or reply.authenticates
        return reply

    def _play(self, first_timer_ms: int) -> Iterator[Step]:
        yield from self._countdown(first_timer_ms)
        while True:
            yield from self._round()
            yield from self._rug()
            yield from self._countdown(self.live.timer_ms - COUNTDOWN_MS)

    def _countdown(self, from_ms: int) -> Iterator[Step]:
        live = self.live
        if from_ms < PRESALE_MS:
            self._crowd.open_table()
        for timer_ms in range(from_ms, 0, -COUNTDOWN_MS):
            live.timer_ms = timer_ms
            emits = []
            if timer_ms == PRESALE_MS:
                self._crowd.open_table()
                emits = self._frame(frames.standard(live))
            elif live.presale:
                self._crowd.presale(timer_ms // COUNTDOWN_MS, self._now_ms)
            yield Step(emits=emits + self._frame(frames.minimal(live)), delay_s=COUNTDOWN_S)
        yield Step(emits=[], delay_s=self._world.between(0.0, 0.2))

    def _round(self) -> Iterator[Step]:
        live = self.live
        self._crowd.presale(0, self._now_ms)
        live.timer_ms, live.tick, live.active = 0, 0, True
        update = [self._orders.player_update()] if self._has_player else []
        yield Step(emits=[*self._frame(frames.start(live)), *update], delay_s=FIRST_TRADES_S)
        opening = self._frame(frames.full(live)) if live.golden else []
        trades = [*self._crowd.show_trade(), *self._orders.take_presale_fills()]
        yield Step(emits=opening + trades, delay_s=TICK_S - FIRST_TRADES_S)
        while live.tick + 1 < live.secret.round.rug_tick:
            live.tick += 1
            live.trade_count = live.table.trade_count
            settled = live.table.settle(live.tick, live.price, self._now_ms, rugged=False)
            frame = self._frame(frames.standard(live))
            results = self._orders.settle(settled, self._now_ms)
            yield Step(emits=[*frame, *results, *self._crowd.tick(self._now_ms)], delay_s=TICK_S)

    def _rug(self) -> Iterator[Step]:
        """Settle and close everything, tell the own player, then show the rug, close the round and reveal its seed."""
        live = self.live
        live.tick, live.rugged = live.secret.round.rug_tick, True
        own = self._orders.settle(live.table.settle(live.tick, live.price, self._now_ms, rugged=True), self._now_ms)
        own += self._liquidate()
        pause_s = self._world.between(0.7, 1.8)
        yield Step(emits=[*own, *self._frame(frames.standard(live))], delay_s=pause_s / 2)
        yield Step(emits=self._crowd.show_trade(), delay_s=pause_s / 2)
        closing = self._frame(frames.full(live, overrun=self._world.whole(1, 3)))  # broadcast A
        yield Step(emits=[*closing, *self._surroundings.drawings(self._now_ms)], delay_s=BROADCASTS_S)
        yield Step(emits=self._next_round(), delay_s=COUNTDOWN_S)

    def _liquidate(self) -> list[Emit]:
        live, own_id = self.live, self.account.person.player_id
        trades = live.table.liquidate(live.tick, live.price)
        live.trade_count = live.table.trade_count
        self._crowd.liquidated([trade for trade in trades if trade["playerId"] != own_id])
        return self._orders.liquidated([trade for trade in trades if trade["playerId"] == own_id])

    def _next_round(self) -> list[Emit]:
        """Begin the cooldown of a new round. Returns broadcast B, which reveals the seed of the old one.

        Every other time the first sparse frame overtakes it, as small frames do on the real site.
        """
        live = self.live
        live.last_price = live.price
        live.records.add(live.secret, live.table, self._now_ms)
        live.secret = self._rounds.draw(self._now_ms)
        live.tick, live.active, live.rugged = 0, False, False
        self._rounds_begun += 1
        live.golden = self._rounds_begun % GOLDEN_CYCLE < 2
        live.timer_ms = COOLDOWN_MS
        reveal = self._frame(frames.full(live))
        if self._world.chance(0.5):
            return reveal
        live.timer_ms = COOLDOWN_MS - COUNTDOWN_MS
        return [*self._frame(frames.minimal(live)), *reveal]

    def _frame(self, payload: Payload) -> list[Emit]:
        """Return a `gameStateUpdate`, and for a logged-in player the frame that always follows it."""
        emits = [Emit(name="gameStateUpdate", args=(payload,))]
        if self._has_player:
            frame = self.account.frame(self.live)
            emits.append(Emit(name="gameStatePlayerUpdate", args=(frame,), audience="player"))
        return emits
