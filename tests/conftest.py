"""Shared by all tests: short directories, a parent for actors that die at will, hypothesis without deadlines."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from actors.core.config import Config
from tests.writer.nursery import Nursery

MEMORY = "/dev/shm"  # thousands of fsyncs: a death is as deadly in memory, and the disk is not what is tested

# Machines are shared: how long an example takes says nothing about our code.
settings.register_profile("vectra", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vectra")


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Forks actors in milliseconds."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory with a short name: ipc paths are limited to 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="v-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def config(home: Path) -> Config:
    """Settings for actors in that directory."""
    return Config(data_dir=str(home / "data"), runtime_dir=str(home / "run"))
