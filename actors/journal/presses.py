"""Which presses are stored: the deduplication of what two captures report of the same buttons. Pure.

A press's key is `<document>/<count>`, and the count rises by one with each press in a document. So what is stored of a
document is a few intervals of counts, however many presses there are: 20,000 in a burst take one. Bounded by documents
and intervals, and what was forgotten counts as stored: the second copy of a press must never become another press.
"""

from bisect import bisect_right

from msgspec import Struct, field

DOCUMENTS_KEPT = 2000  # with a press; a page has a handful, one that makes up frames can have thousands
INTERVALS_KEPT = 500  # of a document; there is one, and one more for each time that no capture saw its presses


class DocumentPresses(Struct, array_like=True):
    """The presses of one document that are stored."""

    last_us: int
    intervals: list[tuple[int, int]]  # of counts, both ends inclusive, rising and apart


class PressLog(Struct, array_like=True):
    """Keys of presses in; whether they are stored, out."""

    documents: dict[str, DocumentPresses] = field(default_factory=dict)  # the one pressed last stands last
    forgotten_us: int = -1  # presses up to then may have been in a document that was forgotten

    def holds(self, key: str, at_us: int) -> bool:
        """Return whether a press is stored, or may be: where its document was forgotten, by its time."""
        document, count = _parts(key)
        known = self.documents.get(document)
        if known is None:
            return at_us <= self.forgotten_us
        place = bisect_right(known.intervals, (count, count)) - 1
        near = known.intervals[max(0, place) : place + 2]
        return any(first <= count <= last for first, last in near)

    def add(self, key: str, at_us: int) -> None:
        """Take note of a press that was stored."""
        document, count = _parts(key)
        known = self.documents.pop(document, None) or DocumentPresses(at_us, [])
        self.documents[document] = known
        known.last_us = max(known.last_us, at_us)
        _insert(known.intervals, count)
        while len(self.documents) > DOCUMENTS_KEPT:
            gone = self.documents.pop(next(iter(self.documents)))
            self.forgotten_us = max(self.forgotten_us, gone.last_us)


def _insert(intervals: list[tuple[int, int]], count: int) -> None:
    if intervals and intervals[-1][1] + 1 == count:  # nearly always
        intervals[-1] = (intervals[-1][0], count)
        return
    made: list[tuple[int, int]] = []
    for first, last in sorted([*intervals, (count, count)]):
        if made and first <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], last))
        else:
            made.append((first, last))
    if len(made) > INTERVALS_KEPT:
        made[:2] = [(made[0][0], made[1][1])]
    intervals[:] = made


def _parts(key: str) -> tuple[str, int]:
    """Return a key's document and count; a key of another form is a document of its own."""
    document, _, count = key.rpartition("/")
    return (document, int(count)) if document and count.isascii() and count.isdigit() and len(count) < 17 else (key, 0)
