"""Being woken by files that come and go."""

import select
from pathlib import Path

from actors.core.changes import Changes
from actors.core.files import replace_file


def woken(changes: Changes) -> bool:
    return bool(select.select([changes], [], [], 0)[0])


def test_a_file_that_appears_is_replaced_or_goes_wakes_and_draining_ends_it(tmp_path: Path) -> None:
    changes = Changes([tmp_path])
    try:
        assert not woken(changes)
        for change in (
            lambda: replace_file(tmp_path / "f", b"1", durable=False),
            lambda: replace_file(tmp_path / "f", b"2", durable=False),
            lambda: (tmp_path / "f").unlink(),
        ):
            change()
            assert woken(changes)
            changes.drain()
            assert not woken(changes)
    finally:
        changes.close()
