"""Reads what an experiment's units did, from the database as it stands now.

Nothing is counted up as it comes in: what arrives late or twice leads to the figures of what came in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import polars as pl
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connections import Connections
from app.errors import NotFound
from app.experiments.analysis import Reading, analyse
from app.experiments.assign import HOLDOUT, STANDING
from app.experiments.design import Design, standing_design
from app.experiments.metrics import METRICS
from app.experiments.outcomes import AnalysisScope, DataQuality, Observations, observe
from app.experiments.record_store import DecisionQuery, nameless, read_records
from app.experiments.records import Records
from app.experiments.refusal import Cause, Refusal
from app.experiments.versions import Version, get_version
from app.shops.pausing import pauses_of
from app.tables import DecisionRow, ShopRow
from app.values import ShopDomain

EVER = datetime(2000, 1, 1, tzinfo=UTC)

# Columns, not values: what the row's annotations say holds for an instance only.
_decision: Any = DecisionRow


class Readout(msgspec.Struct, frozen=True):
    """One version, how many there are of it and what they show: no person of it.

    counts: persons per arm; completed: those of them whose window is over. nameless_by_arm: decisions of
    visitors who did not allow to be remembered, so that nothing follows from them, of each arm that has any.
    vouched: see `Observations`.
    """

    design: Design
    version: str
    currency: str
    counts: tuple[int, ...]
    completed: tuple[int, ...]
    aside: DataQuality
    recognised: tuple[int, ...]
    reading: Reading
    nameless_by_arm: dict[str, int] = {}
    vouched: tuple[int, ...] = ()

    @property
    def nameless(self) -> int:
        """Return how many decisions are nobody's."""
        return sum(self.nameless_by_arm.values())


class Period(NamedTuple):
    """Persons who came first at `begin` or later, None for all of them, as `now` knows them.

    vouched: only those who are, see `Observations`.
    """

    begin: datetime | None
    now: datetime
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class _VersionRecords:
    """What is known of a version. nobodys: by arm, see `Readout`. untouched: see `AnalysisScope`."""

    records: Records
    nobodys: dict[str, int]
    currency: str
    untouched: datetime | None


async def read_out(
    connections: Connections,
    shop: ShopDomain,
    experiment_id: str,
    now: datetime,
    version: str | None = None,
    begin: datetime | None = None,
    vouched: bool = False,
) -> Readout:
    """Return what the experiment shows. version: else the latest that was started.

    begin: only persons who came first then or later, by all that is known of who came before. vouched: see
    `Period`.

    Raises NotFound without the experiment, InputError for a version that can't be one.
    """
    (found,) = await read_outs(connections, shop, experiment_id, [Period(begin, now, vouched)], version)
    return found


async def read_outs(
    connections: Connections,
    shop: ShopDomain,
    experiment_id: str,
    periods: Sequence[Period],
    version: str | None = None,
) -> list[Readout]:
    """Return what the experiment shows of each of at least one period, by records that are read once.

    Raises as `read_out`.
    """
    ended: datetime | None = None
    ran: tuple[datetime | None, datetime | None] = (None, None)
    if experiment_id == STANDING:
        version = version or await latest_standing(connections, shop)
        design = standing_design(version)
    else:
        found = await version_named(connections, shop, experiment_id, version)
        design, version, ended, ran = found.design, str(found.version), found.stopped_at, found.ran
    told = await _version_records(connections, shop, design, version, max(each.now for each in periods), *ran)
    readouts = []
    for period in periods:
        observed = await _observed(told, design, period, ended)
        readouts.append(
            await asyncio.to_thread(readout_of, observed, design, version, told.currency, told.nobodys)
        )
    return readouts


async def observed_since(
    connections: Connections,
    shop: ShopDomain,
    designs: Mapping[datetime, Design],
    version: str,
    now: datetime,
) -> dict[datetime, Observations]:
    """Return what persons did as if the decisions since then were all, by when that is.

    designs: of one experiment, as it is looked at since then.
    """
    earliest = min(designs)
    told, found = await _version_records(connections, shop, designs[earliest], version, now, earliest), {}
    for since, design in designs.items():
        late = told.records.exposures.filter(pl.col("at") >= since)
        part = replace(told, records=replace(told.records, exposures=late))
        found[since] = await _observed(part, design, Period(None, now))
    return found


async def _version_records(
    connections: Connections,
    shop: ShopDomain,
    design: Design,
    version: str,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> _VersionRecords:
    which = DecisionQuery(shop, design.id, version, since or EVER, until)
    async with connections.read() as db:
        known = await db.get(ShopRow, shop)
        if known is None:
            raise NotFound(f"{shop} was never installed")
        connection = await db.connection()
        records = await read_records(connection, known, which, timedelta(days=design.before_days), now)
        records = replace(records, orders=_unpaused(records.orders, known.settings))
        nobodys = await nameless(connection, which)
        # Other shares leave most units where they are, so that the arm they came from is the one they are in.
        untouched = await _untouched(connection, known) if design.id == STANDING else None
    return _VersionRecords(records, nobodys, known.currency, untouched)


def _unpaused(orders: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Return the orders without those of the shop's pauses: no arm was served then, so they are of none."""
    for each in pauses_of(settings):
        after = pl.lit(value=False) if each.ended_at is None else pl.col("at") >= each.ended_at
        orders = orders.filter((pl.col("at") < each.began_at) | after)
    return orders


async def _untouched(connection: AsyncConnection, known: ShopRow) -> datetime:
    """Return until when nobody was in any arm: when the shop was installed, or first, where it came back."""
    earliest = select(func.min(_decision.decided_at)).where(_decision.shop == known.shop)
    first = await connection.scalar(earliest)
    return min(known.installed_at, first or known.installed_at)


async def _observed(
    told: _VersionRecords, design: Design, period: Period, ended: datetime | None = None
) -> Observations:
    window, before = timedelta(days=design.window_days), timedelta(days=design.before_days)
    arms = tuple(design.shares)
    scope = AnalysisScope(
        arms, window, before, period.now, period.begin, ended, told.untouched, period.vouched
    )
    # In a thread: a large experiment must not keep others waiting.
    return await asyncio.to_thread(observe, told.records, scope)


def readout_of(
    observed: Observations, design: Design, version: str, currency: str, nobodys: dict[str, int]
) -> Readout:
    """Return what was observed of the version. nobodys: see `Readout`."""
    return Readout(
        design=design,
        version=version,
        currency=currency,
        counts=observed.counts,
        completed=tuple(observed.units.counts(len(design.arms))),
        aside=observed.aside,
        recognised=observed.recognised,
        reading=reading_of(observed, design),
        nameless_by_arm=nobodys,
        vouched=observed.vouched,
    )


def reading_of(observed: Observations, design: Design) -> Reading:
    """Return what was observed as figures, but for those that would mislead, which are refused.

    Of money where it came in several currencies, and of who accepts offers beside a holdout, which has none.
    """
    found = analyse(observed.units, design.plan, observed.counts, observed.recognised)
    told = dict(found.metrics)
    if design.id == STANDING and design.control == HOLDOUT and not isinstance(told["acceptance"], Refusal):
        told["acceptance"] = Refusal(
            Cause.NOTHING_VARIES, "the holdout is offered nothing, so that nobody of it could accept an offer"
        )
    if observed.aside.foreign:
        told |= dict.fromkeys((name for name, each in METRICS.items() if each.money), _foreign(observed))
    return replace(found, metrics=told)


def _foreign(observed: Observations) -> Refusal:
    return Refusal(
        Cause.CURRENCIES,
        f"{observed.aside.foreign} orders were in another currency than the shop's; money does not add up",
    )


async def version_named(
    connections: Connections, shop: ShopDomain, experiment_id: str, number: str | None
) -> Version:
    """Return that version, else the latest that was started. Raises NotFound, also for no number."""
    wanted = None if number is None else int(number) if number.isdecimal() else -1
    return await get_version(connections, shop, experiment_id, wanted)


async def latest_standing(connections: Connections, shop: str) -> str:
    """Return the standing experiment's version of the latest decision. Raises NotFound without one."""
    query = (
        select(_decision.inputs[("experiments", STANDING, 0)].as_string())
        .where(
            _decision.shop == shop, _decision.inputs[("experiments", STANDING, 0)].as_string().is_not(None)
        )
        .order_by(_decision.decided_at.desc())
        .limit(1)
    )
    version: str | None = await connections.scalar(query)
    if version is None:
        raise NotFound(f"{shop} has made no decision yet that tells its arm")
    return version
