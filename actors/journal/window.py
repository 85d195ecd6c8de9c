"""The last frames of one merged stream: what another session's reading can still be compared with. Pure.

Frames have places, which rise by one from 0 and are never given anew; the oldest fall out of the window. Frames with a
given digest are found at once: a session that cannot be placed is looked at again with every frame.
"""


class Window:
    """Frames by place: digest, CDP time in seconds, and the tag that the caller gave."""

    def __init__(self, size: int) -> None:
        self.base = 0  # place of the first frame that is kept
        self.end = 0  # place of the next frame
        self.latest_s = float("-inf")  # the youngest frame's time
        self._size = size
        self._frames: list[tuple[bytes, float]] = []
        self._tags: list[int] = []
        self._places: dict[bytes, int | list[int]] = {}  # nearly every digest stands at one place only

    def __len__(self) -> int:
        return len(self._frames)

    def append(self, digest: bytes, at_s: float, tag: int) -> None:
        """Add a frame at the end."""
        place = self.end
        known = self._places.setdefault(digest, place)
        if isinstance(known, list):
            known.append(place)
        elif known != place:
            self._places[digest] = [known, place]
        self._frames.append((digest, at_s))
        self._tags.append(tag)
        self.end = place + 1
        if at_s > self.latest_s:
            self.latest_s = at_s
        if len(self._frames) > self._size + self._size // 4:
            self._trim()

    def digest(self, place: int) -> bytes | None:
        """Return the frame's digest, None where it fell out of the window."""
        return self._frames[place - self.base][0] if place >= self.base else None

    def at_s(self, place: int) -> float:
        """Return the frame's time, minus infinity where it is out of the window."""
        return self._frames[place - self.base][1] if place >= self.base else float("-inf")

    def run(self, place: int, count: int) -> list[tuple[bytes, float]]:
        """Return (digest, time) of up to `count` frames from a place within the window on."""
        at = place - self.base
        return self._frames[at : at + count]

    def places(self, digest: bytes) -> list[int]:
        """Return where frames with this digest are, rising."""
        known = self._places.get(digest, [])
        return [known] if isinstance(known, int) else known

    def tag(self, place: int, tag: int) -> None:
        """Give a frame its tag."""
        self._tags[place - self.base] = tag

    def tag_of(self, place: int) -> int | None:
        """Return a frame's tag, None where it is out of the window."""
        at = place - self.base
        return self._tags[at] if 0 <= at < len(self._tags) else None

    def place_of(self, tag: int) -> int | None:
        """Return the place of the frame that bears `tag`, None where it is out of the window."""
        return self.base + self._tags.index(tag) if tag in self._tags else None

    def _trim(self) -> None:
        surplus = len(self._frames) - self._size
        for digest, _ in self._frames[:surplus]:
            known = self._places[digest]
            if isinstance(known, int) or len(known) == 1:
                del self._places[digest]
            else:
                del known[0]
        del self._frames[:surplus], self._tags[:surplus]
        self.base += surplus
