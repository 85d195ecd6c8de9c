"""Numbers are reserved in synced blocks, so that none is used twice even after a power cut.

`<journal dir>/reserved` holds the machine's boot id and the number up to which may be numbered. Within one boot the
page cache outlives any process, so numbering goes on after the last whole batch. After another boot, or where files
were damaged, the tail may be gone though somebody saw it: then numbering goes on after the reserved block.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from actors.core.faults import point
from actors.core.files import replace_file
from actors.core.messages import SEQ_STEP

BLOCK = 65_536 * SEQ_STEP  # at 200 frames/s a synced write each five minutes
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Reserved(Struct, frozen=True):
    """The content of the file."""

    boot_id: str
    upto: int


class Numbers:
    """The reservation in one journal directory."""

    def __init__(self, directory: Path, derived_upto: int = 0) -> None:
        """derived_upto: the highest number that data derived from the journal bears, whatever became of the journal."""
        self._path = directory / "reserved"
        self._derived_upto = derived_upto
        self._boot_id = _BOOT_ID.read_text().strip()
        self._reserved = self._load()

    def first_free(self, head: int, *, tail_lost: bool = False) -> int:
        """Return the number after which to go on; more than `head` where numbers beyond it may have been seen.

        tail_lost: some of the journal's files could not be read, so its end may not be where it was.
        """
        if head < self._derived_upto:
            head = self._derived_upto + SEQ_STEP
        if self._reserved is None:
            return head + BLOCK if head or tail_lost else 0
        if self._reserved.boot_id == self._boot_id and not tail_lost and head <= self._reserved.upto:
            return head
        return max(head, self._reserved.upto)

    def reserve(self, head: int) -> None:
        """Make sure that `head` lies inside a synced block. OSError where the disk refuses."""
        known = self._reserved
        if known is not None and head <= known.upto and known.boot_id == self._boot_id:
            return
        reserved = Reserved(self._boot_id, head + BLOCK)
        point("journal-reserve")
        replace_file(self._path, msgspec.json.encode(reserved), fault="journal-reserve")
        self._reserved = reserved

    def _load(self) -> Reserved | None:
        return read_reserved(self._path)


def read_reserved(path: Path) -> Reserved | None:
    """Return what is reserved, None where nothing ever was, or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Reserved)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def derived_upto(data_dir: Path) -> int:
    """Return the writer's durable position, which outlives a journal that somebody deleted."""
    try:
        return int(msgspec.json.decode((data_dir / "events_parquet" / "_position").read_bytes())["upto"])
    except (FileNotFoundError, msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return 0
