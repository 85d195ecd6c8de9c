"""Who listens to what: one encoding of an event for all clients with the same subscription.

In: new events, in order, and clients that join at a number. Out: framed messages to their connections. `prev` belongs
to the subscription, so a channel counts it on whether or not anybody reads.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from actors.broadcaster.backlog import Item
from actors.broadcaster.envelope import envelope, text_frame
from actors.broadcaster.subscription import Subscription
from actors.broadcaster.timeline import Timeline
from actors.core.messages import Event

TYPES_COUNTED = 200  # the game has some 60; a hostile server must not fill Prometheus


class Receiver(Protocol):
    """What the hub needs of a client."""

    def send(self, items: list[Item], block: bytes) -> None:
        """Take messages; must not wait."""


class Channel:
    """All clients with one subscription."""

    def __init__(self, subscription: Subscription, prev: int | None) -> None:
        self.subscription = subscription
        self.prev = prev
        self.members: set[Receiver] = set()

    def items(self, events: Iterable[Event]) -> list[Item]:
        """Return the messages for the events that match, each with the number before it."""
        items = []
        for event in events:
            if self.subscription.matches(event.type):
                items.append(Item(event.seq, text_frame(envelope(event, self.prev))))
                self.prev = event.seq
        return items


class Hub:
    """Channels by subscription."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._channels: dict[tuple[str, ...] | None, Channel] = {}
        self._more: asyncio.Future[None] | None = None
        self.counts: Counter[str] = Counter()  # type -> events that went out

    def publish(self, events: list[Event]) -> None:
        """Send new events, which the timeline has already, to everybody."""
        for event in events:
            known = event.type in self.counts or len(self.counts) < TYPES_COUNTED
            self.counts[event.type if known else "other"] += 1
        for channel in self._channels.values():
            items = channel.items(events)
            if items:
                block = b"".join([item.frame for item in items])
                for client in channel.members:
                    client.send(items, block)
        if self._more is not None:
            self._more.set_result(None)
            self._more = None

    def join(self, client: Receiver, subscription: Subscription) -> None:
        """Send the client everything that comes after the timeline's present."""
        channel = self._channels.get(subscription.key)
        if channel is None:
            channel = Channel(subscription, subscription.last(self.timeline.last))
            self._channels[subscription.key] = channel
        channel.members.add(client)

    def leave(self, client: Receiver, subscription: Subscription) -> None:
        """Send the client nothing more."""
        channel = self._channels.get(subscription.key)
        if channel is not None:
            channel.members.discard(client)
            if not channel.members:
                del self._channels[subscription.key]

    async def more(self) -> None:
        """Wait until events, or none, were published."""
        if self._more is None:
            self._more = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._more)
