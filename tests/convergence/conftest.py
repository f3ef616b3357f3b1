from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.config import read_settings
from tests.conftest import ENVIRONMENT
from tests.convergence.world import World, make_template


@pytest.fixture(scope="session")
def world(redis_url: str) -> Iterator[World]:
    with TemporaryDirectory(prefix="tw-world", ignore_cleanup_errors=True) as directory:
        settings = read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": f"{directory}/var"})
        made = World(settings, redis_url, Path(directory) / "template.db")
        asyncio.run(make_template(made))
        yield made
