"""Reads what an experiment's units did, from the database as it stands now.

Nothing is counted up as it comes in: what arrives late or twice leads to the figures of what came in time.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select

from app.connections import Connections
from app.errors import NotFound
from app.experiments.analysis import Reading, read
from app.experiments.assign import STANDING
from app.experiments.design import Design, standing_design
from app.experiments.metrics import METRICS
from app.experiments.outcomes import Frame, Observed, observe
from app.experiments.record_store import Which, nameless, read_records
from app.experiments.refusal import Cause, Refusal
from app.experiments.versions import get_version
from app.tables import DecisionRow, ShopRow
from app.values import ShopDomain

EVER = datetime(2000, 1, 1, tzinfo=UTC)

# Columns, not values: what the row's annotations say holds for an instance only.
_decision: Any = DecisionRow


class Readout(msgspec.Struct, frozen=True):
    """One version, what there is of it and what that shows.

    nameless: decisions of visitors who did not allow to be remembered, so that nothing follows from them;
    nameless_by_arm: the same of each arm that has any.
    """

    design: Design
    version: str
    currency: str
    observed: Observed
    nameless: int
    reading: Reading
    nameless_by_arm: dict[str, int] = {}


async def read_out(
    connections: Connections,
    shop: ShopDomain,
    experiment_id: str,
    now: datetime,
    version: str | None = None,
    begin: datetime | None = None,
) -> Readout:
    """Return what the experiment shows. version: else the latest that was started.

    begin: only persons who came first then or later, by all that is known of who came before.

    Raises NotFound without the experiment, InputError for a version that can't be one.
    """
    ended = None
    if experiment_id == STANDING:
        version = version or await latest_standing(connections, shop)
        design = standing_design(version)
    else:
        number = None if version is None else int(version) if version.isdecimal() else -1
        found = await get_version(connections, shop, experiment_id, number)
        design, version, ended = found.design, str(found.version), found.stopped_at
    observed, nobodys, currency = await observed_of(
        connections, shop, design, version, now, begin=begin, ended=ended
    )
    reading = await asyncio.to_thread(reading_of, observed, design)
    return Readout(design, version, currency, observed, sum(nobodys.values()), reading, nobodys)


async def observed_of(
    connections: Connections,
    shop: ShopDomain,
    design: Design,
    version: str,
    now: datetime,
    since: datetime = EVER,
    begin: datetime | None = None,
    ended: datetime | None = None,
) -> tuple[Observed, dict[str, int], str]:
    """Return what the version's persons did, by arm how many decisions are nobody's, and the shop's currency.

    since: only decisions from then on are read. begin, ended: see `Frame`.
    """
    window, before = timedelta(days=design.window_days), timedelta(days=design.before_days)
    which = Which(shop, design.id, version, since)
    async with connections.read() as db:
        known = await db.get(ShopRow, shop)
        if known is None:
            raise NotFound(f"{shop} was never installed")
        connection = await db.connection()
        records = await read_records(connection, known, which, before, now)
        nobodys = await nameless(connection, which)
    # Other shares leave most units where they are, so that the arm they came from is the one they are in.
    untouched = known.installed_at if design.id == STANDING else None
    frame = Frame(tuple(design.shares), window, before, now, begin, ended, untouched)
    # In a thread: a large experiment must not keep others waiting.
    return await asyncio.to_thread(observe, records, frame), nobodys, known.currency


def reading_of(observed: Observed, design: Design) -> Reading:
    """Return what was observed as figures; none of money where it came in several currencies."""
    found = read(observed.units, design.terms, observed.counts, observed.recognised)
    if not observed.aside.foreign:
        return found
    refused = Refusal(
        Cause.CURRENCIES,
        f"{observed.aside.foreign} orders were in another currency than the shop's; money does not add up",
    )
    metrics = {name: refused if METRICS[name].money else each for name, each in found.metrics.items()}
    return replace(found, metrics=metrics)


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
    async with connections.read() as db:
        version: str | None = (await (await db.connection()).scalars(query)).first()
    if version is None:
        raise NotFound(f"{shop} has made no decision yet that tells its arm")
    return version
