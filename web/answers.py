"""What the API answers and takes, as data: the OpenAPI document is made from these structs.

In and out: nothing. No code stands here.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from web.jobs import Job
from web.ledger import Drift, Reported
from web.query import Entry
from web.rounds import Round
from web.timeline import Gap

Whole = Annotated[int, Meta(ge=0, le=2**53)]
GameId = Annotated[str, Meta(pattern=r"^[\w-]{1,80}$")]
ActorState = Literal["starting", "ready", "hung", "backing-off", "crash-looping", "stopping", "stopped"]


class Problem(Struct, kw_only=True):
    """What went wrong, in words and as a code."""

    code: str
    message: str
    details: dict[str, Any]


class Error(Struct, kw_only=True):
    """Every error of the API."""

    error: Problem


class ActorStatus(Struct, kw_only=True):
    """One process of the house; more keys come with it."""

    name: str
    state: ActorState


class Status(Struct, kw_only=True):
    """The supervisor's status, as `vectra-supervisor status --json`."""

    supervisor: dict[str, Any]
    actors: list[ActorStatus]
    recording: dict[str, Any]
    source: dict[str, Any]
    journal: dict[str, Any]
    gaps: dict[str, Any]
    endpoints: dict[str, Any]


class LiveStateAnswer(Struct, kw_only=True):
    """The state after event `seq`; `last` is the last number of each event type, `recording` whose these are."""

    seq: int
    last: dict[str, int]
    recording: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
    data: dict[str, Any]


class Switched(Struct, kw_only=True):
    """The recording switch as it is now; `seq` is its number in the journal."""

    on: bool
    seq: int


class GamesQuery(Struct, kw_only=True):
    """Which finished rounds."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    before: Annotated[int, Meta(ge=0, le=2**53, description="exclusive `seq`; take it from `next`")] | UnsetType = UNSET


class Games(Struct, kw_only=True):
    """Finished rounds, newest first, and where to go on."""

    games: list[Round]
    next: int | None


class Rounds(Struct, kw_only=True):
    """One page of the rounds that match."""

    rounds: list[Entry]
    total: int
    page: int
    pages: int


class Restarted(Struct, kw_only=True):
    """The supervisor's answer to a restart."""

    actor: str
    result: Any


class HoursQuery(Struct, kw_only=True):
    """How far back."""

    hours: Annotated[int, Meta(ge=1, le=744)] = 24


class Reports(Struct, kw_only=True):
    """What the house itself reported: gaps, drift, and what became of its actors; newest first."""

    gaps: list[Gap]
    drift: list[Drift]
    actors: list[Reported]


class Settings(Struct, kw_only=True):
    """The settings in force, and where each value came from (key by its dotted name)."""

    path: str | None
    config: dict[str, Any]
    sources: dict[str, str]


class Logs(Struct, kw_only=True):
    """Whose logs there are."""

    logs: list[str]


class LogQuery(Struct, kw_only=True):
    """Which records of a log."""

    count: Annotated[int, Meta(ge=1, le=2000)] = 200
    level: Literal["debug", "info", "warning", "error"] = "info"
    text: Annotated[str, Meta(max_length=200)] = ""
    cursor: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,20}-[0-9]{1,20}$", description="of an earlier answer")] | UnsetType
    ) = UNSET


class JobOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Long work to begin. An export takes a `day` or a `game_id`, not both."""

    kind: Literal["export", "compaction"]
    format: Literal["csv", "csv-raw", "jsonl", "parquet"] = "csv"
    day: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a UTC date")] | None = None
    game_id: GameId | None = None
    doc_types: Annotated[list[str], Meta(max_length=20, description="kinds of rows; all where there are none")] = []


class JobAnswer(Struct, kw_only=True):
    """One job."""

    job: Job


class JobList(Struct, kw_only=True):
    """Every job, newest first."""

    jobs: list[Job]


class Deleted(Struct, kw_only=True):
    """What is gone."""

    deleted: str
