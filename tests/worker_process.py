"""A worker in a process of its own, to be killed. Arguments: the data directory, Redis's address."""

import asyncio
import sys

from app.config import read_settings
from app.connections import connect
from app.worker import run_worker
from tests.conftest import ENVIRONMENT


async def main(data_dir: str, redis_url: str) -> None:
    settings = read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": data_dir})
    async with connect(settings, redis_url) as connections:
        await run_worker(connections, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
