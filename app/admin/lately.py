"""Recent figures for the pages: computed on request, or for large shops as the worker precomputed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

from app.attribution.figures import (
    CHART_DAYS,
    MONTH,
    PERIODS,
    Caused,
    Month,
    is_large,
    kept_figures,
    key_of_ahead,
    read_month,
)
from app.attribution.models import Model
from app.attribution.report import Report
from app.attribution.sold import credited, incremental, incremental_by_day
from app.connections import Connections
from app.experiments.baseline import Baseline, baseline_of
from app.experiments.store import Readout, read_out
from app.ttl_cache import TtlCache
from app.values import ShopDomain

Value = TypeVar("Value")
ByDay = Sequence[tuple[datetime, Caused]]


@dataclass(frozen=True, slots=True)
class Dated(Generic[Value]):
    """A large shop's value and when it was worked out, None while it never was; else the value as it is."""

    value: Value | None
    as_of: datetime | None = None

    @property
    def is_awaited(self) -> bool:
        """Return whether it is being worked out for the first time."""
        return self.value is None


async def month(connections: Connections, shop: ShopDomain) -> Dated[Month]:
    """Return what the first page tells of the last 30 days."""
    if await _large.of(connections, shop):
        kept = await kept_figures(connections, shop)
        return Dated(kept.month, kept.read_at) if kept else Dated(None)
    caused = await _caused[MONTH.days].of(connections, shop)
    return Dated(await read_month(connections, shop, datetime.now(UTC), caused))


async def by_day(connections: Connections, shop: ShopDomain) -> Dated[ByDay]:
    """Return what was caused in the 30 days before each of the last days."""
    if await _large.of(connections, shop):
        kept = await kept_figures(connections, shop)
        return Dated(kept.by_day, kept.read_at) if kept else Dated(None)
    return Dated(await _by_day.of(connections, shop))


async def earned(connections: Connections, shop: ShopDomain, days: int, model: Model) -> Dated[Report]:
    """Return what was sold, credited and caused in so many days, of PERIODS."""
    if await _large.of(connections, shop):
        kept = await kept_figures(connections, shop)
        return Dated(kept.earned[days][model], kept.read_at) if kept else Dated(None)
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    ((found,),) = await credited(connections, shop, [model], [since], now)
    return Dated(found.report(await _caused[days].of(connections, shop), since))


async def shown(
    connections: Connections, shop: ShopDomain, experiment_id: str, number: str | None, vouched: bool = False
) -> Dated[Readout]:
    """Return what an experiment shows. number: its version, else the latest that was started.

    vouched: of those alone whom Shopify vouches for. Raises as `read_out`.
    """
    ahead = await _large.of(connections, shop)
    if ahead and (key := await key_of_ahead(connections, shop, experiment_id, number)):
        kept = await kept_figures(connections, shop)
        found = kept.shown.get(key) if kept else None
        readout = found and (found.vouched if vouched else found.readout)
        return Dated(readout, found.read_at) if found and readout else Dated(None)
    now = datetime.now(UTC)
    return Dated(await read_out(connections, shop, experiment_id, now, number, vouched=vouched))


async def base(connections: Connections, shop: ShopDomain, metric: str, window_days: int) -> Baseline:
    """Return what a planned experiment starts from. Raises as `baseline_of`."""
    if await _large.of(connections, shop) and (kept := await kept_figures(connections, shop)):
        known = kept.bases.of.get(window_days, {})
        if metric in known:
            return known[metric]
    return await baseline_of(connections, shop, metric, window_days, datetime.now(UTC))


async def _read_caused(days: int, connections: Connections, shop: str) -> Caused:
    now = datetime.now(UTC)
    return await incremental(connections, ShopDomain(shop), now - timedelta(days=days), now)


async def _read_by_day(connections: Connections, shop: str) -> ByDay:
    return await incremental_by_day(connections, ShopDomain(shop), MONTH, CHART_DAYS, datetime.now(UTC))


_large = TtlCache(is_large, for_s=60)
# They read every decision of the experiment, and change slowly. By the days before: another way to share
# credit changes nothing in what was caused.
_caused = {days: TtlCache(partial(_read_caused, days), for_s=60) for days in PERIODS}
_by_day = TtlCache(_read_by_day, for_s=3600)
