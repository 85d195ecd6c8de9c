"""The event feed in the terminal, one line an event. In: filters. Out: lines until Ctrl-C."""

import json
import os
import sys
import time
from typing import Any

from actors.core.printable import printable
from actors.rugs.catalogue import TYPES as TYPES
from actors.rugs.catalogue import unknown_types as unknown_types

LINE_LENGTH = 160


def follow_events(door: str, requests: str, types: tuple[str, ...], since: int | None, as_json: bool) -> None:
    """Print events as they come, beginning after `since` where it is given; door, requests: the ZeroMQ addresses."""
    from vectra_player.client import subscribe

    try:
        for event in subscribe(*types, since=since, events=door, requests=requests):
            fields = {
                "type": event.type,
                "ts": event.ts,
                "gameId": event.game_id,
                "seq": event.seq,
                "prev": event.prev,
                "data": event.data,
            }
            print(json.dumps(fields, ensure_ascii=False) if as_json else printable(for_people(fields)))
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has what it wanted


def for_people(event: dict[str, Any]) -> str:
    """Return one short line: time of capture in UTC, number, type, the beginning of the data."""
    at = time.strftime("%H:%M:%S", time.gmtime(event["ts"] / 1000))
    data = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in event["data"].items())
    line = f"{at}.{event['ts'] % 1000:03d}Z {event['seq']:>12} {event['type']:<20} {data}"
    return line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 3] + "..."
