"""Journal notes, which are no frames: each becomes a `system.<event>` event and a `system_event` row.

Presses of the game's buttons become `player.action` instead. The recording switch among them decides which rows are
stored from here on.
"""

from typing import Any

from actors.core.messages import Note
from actors.rugs.actions import take_press
from actors.rugs.jsontext import Unreadable, encode, read
from actors.rugs.memory import MAX_OFF, Memory
from actors.rugs.output import Output


def take_note(memory: Memory, out: Output, note: Note) -> None:
    """Make the event and row of a note. Data that is no JSON object is kept under `value`."""
    data, text = _object(note.data)
    if note.event == "press" and take_press(memory, out, note, data):
        return
    if note.event == "recording" and isinstance(data.get("on"), bool):
        _switch(memory, note.at_us, on=data["on"])
    seq = out.event(f"system.{note.event}", None, text)
    out.row("system_event", seq, None, [note.event, text.decode()])


def _object(text: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        value = read(text)
    except Unreadable:
        value = text.decode("utf-8", "replace")
    data = value if isinstance(value, dict) else {"value": value}
    return data, encode(data)


def _switch(memory: Memory, at_us: int, *, on: bool) -> None:
    """Remember the spans that the user had recording off: nothing is repaired for them."""
    memory.recording = on
    if not on:
        memory.off_since_us = memory.off_since_us or at_us
    elif memory.off_since_us is not None:
        memory.off.append((memory.off_since_us, at_us))
        if len(memory.off) > MAX_OFF:  # joined: what was off stays off, nothing is repaired for it
            memory.off[:2] = [(memory.off[0][0], memory.off[1][1])]
        memory.off_since_us = None
