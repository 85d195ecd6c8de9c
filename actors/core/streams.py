"""The wiring of the house: every stream between our processes, one row each.

All are ZeroMQ over `ipc://` in the runtime directory. PUB keeps the oldest and drops the newest at its high-water mark;
PUSH blocks, and our senders never wait: they are told that the stream is full and act by the last column.
"""

from typing import Any, Literal

from msgspec import Struct

from actors.core import messages as m

Pattern = Literal["push-pull", "pub-sub", "router-dealer"]
Side = Literal["sender", "receiver"]


class Stream(Struct, frozen=True, kw_only=True):
    """One row: who talks to whom, how, and what happens when it is full."""

    name: str
    pattern: Pattern
    carries: Any  # the message type, or a union of them
    answers: Any = None  # router-dealer only: what comes back
    binds: Side
    high_water: int
    when_full: str


FRAMES = Stream(
    name="frames",
    pattern="push-pull",
    carries=m.CaptureBatch,
    binds="receiver",
    high_water=500,
    when_full="the capture keeps what is not acknowledged in a bounded ring, then forgets the oldest and says so",
)
FRAME_POSITIONS = Stream(
    name="frame-positions",
    pattern="pub-sub",
    carries=m.CapturePositions,
    binds="sender",
    high_water=100,
    when_full="dropped; positions are cumulative and repeated",
)
RECORDS = Stream(
    name="records",
    pattern="push-pull",
    carries=m.Records,
    binds="sender",
    high_water=200,
    when_full="the journal stops sending; the disk holds it",
)
RECORD_POSITIONS = Stream(
    name="record-positions",
    pattern="pub-sub",
    carries=m.Position,
    binds="receiver",
    high_water=100,
    when_full="dropped; positions are cumulative and repeated",
)
ROWS = Stream(
    name="rows",
    pattern="push-pull",
    carries=m.Rows,
    binds="sender",
    high_water=200,
    when_full="the writer is set aside; the normalizer rewinds for it when it can take more",
)
EVENTS = Stream(
    name="events",
    pattern="push-pull",
    carries=m.Events,
    binds="sender",
    high_water=200,
    when_full="state is set aside; the normalizer rewinds for it when it can take more",
)
EVENT_POSITIONS = Stream(
    name="event-positions",
    pattern="pub-sub",
    carries=m.Position,
    binds="receiver",
    high_water=100,
    when_full="dropped; positions are cumulative and repeated",
)
LIVE = Stream(
    name="live",
    pattern="pub-sub",
    carries=m.Events,
    binds="sender",
    high_water=5000,
    when_full="dropped; the receiver sees the hole in the ranges and heals it from the journal",
)
LIVE_STATE = Stream(
    name="live-state",
    pattern="pub-sub",
    carries=m.LiveState,
    binds="sender",
    high_water=100,
    when_full="dropped; the next one replaces it",
)
QUERIES = Stream(
    name="queries",
    pattern="router-dealer",
    carries=m.SnapshotQuery,
    answers=m.LiveState,
    binds="receiver",
    high_water=100,
    when_full="error to the caller",
)
COMMANDS = Stream(
    name="commands",
    pattern="push-pull",
    carries=m.Submit,
    binds="receiver",
    high_water=500,
    when_full="error to the caller",
)
RESULTS = Stream(
    name="results",
    pattern="pub-sub",
    carries=m.Committed,
    binds="sender",
    high_water=500,
    when_full="dropped; the caller resends its command under the same id and is told again",
)
REPORTS = Stream(
    name="reports",
    pattern="push-pull",
    carries=m.Ready | m.Progress,
    binds="receiver",
    high_water=500,
    when_full="dropped; the next report replaces it",
)
CONTROL = Stream(
    name="control",
    pattern="router-dealer",
    carries=m.Ask,
    answers=m.Answer,
    binds="receiver",
    high_water=100,
    when_full="error to the caller",
)

ALL = (
    FRAMES,
    FRAME_POSITIONS,
    RECORDS,
    RECORD_POSITIONS,
    ROWS,
    EVENTS,
    EVENT_POSITIONS,
    LIVE,
    LIVE_STATE,
    QUERIES,
    COMMANDS,
    RESULTS,
    REPORTS,
    CONTROL,
)
