"""The worker's minute outside checkout: who left, what came of them, what is written to them."""

from __future__ import annotations

from datetime import UTC, datetime

from app.connections import Connections
from app.events.kinds import CustomerDeleted
from app.jobs import job_begins, only_one, request_job
from app.reach.finding import find_abandoned, resolve_abandoned
from app.reach.store import clear_old, unname
from app.reach.wanted import reach_of
from app.shops.store import get_shop, installed_shops
from app.values import ShopDomain


async def request_reach(connections: Connections) -> None:
    """Ask for a look at every shop."""
    for shop in await installed_shops(connections):
        await request_job(connections, "reach", shop.shop)


async def reach_shop(connections: Connections, shop: ShopDomain) -> None:
    """Find who left and what came of who left before."""
    async with only_one(connections, "reach", shop):
        await job_begins(connections, "reach", shop)
        installed = await get_shop(connections, shop)
        if installed is None or installed.uninstalled_at is not None:
            return
        now, reach = datetime.now(UTC), reach_of(installed.settings)
        await resolve_abandoned(connections, shop, now)
        await find_abandoned(connections, shop, reach.wait, now)


async def forget_reached(connections: Connections, event: CustomerDeleted) -> None:
    """Name a customer no more who is gone, and write them nothing."""
    await unname(connections, event.shop, event.customer_id)


async def clear_old_reach(connections: Connections) -> None:
    """Delete what is older than it is of use for."""
    await clear_old(connections, datetime.now(UTC))
