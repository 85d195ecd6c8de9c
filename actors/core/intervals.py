"""The union of time intervals: spans that overlap are counted once. Pure.

In: spans as they become known, in any order. Out: how much each adds to the union, and how many separate spans there
are. Bounded: beyond `SPANS_KEPT` the two oldest are joined over the hole between them, so what is told later of that
time adds less than it could, and never something twice.
"""

SPANS_KEPT = 512
"""Separate spans kept; a gap that overlaps another is reported within minutes of it, not after 500 further ones."""

Spans = list[tuple[int, int]]
"""Disjoint spans (begin, end), rising; two may touch."""


def add_span(spans: Spans, begin: int, end: int) -> tuple[int, int]:
    """Add a span to the union; return by how much its measure and its count of separate spans grow.

    A span within another adds (0, 0); one that bridges two makes them one, so the count can shrink. A span that only
    touches another stays separate: one outage behind the other is two.
    """
    end = max(begin, end)
    met = [span for span in spans if _meet(span, begin, end)]
    first, last = min([begin, *(s for s, _ in met)]), max([end, *(e for _, e in met)])
    added = last - first - sum(e - s for s, e in met)
    spans[:] = sorted([*(span for span in spans if span not in met), (first, last)])
    if len(spans) > SPANS_KEPT:
        spans[:2] = [(spans[0][0], spans[1][1])]
    return added, 1 - len(met)


def _meet(span: tuple[int, int], begin: int, end: int) -> bool:
    overlap = begin < span[1] and end > span[0]
    return overlap or span[0] <= begin <= end <= span[1] or begin <= span[0] <= span[1] <= end
