"""Real writers in directories with short names: ipc paths are limited to 107 bytes."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.core.config import Config
from tests.writer.nursery import Nursery


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="v-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def config(home: Path) -> Config:
    return Config(data_dir=str(home / "data"), runtime_dir=str(home / "run"))
