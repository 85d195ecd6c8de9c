"""What a capture noted of its pages' requests, as a file that the other capture and a successor read.

In and out: `Notes` in `<runtime dir>/acks/<capture>`. Small, whole, private, not durable: it counts for the moments in
which a capture attaches, and names acknowledgements only.
"""

import contextlib
from pathlib import Path

import msgspec

from actors.core.files import private_dir, replace_file
from actors.rugs.acks import Notes


def write_notes(runtime_dir: Path, capture: str, notes: Notes) -> None:
    """Leave the notes for the others. On a full disk they go without, and hide what they cannot judge."""
    with contextlib.suppress(OSError):
        replace_file(private_dir(runtime_dir / "acks") / capture, msgspec.json.encode(notes), durable=False)


def read_notes(runtime_dir: Path, capture: str) -> Notes | None:
    """Return what `capture`, alive or dead, noted last; None where it noted nothing."""
    try:
        return msgspec.json.decode((runtime_dir / "acks" / capture).read_bytes(), type=Notes)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
