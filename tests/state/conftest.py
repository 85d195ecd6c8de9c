"""Real state actors in directories with short names: ipc paths are limited to 107 bytes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.core.config import Config
from tests.writer.nursery import Nursery

MEMORY = "/dev/shm"  # thousands of fsyncs: a death is as deadly in memory, and the disk is not what is tested


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="v-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def config(home: Path) -> Config:
    return Config(data_dir=str(home / "data"), runtime_dir=str(home / "run"))
