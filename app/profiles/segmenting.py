"""Making a shop's segmentation from its tables, at night and after an import, and applying it to all."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.child_process import run_in_child
from app.connections import Connections
from app.consent.barred import erased_since, look_and_write
from app.consent.standing import Use
from app.consent.standings import who_refuse
from app.jobs import Progress, exclusive_job, report_progress, request_job
from app.profiles.behaviour import Behaviour, matrix
from app.profiles.behaviour_store import (
    behaviour_of,
    behaviours,
    seen_of_browsers,
    seen_of_customers,
    window_begins,
)
from app.profiles.customer import PlacedOrder
from app.profiles.customer_profiles import histories_of, shop_currency
from app.profiles.history import next_customers, orders_of
from app.profiles.purchases import Orders, clean
from app.profiles.reviews import excluded_customers, find_candidates
from app.profiles.segmentation import Segmentation
from app.profiles.segmentation_training import Training, train_shop
from app.profiles.segments import count_segments, latest_segmentation, publish_segmentation
from app.profiles.store import rebuild
from app.profiles.thresholds import SETTING, Rules, read_rules
from app.segment_tables import SegmentationRow
from app.shops.store import get_shop
from app.shops.turns import shops_to_look_at
from app.tables import OrderRow
from app.upsert import table_of
from app.values import ShopDomain, zone_of

AGAIN_AFTER = timedelta(hours=23)  # a day, so that none is left out of what is told by day
_BATCH = 500
_SEGMENTATIONS, _ORDERS = table_of(SegmentationRow), table_of(OrderRow)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All that a training reads. placed: the orders by customer."""

    placed: Mapping[int, Sequence[PlacedOrder]]
    behaviours: Sequence[Behaviour]


async def segment_shop(connections: Connections, shop: ShopDomain) -> None:
    """Train the shop's segmentation on who may be profiled, and put every customer in their segments."""
    async with exclusive_job(connections, "segment", shop):
        stage = "failed"
        try:
            customers = await _segment(connections, shop)
            stage = "done"
        finally:
            await report_progress(connections, "segment", shop, Progress(stage, 1, 1))
    _log.info("segmented", extra={"shop": shop, "customers": customers})


async def _segment(connections: Connections, shop: ShopDomain) -> int:
    """Return how many customers it was learnt from."""
    now = datetime.now(UTC)
    facts = await _facts(connections, shop, now)
    await report_progress(connections, "segment", shop, Progress("training"))
    rules, previous = await _rules(connections, shop), await latest_segmentation(connections, shop)
    training = await _train(facts, rules, now, previous)
    await publish_segmentation(connections, shop, training.segmentation, report_of(training), now)
    await report_progress(connections, "segment", shop, Progress("applying"))
    await rebuild(connections, shop)
    # The training took its time; who was erased meanwhile is nobody to look at.
    async with look_and_write(connections, shop, "reviews"):
        gone = set(await erased_since(connections, shop, facts.placed, now))
        placed = {who: orders for who, orders in facts.placed.items() if who not in gone}
        await find_candidates(connections, shop, placed, rules.currency, now)
    await count_segments(connections, shop, f"{await _today(connections, shop, now):%Y-%m-%d}")
    if previous is None:  # Shopify's groups are kept beside segments: there were none to keep them beside
        await request_job(connections, "opt_outs", shop)
    return len(facts.placed)


async def request_due_segmentations(connections: Connections) -> None:
    """Ask for a segmentation of every shop with orders whose last one is a day old, or that has none."""
    now = datetime.now(UTC)
    for shop in await shops_to_look_at(connections, "segment"):
        made = select(func.max(_SEGMENTATIONS.c.trained_at)).where(_SEGMENTATIONS.c.shop == shop.shop)
        ordered = select(_ORDERS.c.order_id).where(_ORDERS.c.shop == shop.shop).limit(1)
        async with connections.read() as db:
            connection = await db.connection()
            trained_at, any_order = await connection.scalar(made), await connection.scalar(ordered)
        if any_order is not None and (trained_at is None or abs(now - trained_at) > AGAIN_AFTER):
            await request_job(connections, "segment", shop.shop)


def report_of(training: Training) -> dict[str, Any]:
    """Return what speaks for a segmentation, as JSON holds it. Pure."""
    found = training.clusters
    clusters = {
        "silhouette": found.clusters.silhouette if found.clusters else None,
        "silhouettes": {str(k): value for k, value in found.silhouettes.items()},
        "reference": found.reference,
        "reason": found.reason,
    }
    reports = {label: msgspec.to_builtins(report) for label, report in training.reports.items()}
    spend = None if training.spend is None else msgspec.to_builtins(training.spend)
    return {"clusters": clusters, "foreseen": reports, "spend": spend}


async def _train(facts: TrainingData, rules: Rules, now: datetime, previous: Segmentation | None) -> Training:
    """Return the training, made in a process of its own: it would take minutes out of this one's."""
    seconds = int(now.timestamp())
    purchases = clean(_columns(facts.placed), seconds)
    return await run_in_child(train_shop, purchases, matrix(facts.behaviours), rules, seconds, previous)


async def _facts(connections: Connections, shop: ShopDomain, now: datetime) -> TrainingData:
    """Return the orders and behaviours of everyone who may be profiled and learnt from, a batch at a time.

    Beside customers that is who only looked around, under analytics, which is what is stored of them.
    """
    refuse = await who_refuse(connections, shop, Use.PROFILE) | await who_refuse(connections, shop, Use.TRAIN)
    refuse |= await excluded_customers(connections, shop)
    currency, seconds = await shop_currency(connections, shop), int(now.timestamp())
    placed: dict[int, Sequence[PlacedOrder]] = {}
    behaving: list[Behaviour] = []
    after = 0
    async with connections.read() as db:
        while batch := await next_customers(db, shop, after, _BATCH):
            after = batch[-1]
            allowed = [who for who in batch if who not in refuse]
            part = await _part(db, shop, currency, allowed, seconds)
            placed |= part.placed
            behaving += part.behaviours
            await report_progress(connections, "segment", shop, Progress("reading", len(placed)))
        strangers = await seen_of_browsers(db, shop, window_begins(seconds))
    behaving += [behaviour_of((), seen, seconds) for seen in strangers]
    return TrainingData(placed, behaving)


async def _part(
    db: AsyncSession, shop: str, currency: str, customers: Sequence[int], now: int
) -> TrainingData:
    placed = await orders_of(db, shop, currency, customers)
    seen = await seen_of_customers(db, shop, customers, window_begins(now))
    histories = {who: histories_of(orders, now) for who, orders in placed.items()}
    return TrainingData(placed, list(behaviours(histories, seen, now).values()))


async def _today(connections: Connections, shop: str, now: datetime) -> date:
    """Return the day that it is in the shop."""
    known = await get_shop(connections, shop)
    return now.astimezone(zone_of(known.time_zone if known else "")).date()


async def _rules(connections: Connections, shop: str) -> Rules:
    """Return the merchant's own segments; none where the setting is absent."""
    known = await get_shop(connections, shop)
    currency = known.currency if known else "USD"
    return read_rules(known.settings.get(SETTING, []) if known else [], currency)


def _columns(placed: Mapping[int, Sequence[PlacedOrder]]) -> Orders:
    rows = [(who, order) for who, orders in placed.items() for order in orders if not order.cancelled]
    return Orders(
        order_ids=np.array([order.order_id for _, order in rows], dtype=np.int64),
        customer_ids=np.array([who for who, _ in rows], dtype=np.int64),
        placed_at=np.array([order.placed_at for _, order in rows], dtype=np.int64),
        amount_minor=np.array([order.total_minor for _, order in rows], dtype=np.int64),
        refunded_minor=np.array([order.refunded_minor for _, order in rows], dtype=np.int64),
        own_currency=np.array([order.own_currency for _, order in rows], dtype=bool),
    )
