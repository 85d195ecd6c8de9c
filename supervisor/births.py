"""What the supervisor and its fork server say to each other, over one socket pair that keeps messages apart.

Orders go down, news come up. A `Started` carries one descriptor beside it: a pidfd that the fork server opened before
it could reap the child, so that no signal of ours ever reaches a process that took over the number.
"""

import msgspec
from msgspec import Struct

LARGEST_BYTES = 131_072  # of one message; the settings of a child are 3 kB


class Prepare(Struct, frozen=True, kw_only=True, tag="prepare"):
    """The first order: whom to die with, and what to import."""

    parent: int
    modules: list[str]


class Spawn(Struct, frozen=True, kw_only=True, tag="spawn"):
    """Make a child; `serial` names it in the news."""

    serial: int
    name: str
    start: str
    config: bytes
    demo: bool
    hang_s: float
    path: list[str]


class Preloaded(Struct, frozen=True, kw_only=True, tag="preloaded"):
    """The imports are done; what failed, in words."""

    failures: list[str]


class Started(Struct, frozen=True, kw_only=True, tag="started"):
    """A child has its process."""

    serial: int
    pid: int


class Exit(Struct, frozen=True, kw_only=True, tag="exit"):
    """A child ended; code: the exit code, negative for a signal, None where nobody is left to tell."""

    serial: int
    code: int | None


Order = Prepare | Spawn
News = Preloaded | Started | Exit

encode = msgspec.msgpack.encode
decode_order = msgspec.msgpack.Decoder(Order).decode
decode_news = msgspec.msgpack.Decoder(News).decode
