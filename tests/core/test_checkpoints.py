"""Checkpoints: whole or not there, and never fewer than a receiver may want."""

import os
from pathlib import Path

from actors.core.checkpoints import Checkpoints


def test_the_newest_at_or_below_is_found(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for seq in (256, 512, 1024):
        checkpoints.save(seq, str(seq).encode())
    assert checkpoints.newest(600) == (512, b"512")
    assert checkpoints.newest(1024) == (1024, b"1024")
    assert checkpoints.newest(255) is None


def test_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(256, b"good")
    checkpoints.save(512, b"bad")
    path = tmp_path / f"{512:016d}.ckpt"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    assert checkpoints.newest(1000) == (256, b"good")


def test_forgetting_keeps_the_one_that_is_still_needed(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for seq in (256, 512, 1024):
        checkpoints.save(seq, b"")
    checkpoints.forget_below(700)
    assert checkpoints.seqs() == [512, 1024]


def test_old_ones_are_thinned_out_but_never_the_newest_nor_the_oldest_needed(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    now_s = 1_000_000.0
    for number in range(100):
        seq = 256 * (number + 1)
        checkpoints.save(seq, b"")
        os.utime(tmp_path / f"{seq:016d}.ckpt", (0, now_s - 10.0 * (99 - number)))
    checkpoints.thin_out(256, now_s)
    left = checkpoints.seqs()
    assert left[0] == 256
    assert left[-1] == 25600
    young = [seq for seq in left if 99 - (seq // 256 - 1) <= 60]
    assert len(young) == 61, "all of the last ten minutes"
    assert len(left) - len(young) <= 3, "one each five minutes of the rest"
