"""record start|stop|status: the recording switch, from the command line.

The switch is a record in the journal, sent again until the journal says that it is on disk: what is printed is
what happened.
"""

import time
import uuid
from pathlib import Path

import click
import msgspec

from actors.core import streams
from actors.core.bus import Bus
from actors.core.clock import now_us
from actors.core.messages import Committed, Submit
from supervisor.ask import CommandError, ask, require_running
from supervisor.shared_flags import Given, settings_flags

LIMIT_S = 5.0
RESEND_S = 0.2


@click.group()
def record() -> None:
    """Switch recording on or off, or say whether it is on.

    Off means: the journal and the feed go on, only gaps, connections and finished rounds still go into Parquet.
    """


@record.command("start")
@settings_flags
def record_start(given: Given) -> None:
    """Switch recording on. The choice outlives restarts."""
    _switch(given, True)


@record.command("stop")
@settings_flags
def record_stop(given: Given) -> None:
    """Switch recording off. The choice outlives restarts."""
    _switch(given, False)


@record.command("status")
@settings_flags
def record_status(given: Given) -> None:
    """Say whether recording is on, and since when."""
    recording = ask(given.load_to_find().config.runtime_path, "status")["recording"]
    if recording["on"] is None:
        click.echo("Recording: not known, the journal has not reported yet.")
        return
    since_ms = recording["since"]
    since = time.strftime(" since %Y-%m-%d %H:%M:%S", time.localtime(since_ms / 1000)) if since_ms else ""
    click.echo(f"Recording is {'on' if recording['on'] else 'off'}{since}.")


def _switch(given: Given, on: bool) -> None:
    runtime_dir = given.load_to_find().config.runtime_path
    require_running(runtime_dir)
    result = submit(runtime_dir, "recording", {"on": on, "by": "cli"})
    if result is None:
        raise CommandError(f"The journal did not confirm within {LIMIT_S:g} s. `vectra-supervisor status` says why.", 1)
    if result.error is not None:
        raise CommandError(f"The journal refused: {result.error}", 1)
    click.echo(f"Recording is {'on' if on else 'off'} (record {result.seq}).")


def submit(runtime_dir: Path, event: str, data: dict[str, object]) -> Committed | None:
    """Have the journal append a note; return its word that it is on disk, None when none came in time."""
    message = Submit(id=uuid.uuid4().hex, event=event, data=msgspec.json.encode(data), at_us=now_us())
    bus = Bus(runtime_dir)
    try:
        return _until_committed(bus, message)
    finally:
        bus.close()


def _until_committed(bus: Bus, message: Submit) -> Committed | None:
    with bus.outbox(streams.COMMANDS) as commands, bus.inbox(streams.RESULTS) as results:
        deadline_s = time.monotonic() + LIMIT_S
        resend_s = 0.0
        while (now_s := time.monotonic()) < deadline_s:
            if now_s >= resend_s:
                sent = commands.send(message)
                resend_s = now_s + (RESEND_S if sent else 0.02)  # not connected yet: soon again
            results.socket.poll(max(1, int((resend_s - time.monotonic()) * 1000)))
            while (result := results.receive()) is not None:
                if result.id == message.id:
                    return Committed(id=result.id, seq=result.seq, error=result.error)
        return None
