"""What every command that needs the stores begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from typing import Annotated

import typer
from redis.exceptions import ConnectionError as RedisLost
from redis.exceptions import TimeoutError as RedisSlow
from sqlmodel import col, select

from app.config import Settings, read_settings
from app.connections import Connections, connect
from app.errors import NotFound, TillwiseError
from app.logs import start_logging
from app.migrations import migrate
from app.processes import redis_for
from app.shops.store import Shop as Installed
from app.shops.store import get_shop
from app.tables import ShopRow
from app.values import ShopDomain

Shop = Annotated[str, typer.Option("--shop", help="The shop's name.myshopify.com")]
AnyShop = Annotated[str | None, typer.Option("--shop", help="One shop only: name.myshopify.com")]

_ALIKE = 0.85  # of two names; `.myshopify.com` alone makes 0.6 of short ones


def with_connections(run: Callable[[Connections], Awaitable[None]]) -> None:
    """Run it on open connections, with the database brought up to date first.

    Raises TillwiseError when a store does not answer.
    """
    start_logging("WARNING")
    settings = read_settings()
    with redis_for(settings) as redis_url:
        asyncio.run(_connected(settings, redis_url, run))


async def known_shop(connections: Connections, shop: ShopDomain) -> Installed:
    """Return the shop, also one that left and was not erased. Raises NotFound: its name may be mistyped."""
    known = await get_shop(connections, shop)
    if known is None:
        what_to_do = await ask_about(connections, shop) or "open the app in the shop's admin first"
        raise NotFound(f"{shop} is not installed: {what_to_do}")
    return known


async def ask_about(connections: Connections, shop: ShopDomain) -> str:
    """Return a question that names the shops with names like it; empty where there are none."""
    async with connections.read() as db:
        shops = (await db.exec(select(col(ShopRow.shop)))).all()
    alike = get_close_matches(shop, shops, n=3, cutoff=_ALIKE)
    return f"is it {' or '.join(alike)}?" if alike else ""


async def _connected(
    settings: Settings, redis_url: str, run: Callable[[Connections], Awaitable[None]]
) -> None:
    await migrate(settings.database_url)
    async with connect(settings, redis_url) as connections:
        try:
            await run(connections)
        except (RedisLost, RedisSlow) as error:
            raise TillwiseError(f"Redis does not answer: {error}") from error
