"""Brings one client from a number in the past to the present, then lets it join: no hole, no double, in order.

In: a subscription and the number the client knows. Out: the messages in between, from memory where the ring reaches
back that far, else from the archive, at the client's own pace. What is older than everything kept is told as `dropped`.
"""

from actors.broadcaster.archive import PAGE_BYTES, PAGE_EVENTS, Archive, ArchiveError
from actors.broadcaster.archivist import Wanted
from actors.broadcaster.backlog import Item
from actors.broadcaster.connection import Connection
from actors.broadcaster.envelope import dropped, error
from actors.broadcaster.hub import Channel, Hub
from actors.broadcaster.subscription import Subscription
from actors.core.messages import Event

RING_PAGE = 64  # events from memory between two looks at the rest of the world


class CatchUp:
    """One client on its way to the present."""

    def __init__(self, hub: Hub, archive: Archive, connection: Connection, subscription: Subscription) -> None:
        self._hub = hub
        self._archive = archive
        self._connection = connection
        self._subscription = subscription
        self._ring = hub.timeline.ring

    def at_once(self, since: int) -> bool:
        """Join without waiting, where memory holds the little that is missing; False where it takes longer."""
        timeline = self._hub.timeline
        if not self._ring.floor <= since <= timeline.seq:
            return False
        missing = self._ring.after(since, RING_PAGE + 1)
        if len(missing) > RING_PAGE:
            return False
        items = self._items(missing, self._ring.last_at(since)) if missing else []
        if items:
            self._connection.send(items, b"".join([item.frame for item in items]))
        self._hub.join(self._connection, self._subscription)
        return True

    async def run(self, since: int) -> None:
        """Send all after `since`, then join. ConnectionError: the client is gone."""
        at = since
        while at > self._hub.timeline.seq:
            await self._hub.more()
        while not self.at_once(at):
            try:
                at = await (self._from_ring(at) if at >= self._ring.floor else self._from_archive(at))
            except ArchiveError as problem:
                self._connection.say(error(str(problem)))
                at = self._lose(at, self._ring.below_oldest)

    async def _from_ring(self, at: int) -> int:
        events = self._ring.after(at, RING_PAGE)
        await self._connection.send_paced(self._items(events, self._ring.last_at(at)))
        return events[-1].seq

    async def _from_archive(self, at: int) -> int:
        upto = self._hub.timeline.seq
        wanted = Wanted(
            since=at, upto=upto, types=self._subscription.types, events_max=PAGE_EVENTS, bytes_max=PAGE_BYTES
        )
        found = await self._archive.find(wanted)
        if found.page is None:
            return self._lose(at, self._ring.below_oldest if found.floor is None else found.floor)
        await self._connection.send_paced(self._items(found.page.events, found.page.last))
        return upto if found.page.done else found.page.upto

    def _items(self, events: list[Event], last: dict[str, int]) -> list[Item]:
        return Channel(self._subscription, self._subscription.last(last)).items(events)

    def _lose(self, at: int, floor: int) -> int:
        self._connection.say(dropped(None, at + 1, floor))
        return floor
