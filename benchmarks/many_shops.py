"""What it costs to look whether quiet shops have work due, as their number grows.

Every schedule of the worker that asks for work is run by itself, twice: as at the first start, when all have
their turn, and once more when it is due again. What the second costs, in processor time of the worker, is
told for a minute of its schedules.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from unittest.mock import patch

from sqlalchemy import event
from sqlmodel import SQLModel

from app.config import Settings
from app.connections import connect
from app.tables import ShopRow
from app.worker import SCHEDULES
from benchmarks.server import own_stores

COUNTS = (1, 100, 1_000, 10_000)
# Those that look at shops for work in the app's own stores; the others ask Shopify, or look at none.
LOOKING = {
    "retrain", "freshen", "segment", "intent", "choices", "coupons", "write back", "offers ahead", "watch",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time and queries, in a minute of the schedules, with so many shops."""

    shops: int
    ms: float
    queries: float


def main(counts: Sequence[int] = COUNTS) -> list[Cost]:
    """Return the costs, printed as well."""
    found = []
    for count in counts:
        with own_stores() as stores:
            found.append(asyncio.run(_measured(stores.settings, stores.redis_url, count)))
        each = found[-1]
        print(
            f"{each.shops:6d} quiet shops  {each.ms:7.0f} ms of the processor, "
            f"{each.queries:6.0f} queries a minute"
        )
    return found


async def _measured(settings: Settings, redis_url: str, count: int) -> Cost:
    async with connect(settings, redis_url) as connections:
        async with connections.engine.begin() as database:
            await database.run_sync(SQLModel.metadata.create_all)
        now = datetime.now(UTC)
        async with connections.write() as db:
            db.add_all(
                ShopRow(shop=f"shop-{number}.myshopify.com", publishable_key=f"pk_{number}", installed_at=now)
                for number in range(count)
            )
        asked = 0

        def count_query(*_told: object) -> None:
            nonlocal asked
            asked += 1

        event.listen(connections.engine.sync_engine, "before_cursor_execute", count_query)
        ms = queries = 0.0
        for schedule in SCHEDULES:
            if schedule.name in LOOKING:
                await schedule.work(connections)
                now_s = time.time() + schedule.every_s
                with patch.object(time, "time", lambda now_s=now_s: now_s):
                    began, before = time.process_time(), asked
                    await schedule.work(connections)
                turns = 60 / schedule.every_s
                ms += (time.process_time() - began) * 1e3 * turns
                queries += (asked - before) * turns
        return Cost(count, ms, queries)


if __name__ == "__main__":
    main()
