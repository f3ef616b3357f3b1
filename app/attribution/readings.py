"""Experiment readouts and baselines of large shops, precomputed for their pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from app.attribution.served import are_more
from app.connections import Connections
from app.errors import NotFound
from app.experiments.assign import STANDING
from app.experiments.baseline import Baseline, baselines_of
from app.experiments.store import Period, Readout, latest_standing, read_outs, version_named
from app.experiments.versions import Version, versions
from app.values import ShopDomain

# What hardly changes: once all windows of a version that was stopped are over, late refunds alone change it.
STEADY = timedelta(days=1)
# How long a planned experiment follows a shopper, of those that are worked out ahead.
WINDOWS_DAYS = (7, 14, 21, 28, 30)


class StoredBaselines(msgspec.Struct, frozen=True):
    """What a planned experiment starts from, by days of its window and metric, and when that was read."""

    read_at: datetime
    of: Mapping[int, Mapping[str, Baseline]]


class StoredReadout(msgspec.Struct, frozen=True):
    """What a version shows, and when that was read.

    vouched: of those alone whom Shopify vouches for, None in what an earlier version of the app kept.
    """

    read_at: datetime
    readout: Readout
    vouched: Readout | None = None


def key_of(experiment_id: str, version: str | int) -> str:
    """Return what a version's reading is kept under."""
    return f"{experiment_id}/{version}"


async def key_ahead(
    connections: Connections, shop: ShopDomain, experiment_id: str, number: str | None, many: int
) -> str | None:
    """Return what the reading is kept under, None of one that is read while somebody waits.

    number: its version, else the latest that was started. Raises NotFound without it.
    """
    if experiment_id == STANDING:
        latest = await latest_standing(connections, shop)
        return key_of(STANDING, latest) if number in (None, latest) else None
    version = await version_named(connections, shop, experiment_id, number)
    is_kept = await is_long(connections, version, many)
    return key_of(experiment_id, version.version) if is_kept else None


async def is_long(connections: Connections, version: Version, many: int) -> bool:
    """Return whether more decisions than that were made while the version ran."""
    begin, end = version.ran
    return begin is not None and await are_more(connections, version.shop, begin, many, end)


async def read_versions(
    connections: Connections, shop: ShopDomain, now: datetime, many: int, before: Mapping[str, StoredReadout]
) -> dict[str, StoredReadout]:
    """Return what each version shows that runs or has more decisions than that; what ended, from before."""
    found: dict[str, StoredReadout] = {}
    for version in await versions(connections, shop):
        key = key_of(version.design.id, version.version)
        if version.status != "running" and not await is_long(connections, version, many):
            continue
        known = before.get(key)
        if known is None or not _stays(version, known, now):
            periods, number = [Period(None, now), Period(None, now, vouched=True)], str(version.version)
            known = StoredReadout(
                now, *await read_outs(connections, shop, version.design.id, periods, number)
            )
        found[key] = known
    return found


async def read_bases(
    connections: Connections, shop: ShopDomain, now: datetime, before: StoredBaselines | None
) -> StoredBaselines:
    """Return what experiments start from; what was read of late, from before."""
    if before is not None and abs(now - before.read_at) < STEADY:
        return before
    try:
        return StoredBaselines(now, await baselines_of(connections, shop, WINDOWS_DAYS, now))
    except NotFound:  # no decision tells its arm
        return StoredBaselines(now, {})


def _stays(version: Version, known: StoredReadout, now: datetime) -> bool:
    over = (version.stopped_at or now) + timedelta(days=version.design.window_days)
    return known.vouched is not None and over < known.read_at and abs(now - known.read_at) < STEADY
