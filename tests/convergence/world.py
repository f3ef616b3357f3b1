"""An app that knows of nothing, made again and again in little time."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlmodel import SQLModel

from app.config import Settings
from app.connections import Connections, connect

# An example takes about a second; `make chaos` asks for more of them.
EXAMPLES = int(os.environ.get("CONVERGENCE_EXAMPLES", "12"))


@dataclass(frozen=True)
class World:
    """What the app is run with. template: an empty database with every table."""

    settings: Settings
    redis_url: str
    template: Path


async def make_template(world: World) -> None:
    """Put an empty database with every table where the template is."""
    settings = replace(world.settings, database_url=f"sqlite+aiosqlite:///{world.template}")
    async with connect(settings, world.redis_url) as made, made.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)


@asynccontextmanager
async def emptied(world: World, name: str) -> AsyncIterator[Connections]:
    """Yield connections to a database of this name that is like the template, and to an empty Redis."""
    path = world.template.with_name(f"{name}.db")
    for stale in path.parent.glob(f"{path.name}*"):
        stale.unlink()
    shutil.copy(world.template, path)
    settings = replace(world.settings, database_url=f"sqlite+aiosqlite:///{path}")
    async with connect(settings, world.redis_url) as connections:
        await connections.redis.flushall()
        yield connections
