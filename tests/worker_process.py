"""A worker in a process of its own, to be killed. Arguments: its settings as JSON, Redis's address."""

import asyncio
import json
import sys

from app.config import read_settings
from app.connections import connect
from app.worker import run_worker


async def main(environment: str, redis_url: str) -> None:
    async with connect(read_settings(json.loads(environment)), redis_url) as connections:
        await run_worker(connections, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
