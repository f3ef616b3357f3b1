"""The dashboard's figures of the last days; for large shops the worker precomputes and stores them.

Its figures can't be added up day by day: a shopper's first visit, the caps of large orders and who is one
person are found over the whole period. So the results are kept, and no shopper of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar, get_args

import msgspec

from app.attribution.attribute import OfferCounts, Revenue
from app.attribution.kpis import Kpi
from app.attribution.models import Model
from app.attribution.overall import overall
from app.attribution.readings import (
    StoredBaselines,
    StoredReadout,
    key_ahead,
    key_of,
    read_bases,
    read_versions,
)
from app.attribution.report import Incremental, Report
from app.attribution.served import Served, are_more, served
from app.attribution.sold import caused_of, credited, standing
from app.attribution.store import attributed_revenue, offer_counts
from app.child_process import run_in_child
from app.config import Settings
from app.connections import Connections, connect, redis_key
from app.experiments.assign import STANDING
from app.experiments.refusal import Refusal
from app.experiments.store import Period
from app.jobs import exclusive_job, request_job
from app.shops.store import get_shop
from app.shops.turns import shops_to_look_at
from app.values import ShopDomain

MONTH = timedelta(days=30)
CHART_DAYS = 14
PERIODS = (7, 30, 90)
MOST_GROUPS = 12  # of each kind, the largest: as many as the page shows
# Decisions of a month. Fewer are read while somebody waits.
MANY = 20_000
AGAIN_AFTER = timedelta(minutes=20)
# How many times as long as it took nothing is worked out anew: a twentieth of one processor, at most.
RESTS = 20
_KEPT_FOR = timedelta(days=7)

Caused = Incremental | Refusal
Kept = TypeVar("Kept")


class Month(msgspec.Struct, frozen=True):
    """What the first page tells of the last 30 days. kpis: of everybody."""

    currency: str
    caused: Caused
    kpis: tuple[Kpi, ...]
    revenue: Revenue
    counts: OfferCounts
    served: Served


class ShopFigures(msgspec.Struct, frozen=True):
    """All that is told of a large shop. by_day: what was caused, as each of the last days knew it.

    earned: by days before and by the model that shares credit, with the largest groups alone. shown: what
    experiments show, by `key_of`. bases: what one that is planned starts from.
    """

    read_at: datetime
    took_s: float
    month: Month
    by_day: tuple[tuple[datetime, Caused], ...]
    earned: Mapping[int, Mapping[Model, Report]]
    shown: Mapping[str, StoredReadout]
    bases: StoredBaselines


async def is_large(connections: Connections, shop: str) -> bool:
    """Return whether the shop's figures are worked out ahead."""
    return await are_more(connections, shop, datetime.now(UTC) - MONTH, MANY)


async def kept_figures(connections: Connections, shop: str) -> ShopFigures | None:
    """Return a large shop's figures as last worked out; None before the first time, which is asked for."""
    kept = await _kept(connections, shop, ShopFigures)
    if kept is None:
        await _ask_for(connections, shop)
    return kept


async def key_of_ahead(
    connections: Connections, shop: ShopDomain, experiment_id: str, number: str | None
) -> str | None:
    """Return what a large shop's reading is kept under in its figures, see `key_ahead`."""
    return await key_ahead(connections, shop, experiment_id, number, MANY)


async def request_due_figures(connections: Connections) -> None:
    """Ask for the figures of every large shop whose last ones are old."""
    now = datetime.now(UTC)
    for shop in await shops_to_look_at(connections, "figures"):
        last = await _kept(connections, shop.shop, _Last)
        if (last is None or last.is_old(now)) and await is_large(connections, shop.shop):
            await _ask_for(connections, shop.shop)


async def keep_figures(connections: Connections, shop: ShopDomain) -> None:
    """Work out a shop's figures in a process of their own, and keep them for its pages."""
    async with exclusive_job(connections, "figures", shop):
        if await get_shop(connections, shop) is None:
            return
        await connections.redis.set(_tried(shop), 1, ex=AGAIN_AFTER)
        packed = await run_in_child(_read_apart, connections.settings, connections.redis_url, shop)
        if await get_shop(connections, shop) is not None:  # erased meanwhile, and stays so
            await connections.redis.set(_key(shop), packed, ex=_KEPT_FOR)


async def _ask_for(connections: Connections, shop: str) -> None:
    """Ask for the figures, unless that was tried a moment ago: it may fail for want of memory, each time."""
    if not await connections.redis.exists(_tried(shop)):
        await request_job(connections, "figures", shop)


async def _kept(connections: Connections, shop: str, kind: type[Kept]) -> Kept | None:
    """Return what is kept; None also of what another version of the app kept in another layout."""
    packed: Any = await connections.redis.get(_key(shop))
    try:
        return msgspec.msgpack.decode(packed, type=kind) if packed else None
    except msgspec.ValidationError:
        return None


async def read_figures(connections: Connections, shop: ShopDomain, now: datetime) -> ShopFigures:
    """Return a shop's figures."""
    begun, before = monotonic(), await _kept(connections, shop, ShopFigures)
    days = [now - timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    periods = [Period(now - timedelta(days=each), now) for each in PERIODS]
    periods += [Period(day - MONTH, day) for day in days]
    ever = Period(None, now), Period(None, now, vouched=True)
    found = await standing(connections, shop, [*ever, *periods])
    told = caused_of(found if isinstance(found, Refusal) else found[len(ever) :], len(periods))
    caused = dict(zip(PERIODS, told, strict=False))
    earned = await _earned(connections, shop, now, caused)
    month = await read_month(connections, shop, now, caused[MONTH.days])
    by_day = tuple(zip(days, told[len(PERIODS) :], strict=True))
    shown = await read_versions(connections, shop, now, MANY, before.shown if before else {})
    if not isinstance(found, Refusal):
        shown[key_of(STANDING, found[0].version)] = StoredReadout(now, found[0], found[1])
    bases = await read_bases(connections, shop, now, before.bases if before else None)
    return ShopFigures(now, monotonic() - begun, month, by_day, earned, shown, bases)


async def read_month(connections: Connections, shop: ShopDomain, now: datetime, caused: Caused) -> Month:
    """Return what the first page tells, beside what is known to be caused."""
    kpis, currency = await overall(connections, shop, now - MONTH, now)
    return Month(
        currency=currency,
        caused=caused,
        kpis=tuple(kpis),
        revenue=await attributed_revenue(connections, shop, now - MONTH),
        counts=await offer_counts(connections, shop, now - MONTH),
        served=await served(connections, shop, now - MONTH),
    )


async def _earned(
    connections: Connections, shop: ShopDomain, now: datetime, caused: Mapping[int, Caused]
) -> dict[int, dict[Model, Report]]:
    models, longest_first = get_args(Model), sorted(PERIODS, reverse=True)
    begins = [now - timedelta(days=each) for each in longest_first]
    found = await credited(connections, shop, models, begins, now)
    return {
        days: {
            model: _largest(tally.report(caused[days], begin))
            for model, tally in zip(models, tallies, strict=True)
        }
        for days, begin, tallies in zip(longest_first, begins, found, strict=True)
    }


def _largest(report: Report) -> Report:
    groups = {by: dict(list(shares.items())[:MOST_GROUPS]) for by, shares in report.groups.items()}
    return replace(report, groups=groups)


class _Last(msgspec.Struct, frozen=True):
    """When a shop's figures were worked out, and how long that took."""

    read_at: datetime
    took_s: float

    def is_old(self, now: datetime) -> bool:
        """Return whether they are due again, also where a clock was put back."""
        return abs(now - self.read_at) > max(AGAIN_AFTER, RESTS * timedelta(seconds=self.took_s))


def _read_apart(settings: Settings, redis_url: str, shop: ShopDomain) -> bytes:
    async def read() -> bytes:
        async with connect(settings, redis_url) as connections:
            return msgspec.msgpack.encode(await read_figures(connections, shop, datetime.now(UTC)))

    return asyncio.run(read())


def _key(shop: str) -> str:
    return redis_key(shop, "figures")


def _tried(shop: str) -> str:
    return redis_key(shop, "figures", "tried")
