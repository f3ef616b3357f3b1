"""Monitors a shop's model for drift, latest decisions against earlier ones, and triggers a retraining."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Table, and_, func, select

from app.connections import Connections
from app.errors import ModelUnusable
from app.jobs import exclusive_job, request_job
from app.recommend.drift import Calibration, Shift, calibration, shifts
from app.recommend.drift_samples import LoggedRanking, window_sample
from app.recommend.model import Model
from app.recommend.publish import latest
from app.shops.turns import shops_to_look_at
from app.tables import DecisionRow, FeedbackRow, ModelRow, OrderLineRow, WatchRow
from app.upsert import chunks, table_of, upsert
from app.values import ShopDomain, shopify_id

NOW_DAYS, BEFORE_DAYS = 7, 28
MOST = 2_000  # decisions of a window that are looked at, the latest
LOOK_EVERY = timedelta(hours=6)
_DECISIONS, _FEEDBACK, _LINES = table_of(DecisionRow), table_of(FeedbackRow), table_of(OrderLineRow)
_MODELS, _WATCHES = table_of(ModelRow), table_of(WatchRow)
_log = logging.getLogger(__name__)


class DriftReport(msgspec.Struct, frozen=True):
    """What the last look found. decisions: of the later window and of the one before it.

    since: when what is wrong now was first seen, None where nothing is.
    """

    looked_at: datetime
    decisions: tuple[int, int]
    shifts: list[Shift]
    calibration: Calibration | None
    since: datetime | None = None

    @property
    def wrong(self) -> bool:
        """Return whether the model does not fit what happens any more."""
        return bool(self.shifts) or (self.calibration is not None and self.calibration.off)


@dataclass(frozen=True, slots=True)
class _Windows:
    now: list[LoggedRanking]
    before: list[LoggedRanking]


async def watch_shop(connections: Connections, shop: ShopDomain) -> DriftReport | None:
    """Check the shop's model for drift and return the findings, None where there is no readable model.

    A training is requested for drift unless one was done since it began.
    """
    async with exclusive_job(connections, "watch", shop):
        now = datetime.now(UTC)
        try:
            model = await asyncio.to_thread(latest, connections.settings.data_dir, shop)
        except ModelUnusable:
            return None
        if model is None:
            return None
        windows = await _windows(connections, shop, now)
        watch = await asyncio.to_thread(_looked, model, windows, now)
        earlier = await last_watch(connections, shop)
        if watch.wrong:
            since = earlier.since if earlier and earlier.since else now
            watch = msgspec.structs.replace(watch, since=since)
        await _keep(connections, shop, watch)
    if watch.since is not None and await _untrained_since(connections, shop, watch.since):
        _log.warning("a model fits no more", extra={"shop": shop, "reason": reason(watch)})
        await request_job(connections, "train", shop)
    return watch


async def request_due_watches(connections: Connections) -> None:
    """Ask for a look at every shop that was not looked at for six hours and decided since."""
    for shop in await shops_to_look_at(connections, "watch"):
        watch = await last_watch(connections, shop.shop)
        rested = watch is None or abs(datetime.now(UTC) - watch.looked_at) >= LOOK_EVERY
        if rested and await _decided(connections, shop.shop):
            await request_job(connections, "watch", shop.shop)


async def last_watch(connections: Connections, shop: str) -> DriftReport | None:
    """Return what the last look at the shop's model found, None before the first."""
    query = select(_WATCHES.c.content).where(_WATCHES.c.shop == shop)
    content = await connections.scalar(query)
    return None if content is None else msgspec.convert(content, DriftReport)


def reason(watch: DriftReport) -> str:
    """Return in one line what does not fit any more. Pure."""
    found = [f"{each.measure} shifted (PSI {each.psi:.2f})" for each in watch.shifts[:3]]
    if watch.calibration is not None and watch.calibration.off:
        found.append(f"{watch.calibration.ratio:.0%} of what was promised is accepted")
    return "; ".join(found)


def _looked(model: Model, windows: _Windows, now: datetime) -> DriftReport:
    before, later = window_sample(model, windows.before), window_sample(model, windows.now)
    return DriftReport(
        now,
        (len(windows.now), len(windows.before)),
        shifts(before.measures, later.measures),
        calibration(before.shown, later.shown),
    )


async def _windows(connections: Connections, shop: str, now: datetime) -> _Windows:
    border, first = now - timedelta(days=NOW_DAYS), now - timedelta(days=NOW_DAYS + BEFORE_DAYS)
    return _Windows(
        await _logged(connections, shop, border, now), await _logged(connections, shop, first, border)
    )


async def _logged(
    connections: Connections, shop: str, since: datetime, until: datetime
) -> list[LoggedRanking]:
    """Return the latest decisions of a time that the model made, with what became of their offers."""
    columns = _DECISIONS.c
    query = (
        select(columns.decision_id, columns.inputs, columns.answer)
        .where(columns.shop == shop, columns.decided_at > since, columns.decided_at <= until)
        .where(columns.arm == "personalised", columns.fallback.is_(None))
        .order_by(columns.decided_at.desc())
        .limit(MOST)
    )
    rows = await connections.rows(query)
    ids = [row.decision_id for row in rows if row.inputs]
    shown = await _became(connections, _FEEDBACK, shop, ids, "shown")
    accepted = await _became(connections, _FEEDBACK, shop, ids, "accepted")
    accepted |= await _became(connections, _LINES, shop, ids)
    return [_as_logged(row, shown, accepted) for row in rows if row.inputs]


async def _became(
    connections: Connections, table: Table, shop: str, decision_ids: Sequence[str], kind: str | None = None
) -> set[tuple[str, str]]:
    """Return which offers, by decision, the table says this of."""
    found: set[tuple[str, str]] = set()
    async with connections.read() as db:
        for part in chunks(decision_ids):
            query = select(table.c.decision_id, table.c.offer_id).where(
                table.c.shop == shop, table.c.decision_id.in_(part), table.c.offer_id.is_not(None)
            )
            if kind is not None:
                query = query.where(table.c.kind == kind)
            found |= {tuple(row) for row in await (await db.connection()).execute(query)}
    return found


def _as_logged(row: Any, shown: set[tuple[str, str]], accepted: set[tuple[str, str]]) -> LoggedRanking:
    """Return the decision with the offers that the ranking made."""
    offers = [
        (row.decision_id, str(each.get("offer_id")), shopify_id(each["product"]["product_id"]))
        for each in (row.answer or {}).get("offers") or ()
        if each.get("product") and not each.get("campaign")
    ]
    names = [(decision, offer) for decision, offer, _ in offers]
    return LoggedRanking(
        situation=row.inputs.get("situation") or {},
        offered=tuple(product_id for _, _, product_id in offers),
        shown=tuple(each in shown or each in accepted for each in names),
        accepted=tuple(each in accepted for each in names),
    )


async def _keep(connections: Connections, shop: str, watch: DriftReport) -> None:
    row = {"shop": shop, "looked_at": watch.looked_at, "content": msgspec.to_builtins(watch)}
    async with connections.write() as db:
        await upsert(db, WatchRow, [row])


async def _untrained_since(connections: Connections, shop: str, since: datetime) -> bool:
    query = select(func.max(_MODELS.c.trained_at)).where(_MODELS.c.shop == shop)
    trained_at = await connections.scalar(query)
    return trained_at is None or trained_at < since


async def _decided(connections: Connections, shop: str) -> bool:
    since = datetime.now(UTC) - timedelta(days=NOW_DAYS)
    query = select(_DECISIONS.c.decision_id).where(
        and_(_DECISIONS.c.shop == shop, _DECISIONS.c.decided_at > since)
    )
    return await connections.row(query.limit(1)) is not None
