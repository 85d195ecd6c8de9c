"""What the journal's files hold, for people: read only, also while they are being written.

In: the journal's directory. Out: plain dictionaries and lines. Never shows a payload unless asked.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from actors.core.blocks import Cut, open_blocks, rest, scan
from actors.core.messages import Frame, Record
from actors.core.segments import SEALED, Codec, Reader, first_seq, segment_paths


class Verdict(msgspec.Struct):
    """What was counted on the way."""

    segments: int = 0
    batches: int = 0
    records: int = 0


def overview(directory: Path) -> dict[str, Any]:
    """Return what `journal info` tells; reads heads of blocks only, and the first and last records."""
    segments = [_segment(path) for path in segment_paths(directory)]
    with Reader(directory) as reader:
        oldest = next((record.at_us for record in reader.read(0)), None)
        begin = segments[-1]["first_seq"] - 1 if segments else 0
        newest = max((record.at_us for record in reader.read(begin)), default=oldest)
    plain, packed = sum(one["plain_bytes"] for one in segments), sum(one["bytes"] for one in segments)
    quarantine = directory / "quarantine"
    return {
        "segments": segments,
        "first_seq": segments[0]["first_seq"] if segments else None,
        "last_seq": segments[-1]["last_seq"] if segments else None,
        "oldest_us": oldest,
        "newest_us": newest,
        "bytes": packed,
        "compression": plain / packed if packed else None,
        "damaged": sum(one["damaged"] for one in segments),
        "quarantined": len(list(quarantine.iterdir())) if quarantine.is_dir() else 0,
        "reserved_upto": _reserved(directory / "reserved"),
    }


def _segment(path: Path) -> dict[str, Any]:
    plain = damaged = 0
    last = first_seq(path) - 1
    with open_blocks(path) as file:
        for found in scan(file, last):
            if isinstance(found, Cut):
                damaged += 1
            else:
                plain += max(0, zstandard.frame_content_size(found.payload or b""))
                last = max(last, found.upto)
    return {
        "name": path.name, "sealed": path.suffix == SEALED, "first_seq": first_seq(path), "last_seq": last,
        "bytes": path.stat().st_size, "plain_bytes": plain, "damaged": damaged,
    }  # fmt: skip


def _reserved(path: Path) -> int | None:
    try:
        return int(msgspec.json.decode(path.read_bytes())["upto"])
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return None


def records(directory: Path, since: int, until: int | None) -> Iterator[Record]:
    """Yield the records of `(since, until]` that are written now."""
    with Reader(directory) as reader:
        yield from reader.read(since, until)


def described(record: Record, *, payload: bool) -> dict[str, Any]:
    """Return a record as `journal dump` prints it."""
    if not isinstance(record, Frame):
        data = msgspec.json.decode(record.data)
        return {"type": "note", "seq": record.seq, "at_us": record.at_us, "event": record.event, "data": data}
    told: dict[str, Any] = {
        "type": "frame", "seq": record.seq, "at_us": record.at_us, "stream": record.stream,
        "direction": "sent" if record.sent else "received", "opcode": record.opcode, "bytes": len(record.payload),
        "redacted": record.redacted,
    }  # fmt: skip
    if payload:
        told["payload"] = record.payload.decode(errors="replace") if record.opcode == 1 else record.payload
    return told


def human(one: dict[str, Any]) -> str:
    """Return a described record as one line."""
    head = f"{one['seq']:>16}  {one['at_us'] / 1e6:.6f}  "
    if one["type"] == "note":
        return head + f"{one['event']:12} {msgspec.json.encode(one['data']).decode()}"
    content = one.get("payload", "")
    text = content if isinstance(content, str) else content.hex()
    return head + f"frame        {one['direction']:8} {one['bytes']:>7} bytes  {one['stream']}  {text}".rstrip()


def check(directory: Path, verdict: Verdict) -> Iterator[str]:
    """Yield each problem in words: checksums that do not match, numbers that do not rise."""
    codec, last = Codec(), 0
    paths = segment_paths(directory)
    for path in paths:
        verdict.segments += 1
        with open_blocks(path) as file:
            end = first_seq(path) - 1
            for found in scan(file, end):
                if isinstance(found, Cut):
                    yield _told(path, found)
                    continue
                end = max(end, found.upto)
                try:
                    batches = codec.decode(found.payload or b"")
                except (ValueError, msgspec.MsgspecError) as error:
                    yield f"{path.name}: the batch at {found.offset} cannot be decoded: {error}"
                    continue
                for batch in batches:
                    verdict.batches += 1
                    verdict.records += len(batch.records)
                    for record in batch.records:
                        if not max(last, batch.after) < record.seq <= batch.upto:
                            yield f"{path.name}: record {record.seq} in ({batch.after}, {batch.upto}] follows {last}"
                        last = max(last, record.seq)
            left = rest(file, end)
            if left is not None and not (left.torn and path == paths[-1]):  # the last one may be growing right now
                yield _told(path, left)


def _told(path: Path, cut: Cut) -> str:
    upto = "?" if cut.upto is None else cut.upto
    return f"{path.name}: {cut.size} bytes at {cut.offset}, numbers above {cut.after} to {upto}: {cut.reason}"
