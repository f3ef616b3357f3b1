"""How a shop has changed since its model was trained, and the trainings that follow from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import func, select

from app.connections import Connections, redis_key
from app.jobs import request_job
from app.recommend.card import Card
from app.recommend.drift_watch import last_watch
from app.recommend.due import Growth, due
from app.shops.turns import shops_to_look_at
from app.tables import ModelRow, OrderRow, ProductRow
from app.upsert import table_of

_MODELS, _ORDERS, _PRODUCTS = table_of(ModelRow), table_of(OrderRow), table_of(ProductRow)


async def request_due_training(connections: Connections) -> None:
    """Ask for a training in full, or to go on with new orders, wherever that is due."""
    for shop in await shops_to_look_at(connections, "retrain"):
        growth = await growth_of(connections, shop.shop)
        job = None if growth is None else due(growth, datetime.now(UTC))
        if job == "resume" and await connections.redis.exists(redis_key(shop.shop, "resting", "resume")):
            continue
        if job is not None:
            await request_job(connections, job, shop.shop)


async def growth_of(connections: Connections, shop: str) -> Growth | None:
    """Return how the shop has changed, None before its first training, which the import asks for."""
    async with connections.read() as db:
        connection = await db.connection()
        latest = select(_MODELS).where(_MODELS.c.shop == shop).order_by(_MODELS.c.trained_at.desc()).limit(1)
        row = (await connection.execute(latest)).first()
        if row is None:
            return None
        full_at, learnt_at, card = _moments(row)
        orders = select(func.count()).select_from(_ORDERS).where(_ORDERS.c.shop == shop)
        new = int(await connection.scalar(orders.where(_ORDERS.c.created_at > full_at)) or 0)
        unlearnt = int(await connection.scalar(orders.where(_ORDERS.c.created_at > learnt_at)) or 0)
        products = select(func.count()).select_from(_PRODUCTS).where(_PRODUCTS.c.shop == shop)
        came = int(await connection.scalar(products.where(_PRODUCTS.c.created_at > full_at)) or 0)
    watch = await last_watch(connections, shop)
    counts = card.counts if card else {}
    return Growth(
        full_at=full_at,
        learnt_at=learnt_at,
        orders=counts.get("orders", 0),
        new_orders=new,
        products=counts.get("products", 0),
        new_products=came,
        unlearnt=unlearnt,
        learns=card is not None and card.basis == "blend",
        drifted_at=watch.since if watch else None,
    )


def _moments(row: Any) -> tuple[datetime, datetime, Card | None]:
    """Return when the version was trained in full, when it last learnt, and its card if it can be read."""
    try:
        card = msgspec.convert(row.card, Card)
    except msgspec.ValidationError:
        return row.trained_at, row.trained_at, None
    return card.learnt_in_full_at or row.trained_at, row.trained_at, card
