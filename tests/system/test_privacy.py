"""What the whole system wrote, searched: no credential anywhere, and no other player where pseudonyms are asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from actors.core.messages import Frame
from actors.core.segments import Reader
from actors.simulator.dice import Dice
from actors.simulator.people import crowd, own_person
from tests.house import house

pytestmark = pytest.mark.system

CREDENTIAL = b"made-up-credential-"  # as the simulator's page sends it in `authenticate`
SEED = "privacy"


def written(home: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below the home but Chromium's own profile: as it is, and unpacked where it is packed."""
    for folder, folders, names in os.walk(home):
        folders[:] = [name for name in folders if name != "profile"]
        for name in names:
            path = Path(folder) / name
            if path.is_file():
                yield str(path), path.read_bytes()
    for segments in home.rglob("journal"):
        with Reader(segments) as reader:
            for record in reader.read(0):
                yield f"journal {record.seq}", record.payload if isinstance(record, Frame) else record.data
    for path in home.rglob("*.parquet"):
        for column in pq.ParquetFile(path).read().columns:
            yield str(path), "\n".join(str(value) for value in column.to_pylist()).encode()


def test_no_file_holds_a_credential_or_another_players_name(tmp_path: Path) -> None:
    dice = Dice(f"{SEED}:people")
    people, own = crowd(dice), own_person(dice)
    settings = {
        "VECTRA_PRIVACY_PSEUDONYMISE": "true", "VECTRA_SIMULATOR_SEED": SEED, "VECTRA_SIMULATOR_SPEED": "10",
    }  # fmt: skip
    with house(tmp_path, settings) as running:
        running.wait_until(lambda status: status["journal"]["seq"] is not None and status["journal"]["seq"] > 200_000)
        assert running.run("stop").returncode == 0
    found = list(written(tmp_path))
    text = b"\n".join(content for _, content in found)
    assert text.count(b"[redacted]") > 0
    assert [name for name, content in found if CREDENTIAL in content] == []
    ids = [person.player_id.encode() for person in people]
    names = [f'"{person.username}"'.encode() for person in people if person.username]
    assert [one for one in ids + names if one in text] == []
    assert own.player_id.encode() in text
    assert b"did:privy:" in text
    assert (running.data_dir / "privacy.key").stat().st_mode & 0o777 == 0o600
    with Reader(running.data_dir / "journal") as reader:  # both captures wrote the same: none of it twice
        assert [one.data for one in reader.read(0) if not isinstance(one, Frame) and one.event == "merge"] == []
