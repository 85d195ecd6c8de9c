"""What a hostile-page campaign counts in the record, and what it calls a broken promise."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from msgspec import Struct, field

from tests.campaign import count
from tests.hostile.payloads import MARK, PRICE
from tests.hostile.watching import Watcher

if TYPE_CHECKING:
    from tests.hostile.trial import Attack

DOC_TYPES = ("ws_event", "game_tick", "server_state", "player_action", "system_event", "game", "trade", "sidebet")
AGE_S = 3.0  # frames come ten times a second and more; the bound on a machine that others use too
GROWN_MB = 150.0
SLACK_S = 0.1
NOTE_BYTES = 65_536  # a note may name an address, and whoever made that decides its length


class HostileOutcome(Struct, kw_only=True):
    """What was counted."""

    took_s: float
    sent: int
    stored: int
    lost: list[int]
    lost_outside_gaps: int
    doubled: int
    marked: dict[str, int]  # doc_type -> rows that bear the forger's mark or price
    foreign_streams: int  # stored streams of other targets than the game's
    foreign_frames: int  # their rows in ws_event
    examples: list[str]
    presses: int
    pressed: int
    presses_doubled: int
    presses_lost: int
    restarts: dict[str, int]
    kills: int
    gaps: list[tuple[int, int, str]]
    gap_s: float  # as status tells
    union_s: float
    ambiguous: int
    oldest_s: float
    looks: int
    unanswered: int
    forged_live: list[str]
    memory: dict[str, tuple[float, float, bool]]  # actor -> MB before, MB after, of the same process
    cpu_s: dict[str, float]
    figures: dict[str, Any]
    foreign_presses: int
    killed: bool
    notes: dict[str, int] = field(default_factory=dict)  # rows of system_event, by kind
    largest_note: int = 0  # bytes

    def broken(self) -> list[str]:
        """Return each promise that was broken, in words."""
        calm = not self.killed
        found = {
            f"{sum(self.marked.values())} rows bear the forger's mark: {self.marked}": any(self.marked.values()),
            f"{self.foreign_frames} rows of {self.foreign_streams} foreign sockets in ws_event": self.foreign_frames
            > 0,
            f"the live state showed the forger's figures {len(self.forged_live)} times": bool(self.forged_live),
            f"{self.doubled} frames stored twice": self.doubled > 0,
            f"{self.lost_outside_gaps} frames lost outside a gap": self.lost_outside_gaps > 0,
            f"{len(self.lost)} frames lost though nobody was killed": calm and bool(self.lost),
            f"{sum(self.restarts.values())} restarts though nobody was killed: {self.restarts}": calm
            and any(self.restarts.values()),
            f"{len(self.gaps)} gaps though nobody was killed": calm and bool(self.gaps),
            f"{self.presses_doubled} presses stored twice": self.presses_doubled > 0,
            f"{self.presses_lost} presses lost without any gap": self.presses_lost > 0 and not self.gaps,
            f"the newest frame was {self.oldest_s:.1f} s old, at most {AGE_S:g}": calm and self.oldest_s > AGE_S,
            f"a note of {self.largest_note} bytes, at most {NOTE_BYTES}": self.largest_note > NOTE_BYTES,
            f"gaps are told as {self.gap_s:.1f} s, their union is {self.union_s:.1f}": self.gap_s
            > self.union_s + SLACK_S,
        }
        grown = {
            f"{name} grew from {before:.0f} to {after:.0f} MB": same and after > before + GROWN_MB
            for name, (before, after, same) in self.memory.items()
        }
        return [words for words, broken in {**found, **grown}.items() if broken]


def verdict(
    data_dir: Path, sent: dict[int, float], watcher: Watcher, status: dict[str, Any], *, attack: "Attack",
    figures: dict[str, Any], took_s: float, memory: tuple[dict[str, tuple[int, float]], dict[str, tuple[int, float]]],
    killed: bool,
) -> HostileOutcome:  # fmt: skip
    """Count in the stopped VECTRA's files."""
    foreign, examples = foreign_streams(data_dir, watcher.targets)
    outcome = count(data_dir, sent, attack.kills, status, outside=frozenset(foreign))
    presses, distinct = press_rows(data_dir)
    before, after = memory
    return HostileOutcome(
        took_s=took_s, sent=outcome.sent, stored=outcome.stored, lost=outcome.lost, doubled=outcome.doubled,
        lost_outside_gaps=outcome.lost_outside_gaps, gaps=outcome.gaps, ambiguous=outcome.ambiguous,
        kills=attack.kills, killed=killed, marked=marked_rows(data_dir), foreign_streams=len(foreign),
        foreign_frames=sum(foreign.values()), examples=examples, presses=presses, pressed=attack.pressed,
        presses_doubled=presses - distinct, presses_lost=max(0, attack.pressed - distinct),
        foreign_presses=attack.foreign_presses,
        restarts={actor["name"]: actor["restarts"] for actor in status["actors"] if actor["restarts"]},
        gap_s=status["gaps"]["seconds"], union_s=union_s(outcome.gaps), oldest_s=watcher.oldest_s,
        looks=watcher.looks, unanswered=watcher.unanswered, forged_live=watcher.forged_live, figures=figures,
        memory={name: (before[name][1], mb, before[name][0] == pid) for name, (pid, mb) in after.items()
                if name in before},
        cpu_s=processor_s(data_dir, watcher), notes=notes(data_dir), largest_note=largest_note(data_dir),
    )  # fmt: skip


def processor_s(data_dir: Path, watcher: Watcher) -> dict[str, float]:
    """Return processor seconds by kind of process, the hostile page's renderers apart from the game's.

    Chromium's id of a socket begins with its renderer's pid.
    """
    streams = rows_of(data_dir, "ws_event", "SELECT DISTINCT stream FROM {files} WHERE event_name = 'load'")
    ids = [stream.split("/") for (stream,) in streams]
    pids = {int(id_.partition(".")[0]) for _, target, id_ in ids if target in watcher.targets and "." in id_}
    found = {name: sum(used.values()) for name, used in watcher.cpu_s.items() if name != "chromium renderer"}
    found["game's renderer"], found["hostile renderers"] = watcher.renderers_s(pids)
    return found


def rows_of(data_dir: Path, doc_type: str, query: str, *given: object) -> list[tuple[Any, ...]]:
    """Ask one doc_type's files; no rows where there are none."""
    pattern = f"events_parquet/doc_type={doc_type}/*/*.parquet"
    if not list(data_dir.glob(pattern)):
        return []
    return duckdb.execute(query.format(files=f"read_parquet('{data_dir}/{pattern}')"), list(given)).fetchall()


def marked_rows(data_dir: Path) -> dict[str, int]:
    """Count rows that bear the mark in any column, by doc_type; of the system's own only what a forger could steer.

    Notes name the URLs of pages and sockets, whoever made them: such a row is no datum of the game.
    """
    found = {}
    for doc_type in DOC_TYPES:
        where = "CAST(whole AS VARCHAR) LIKE ?"
        where += " AND event <> 'connection'" if doc_type == "system_event" else ""
        rows = rows_of(data_dir, doc_type, f"SELECT count(*) FROM {{files}} AS whole WHERE {where}", f"%{MARK}%")
        found[doc_type] = rows[0][0] if rows else 0
    columns = {"game_tick": "price", "server_state": "cash", "player_action": "amount", "trade": "price"}
    for doc_type, column in columns.items():
        rows = rows_of(data_dir, doc_type, f"SELECT count(*) FROM {{files}} WHERE {column} = ?", PRICE)
        found[doc_type] = max(found[doc_type], rows[0][0] if rows else 0)
    return found


def foreign_streams(data_dir: Path, targets: set[str]) -> tuple[dict[str, int], list[str]]:
    """Return the stored streams of targets that never showed the game, with their rows, and some of these."""
    rows = rows_of(data_dir, "ws_event", "SELECT stream, count(*), any_value(direction || ' ' || left(raw, 100)) "
                   "FROM {files} GROUP BY stream ORDER BY 2 DESC")  # fmt: skip
    foreign = [row for row in rows if row[0].split("/")[1] not in targets]
    return {stream: number for stream, number, _ in foreign}, [f"{s} {raw}" for s, _, raw in foreign[:8]]


def press_rows(data_dir: Path) -> tuple[int, int]:
    """Return how many presses are stored, and how many different ones."""
    query = "SELECT count(*), count(DISTINCT trace_id) FROM {files} WHERE success IS NULL AND button = '+0.001'"
    rows = rows_of(data_dir, "player_action", query)
    return (rows[0][0], rows[0][1]) if rows else (0, 0)


def notes(data_dir: Path) -> dict[str, int]:
    """Count the system's own rows: a page that can make them without end fills the disk."""
    found = Counter[str]()
    for event, data in rows_of(data_dir, "system_event", "SELECT event, data FROM {files}"):
        found[f"{event} {json.loads(data).get('what', '')}".strip()] += 1
    return dict(found.most_common(8))


def largest_note(data_dir: Path) -> int:
    """Return the bytes of the longest of the system's own rows."""
    rows = rows_of(data_dir, "system_event", "SELECT max(strlen(data)) FROM {files}")
    return int(rows[0][0] or 0) if rows else 0


def union_s(gaps: list[tuple[int, int, str]]) -> float:
    """Return the seconds that lie in any gap."""
    total_us, until_us = 0, 0
    for from_us, to_us, _ in sorted(gaps):
        total_us += max(0, to_us - max(from_us, until_us))
        until_us = max(until_us, to_us)
    return total_us / 1e6
