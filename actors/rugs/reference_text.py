"""The words of `docs/reference/events.md` that no struct can say: what happens between the tables. Data only."""

from typing import Final

BEFORE: Final = """\
# Events

Every event and every field, written by `python -m actors.rugs.reference` from the structs in `actors/rugs`. The
envelope and how to subscribe: [feed](feed.md). Every object may gain keys, none loses one or changes its type.

Prices are multiples of the price at tick 0, which is 1. Amounts are SOL, or the coin named beside them. Ticks count
from 0 within a round, one each 250 ms. Times are Unix milliseconds: `ts` of capture, all within `data` of the game's
clock. A field may always be null. `there` says which frames bear a field without exception; what is left out is
unchanged. A frame's first event has the frame's own number, which its `ws_event` row bears too.

What the game sends and this page does not tell is kept as it came and reported once, as `system.drift`.
"""

AFTER: Final = """
## The four phases

The first rule that holds decides: `rugged` is true: `RUGGED`; `active` is true: `ACTIVE`; `allowPreRoundBuys` is true:
`PRESALE`; else `COOLDOWN`. Where no frame has told `allowPreRoundBuys` yet, the countdown from 10,000 ms on is presale.

## Order

Events keep the order in which their frames came. That is not the order of the game: large frames are overtaken by the
next round's countdown, a second tab may lag, ticks come twice. Each tick is told once by (`gameId`, `tickCount`), each
countdown value by (`gameId`, phase, `cooldownTimer`), the rug once a round, with the tick of the last price, though the
game counts on. An older frame that fills a hole is told, but changes nothing that newer ones said; after the rug no
tick follows. Trades are told once by `id`, side bets by round, player, start tick and kind, rounds by `id`.

A round that was seen live and is in no later history stays open: `system.round`, and no `game` row.

## How a press becomes rows

A click on one of the game's buttons is heard by a listener in the page, which both captures share. It lives in an
isolated world: the page can neither see nor reach it. It reads the button's text and classes, the amount field (only
where that holds a number) and the chosen share to sell; it changes nothing, delays nothing (some 0.15 ms a press) and
never clicks. Presses on other sites' pages do not leave the capture. `capture.buttons: false` switches it off.

The press is journaled once, before the order that it sends, and becomes a `player.action` event and a `player_action`
row. The order becomes `order.request`; its acknowledgement `order.result` and a second `player_action` row with the
same `trace_id`, `success` and `latency_ms`. Presses that send no order have one row.

An effect of an order is an event that bears the request's trace id, and the first `playerUpdate` on the same socket,
which bears none. In `effects` each has `type`, `seq`, `latencyMs` since the request, and the event's own numbers
(`price`, `tickIndex`, `qty`, `amount`, `betAmount`, `startTick`, `endTick`, `cash`). Later effects, such as the fill of
a presale order or the settlement of a side bet, name their request in `requestSeq`.

## Attachments and very large frames

A binary packet becomes one event when its last attachment has arrived; each attachment stands in the arguments as
`{"base64": text}`, or as `{"bytes": size}` where the packet's attachments have more than 200,000 bytes together. Text
above 8,000,000 bytes is not read: it is stored in `ws_event` whole and becomes `raw.<name>` with `unreadBytes`. A state
frame of that size is still a tick, without the field that is too large.
"""
