"""Which event types somebody wants: exact names, or a beginning with a trailing `*`. Pure.

In: the `types` of a subscribe message. Out: yes or no for a type, and the last number among the wanted ones. Two
subscriptions with the same `key` are the same, so that one encoding can serve both.
"""

from collections.abc import Iterable, Mapping

TYPES_MAX = 1000  # the game has some 60; of the shortest names, 13,000 fit into a message and take 1.3 MB a client
_REMEMBERED = 4096  # types are as many as the game has event names; a hostile server must not fill our memory


class Subscription:
    """A set of wanted types; `None` means all, an empty one none."""

    def __init__(self, types: Iterable[str] | None = None) -> None:
        self.key: tuple[str, ...] | None = None if types is None else tuple(sorted(set(types)))
        names = self.key or ()
        self._exact = frozenset(name for name in names if not name.endswith("*"))
        self._beginnings = tuple(name[:-1] for name in names if name.endswith("*"))
        self._known: dict[str, bool] = {}

    @property
    def types(self) -> list[str] | None:
        """The wanted types as a list, None for all."""
        return None if self.key is None else list(self.key)

    def matches(self, name: str) -> bool:
        """Say whether events of this type are wanted."""
        if self.key is None:
            return True
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[name] = name in self._exact or name.startswith(self._beginnings)
        return known

    def last(self, last: Mapping[str, int]) -> int | None:
        """Return the highest number among wanted types; last: type -> its last number."""
        return max((seq for name, seq in last.items() if self.matches(name)), default=None)
