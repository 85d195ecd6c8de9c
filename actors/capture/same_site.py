"""Same-site check: whether a document belongs to the game's site. Pure."""

from urllib.parse import urlsplit


def is_at(origin: str, site: str | None) -> bool:
    """Whether a document is of the site: its host and port, or a name below its host."""
    if site is None:
        return False
    try:
        here, there = urlsplit(origin.removeprefix("blob:")), urlsplit(site)
        is_same = here.netloc == there.netloc
        is_below = (here.hostname or "").endswith(f".{there.hostname}") and here.port == there.port
    except ValueError:
        return False
    return bool(here.netloc) and (is_same or is_below)
