"""Refreshes the serving model with new orders and products within a minute, without training."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from pathlib import Path
from time import monotonic

from sqlalchemy import func
from sqlmodel import col, select

from app.child_process import run_in_child
from app.connections import Connections, redis_key
from app.consent.standing import Use
from app.consent.standings import who_refuse
from app.jobs import alone, exclusive_job, request_job
from app.profiles.reviews import excluded_customers
from app.recommend.card import Card
from app.recommend.dataset import Dataset
from app.recommend.forget import PUBLISHING
from app.recommend.publish import current_version, load, publish_successor, read_card, version_path
from app.recommend.records import rename_version, settle
from app.recommend.recount import recounted
from app.recommend.retired import retire_version
from app.recommend.store import read_shop
from app.shops.changes import announce_change
from app.shops.turns import shops_to_look_at
from app.tables import OrderRow, ProductRow
from app.values import ShopDomain

# A shop whose refresh takes long is refreshed less often, so that it takes a third of a core at most.
RESTS = 2
SHORTEST_REST_S = 20


async def request_due_refreshes(connections: Connections) -> None:
    """Ask for a refresh of every shop with orders or products that its serving model has not seen."""
    for shop in await shops_to_look_at(connections, "freshen"):
        version = current_version(connections.settings.data_dir, shop.shop)
        if version is None:
            continue
        seen = await connections.redis.get(redis_key(shop.shop, "fresh", "seen"))
        resting = await connections.redis.exists(redis_key(shop.shop, "fresh", "rest"))
        if not resting and _text(seen) != _seen(version, await _latest_change(connections, shop.shop)):
            await request_job(connections, "freshen", shop.shop)


async def refresh_shop(connections: Connections, shop: ShopDomain) -> Card | None:
    """Return the card of the version that serves from now on, None when nothing serves or has changed.

    It takes the place of the one it was made from. Whatever fails, that one stays.
    """
    async with exclusive_job(connections, "freshen", shop):
        started = monotonic()
        latest = await _latest_change(connections, shop)
        try:
            version, card = await _refreshed(connections, shop)
        finally:  # what fails is no more often begun again than what does not
            rest_s = max(SHORTEST_REST_S, int(RESTS * (monotonic() - started)))
            await connections.redis.set(redis_key(shop, "fresh", "rest"), 1, ex=rest_s)
        await connections.redis.set(redis_key(shop, "fresh", "seen"), _seen(version, latest))
    return card


async def _refreshed(connections: Connections, shop: ShopDomain) -> tuple[str, Card | None]:
    """Return the version that serves, empty when none does, and its card if it is a new one."""
    data_dir = connections.settings.data_dir
    # Nobody publishes or erases meanwhile: who is erased after this was read is erased from its result.
    async with alone(connections, PUBLISHING, shop):
        await settle(connections, shop)
        version = current_version(data_dir, shop)
        if version is None:
            return "", None
        unnamed = await who_refuse(connections, shop, Use.TRAIN)
        left_out = await excluded_customers(connections, shop)
        async with connections.read() as db:
            dataset = await read_shop(db, shop, unnamed, left_out)
        card = await run_in_child(publish_recounted, data_dir, shop, version, dataset)
        if card.version == version:
            return version, None  # nothing that it is made of has changed
        await rename_version(connections, shop, version, card)
        await asyncio.to_thread(retire_version, data_dir, shop, version, card.version)
    await announce_change(connections.redis, shop)
    return card.version, card


def publish_recounted(data_dir: Path, shop: ShopDomain, version: str, dataset: Dataset) -> Card:
    """Publish a recounted version as the successor of this one; return its card. Runs in a child process."""
    path = version_path(data_dir, shop, version)
    card = read_card(path)
    return publish_successor(data_dir, shop, card, recounted(load(path), card, dataset))


async def _latest_change(connections: Connections, shop: str) -> str:
    """Return a text that changes with the orders, the products and the customers who are left out."""
    parts = [str(sorted(await excluded_customers(connections, shop)))]
    async with connections.read() as db:
        for row in (OrderRow, ProductRow):
            query = select(func.max(row.updated_at), func.count()).where(col(row.shop) == shop)
            parts.append(str((await db.exec(query)).one()))
    return " ".join(parts)


def _seen(version: str, latest: str) -> str:
    """Return what is kept of a version that has seen the latest change: no text of customers' numbers."""
    return f"{version} {blake2b(latest.encode(), digest_size=16).hexdigest()}"


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
