"""What the merchant's pages cost in a shop with many decisions, beside a shop with few, in one database.

python -m benchmarks.large_pages                       5,000 and 100,000 decisions a month, on SQLite
python -m benchmarks.large_pages --decisions 1000000   more, which takes some minutes to write
python -m benchmarks.large_pages --database postgresql://…

Processor time of this process: on PostgreSQL what the server takes is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

from cryptography.fernet import Fernet
from starlette.datastructures import QueryParams

from app.admin import decisions, experiments, lately, pages
from app.attribution.figures import keep_figures
from app.campaigns.guardrail_facts import read_watched
from app.config import read_settings
from app.connections import Connections, connect
from app.embedded_redis import embedded_redis
from app.migrations import migrate
from app.shops.store import Shop, get_shop
from app.values import ShopDomain
from benchmarks.large_shop import CAMPAIGNS, DAYS, fill

FEW, MANY, ROUNDS = 5_000, 100_000, 5
ENVIRONMENT = {
    "SHOPIFY_API_KEY": "key",
    "SHOPIFY_API_SECRET": "secret",
    "APP_URL": "https://tillwise.example.com",
}
Show = Callable[[Connections, Shop, QueryParams], Awaitable[dict[str, Any]]]


async def _chart(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    return {"days": await lately.by_day(connections, shop.shop)}


ASKED: dict[str, tuple[Show, str]] = {
    "Home": (pages.home_page, ""),
    "Home's chart": (_chart, ""),
    "Revenue from offers, 90 days": (experiments.earned, "days=90"),
    "The holdout": (experiments.reading, "id=standing"),
    "Decisions": (decisions.overview, ""),
    "Decisions that failed": (decisions.overview, "outcome=failed"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of the processor of a page: of its first request, and the median of those after it."""

    page: str
    decisions: int
    first_ms: float
    then_ms: float


def main(many: int = MANY, database: str | None = None) -> list[Cost]:
    """Return the figures, printed as well."""
    return asyncio.run(_measured(many, database))


async def _measured(many: int, database: str | None) -> list[Cost]:
    costs: list[Cost] = []
    async with _opened(database) as connections:
        for size in (FEW, many):
            shop = await _shop_of(connections, size)
            if size == many:
                await _work_out(connections, shop)
                await _guard(connections, shop)
            costs += [await _asked(connections, shop, size, page) for page in ASKED]
    few = {each.page: each for each in costs if each.decisions == FEW}
    for each in costs:
        ratio = each.first_ms / few[each.page].first_ms
        print(
            f"{each.page:30} {each.decisions:9,} decisions: first {each.first_ms:7.1f} ms, "
            f"{ratio:5.2f} of the small shop's, then {each.then_ms:7.1f} ms"
        )
    return costs


async def _shop_of(connections: Connections, size: int) -> Shop:
    name = ShopDomain(f"with-{size}.myshopify.com")
    await fill(connections, size, name)
    shop = await get_shop(connections, name)
    assert shop is not None
    return shop


async def _work_out(connections: Connections, shop: Shop) -> None:
    """Let the figures be worked out as the worker does, and print what that takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    await keep_figures(connections, shop.shop)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"the worker: {took_s:.1f} s of the processor, {after.ru_maxrss / 1024:,.0f} MB at its peak")


async def _guard(connections: Connections, shop: Shop) -> None:
    """Let all who met the shop's campaigns be read as its guardrails read them, and print what that takes."""
    since, begun = datetime.now(UTC) - timedelta(days=DAYS), process_time()
    found = await read_watched(
        connections, shop.shop, dict.fromkeys(CAMPAIGNS, since), defaultdict(lambda: since)
    )
    took_s, most = process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    met = sum(map(len, found.values()))
    print(f"its guardrails: {took_s:.1f} s for {met:,} first meetings, {most / 1024:,.0f} MB at the peak")


async def _asked(connections: Connections, shop: Shop, size: int, page: str) -> Cost:
    show, query = ASKED[page]
    took = []
    for _ in range(ROUNDS + 1):
        begun = process_time()
        await show(connections, shop, QueryParams(query))
        took.append((process_time() - begun) * 1_000)
    return Cost(page, size, took[0], statistics.median(took[1:]))


@asynccontextmanager
async def _opened(database: str | None) -> AsyncIterator[Connections]:
    with tempfile.TemporaryDirectory(prefix="tw-bench", ignore_cleanup_errors=True) as directory:
        key = Fernet.generate_key().decode()
        given = {"DATABASE_URL": database, "TOKEN_ENCRYPTION_KEYS": key} if database else {}
        settings = read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": directory} | given)
        await migrate(settings.database_url)
        with embedded_redis(Path(directory)) as redis_url:
            async with connect(settings, redis_url) as connections:
                yield connections


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_pages", description=__doc__)
    parser.add_argument("--decisions", type=int, default=MANY, help="of the large shop, in a month")
    parser.add_argument("--database", help="an empty one; else SQLite in a folder of its own")
    asked = parser.parse_args()
    main(asked.decisions, asked.database)
