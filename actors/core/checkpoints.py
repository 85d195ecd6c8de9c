"""Checkpoints of a pure core: files `<seq>.ckpt`, each the whole memory after the record `seq`.

A core that is a function of (memory, record) can begin at any checkpoint and come to the same results. Files appear
whole; a damaged one is passed over. Never deletes the newest.
"""

import re
import struct
from pathlib import Path

import google_crc32c

from actors.core.files import private_dir, remove_file, replace_file

_HEAD = struct.Struct("<4sI")
_MAGIC = b"VCK1"
_NAME = re.compile(r"[0-9]{16}\.ckpt")


_ALL_FOR_S = 600.0


def _spacing_s(age_s: float) -> float:
    return 300.0 if age_s < 86_400 else 3600.0


class Checkpoints:
    """The checkpoints in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def save(self, seq: int, memory: bytes) -> None:
        """Keep `memory`, the state after record `seq`. OSError where the disk refuses; older ones stay."""
        head = _HEAD.pack(_MAGIC, google_crc32c.value(memory))
        replace_file(private_dir(self._directory) / f"{seq:016d}.ckpt", head + memory)

    def newest(self, at_or_below: int) -> tuple[int, bytes] | None:
        """Return (seq, memory) of the newest good checkpoint not above `at_or_below`, None where there is none."""
        for seq in sorted(self.seqs(), reverse=True):
            if seq <= at_or_below and (memory := self._load(seq)) is not None:
                return seq, memory
        return None

    def seqs(self) -> list[int]:
        """Return the numbers of all checkpoints, rising."""
        return sorted(int(path.stem) for path in self._directory.glob("[0-9]*.ckpt") if _NAME.fullmatch(path.name))

    def forget_below(self, seq: int) -> None:
        """Delete what no receiver can want any more: all but the newest at or below `seq`, and those above it."""
        older = [known for known in self.seqs() if known <= seq]
        for known in older[:-1]:
            self._forget(known)

    def thin_out(self, oldest_seq: int, now_s: float) -> None:
        """Keep all of the last ten minutes, one each five minutes of the last day, and one an hour of what is older.

        oldest_seq: of the journal; checkpoints before it lead nowhere, but for the newest of them.
        """
        self.forget_below(oldest_seq)
        kept_s = float("inf")
        for seq in reversed(self.seqs()[1:]):
            written_s = (self._directory / f"{seq:016d}.ckpt").stat().st_mtime
            if now_s - written_s > _ALL_FOR_S and kept_s - written_s < _spacing_s(now_s - written_s):
                self._forget(seq)
            else:
                kept_s = written_s

    def _forget(self, seq: int) -> None:
        remove_file(self._directory / f"{seq:016d}.ckpt")

    def _load(self, seq: int) -> bytes | None:
        try:
            content = (self._directory / f"{seq:016d}.ckpt").read_bytes()
            magic, checksum = _HEAD.unpack_from(content)
        except (OSError, struct.error):
            return None
        memory = content[_HEAD.size :]
        return memory if magic == _MAGIC and google_crc32c.value(memory) == checksum else None
