"""Reads what an experiment's units did, from the database as it stands now.

Nothing is counted up as it comes in: what arrives late or twice leads to the figures of what came in time.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.errors import NotFound
from app.experiments.analysis import Reading, read
from app.experiments.assign import STANDING
from app.experiments.design import Design, standing_design
from app.experiments.linking import Exposure
from app.experiments.metrics import METRICS
from app.experiments.outcomes import Frame, Observed, Order, observe
from app.experiments.refusal import Cause, Refusal
from app.experiments.versions import get_version
from app.tables import DecisionRow, FeedbackRow, OrderLineRow, OrderRow, RefundRow, ShopRow
from app.values import ShopDomain

EVER = datetime(2000, 1, 1, tzinfo=UTC)

# Columns, not values: what the rows' annotations say holds for an instance only.
_decision: Any = DecisionRow
_feedback: Any = FeedbackRow
_order: Any = OrderRow
_line: Any = OrderLineRow
_refund: Any = RefundRow


class Readout(msgspec.Struct, frozen=True):
    """One version, what there is of it and what that shows. nameless: decisions of
    visitors who did not allow to be remembered, so that nothing follows from them.
    """

    design: Design
    version: str
    currency: str
    observed: Observed
    nameless: int
    reading: Reading


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
    if experiment_id == STANDING:
        version = version or await latest_standing(connections, shop)
        design = standing_design(version)
    else:
        number = None if version is None else int(version) if version.isdecimal() else -1
        found = await get_version(connections, shop, experiment_id, number)
        design, version = found.design, str(found.version)
    observed, nameless, currency = await observed_of(connections, shop, design, version, now, begin=begin)
    return Readout(design, version, currency, observed, nameless, reading_of(observed, design))


async def observed_of(
    connections: Connections,
    shop: ShopDomain,
    design: Design,
    version: str,
    now: datetime,
    since: datetime = EVER,
    begin: datetime | None = None,
) -> tuple[Observed, int, str]:
    """Return what the version's persons did, how many decisions are nobody's, and the shop's currency.

    since: only decisions from then on are read. begin: see `Frame`.
    """
    window, before = timedelta(days=design.window_days), timedelta(days=design.before_days)
    async with connections.read() as db:
        known = await db.get(ShopRow, shop)
        if known is None:
            raise NotFound(f"{shop} was never installed")
        exposures, nameless = await _exposures(db, shop, design.id, version, since)
        earliest = min((each.at for each in exposures), default=now)
        orders = await _orders(db, shop, earliest - before, known)
        accepted = await _accepted(db, shop, earliest)
    frame = Frame(tuple(design.shares), window, before, now, begin)
    return observe(exposures, orders, accepted, frame), nameless, known.currency


def reading_of(observed: Observed, design: Design) -> Reading:
    """Return what was observed as figures; none of money where it came in several currencies."""
    found = read(observed.units, design.terms, observed.counts)
    if not observed.aside.foreign:
        return found
    refused = Refusal(
        Cause.CURRENCIES,
        f"{observed.aside.foreign} orders were in another currency than the shop's; money does not add up",
    )
    metrics = {name: refused if METRICS[name].money else each for name, each in found.metrics.items()}
    return Reading(found.mismatch, metrics)


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


async def _exposures(
    db: AsyncSession, shop: str, experiment_id: str, version: str, since: datetime
) -> tuple[list[Exposure], int]:
    """Return the version's exposures, and how many decisions can't be told whose they are."""
    place = ("experiments", experiment_id)
    inputs = _decision.inputs
    query = select(
        _decision.decision_id,
        _decision.decided_at,
        inputs[(*place, 1)].as_string(),
        inputs["unit"].as_string(),
        _decision.surface,
        _decision.customer_id,
        _decision.checkout_token,
    ).where(
        _decision.shop == shop,
        _decision.decided_at >= since,
        inputs[(*place, 0)].as_string() == version,
    )
    rows = (await (await db.connection()).execute(query)).all()
    named = [Exposure(*row) for row in rows if row[3] is not None]
    return named, len(rows) - len(named)


async def _accepted(db: AsyncSession, shop: str, since: datetime) -> set[str]:
    query = (
        select(_feedback.decision_id)
        .join(
            _decision,
            and_(_decision.shop == _feedback.shop, _decision.decision_id == _feedback.decision_id),
        )
        .where(_feedback.shop == shop, _feedback.kind == "accepted", _decision.decided_at >= since)
        .distinct()
    )
    return set(await (await db.connection()).scalars(query))


async def _orders(db: AsyncSession, shop: str, since: datetime, known: ShopRow) -> list[Order]:
    placed = and_(_order.shop == shop, _order.created_at >= since)
    costs = await _costs(db, placed, known.settings)
    refunds: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for order_id, *refund in await _of_orders(db, placed, _refund, "created_at", "amount_minor"):
        refunds[order_id].append((refund[0], refund[1]))
    query = select(
        _order.order_id, _order.created_at, _order.subtotal_minor, _order.customer_id,
        _order.checkout_token, _order.cancelled_at, _order.currency,
    ).where(placed)  # fmt: skip
    return [
        Order(
            *row[:6],
            cost_minor=costs.get(row.order_id),
            refunds=tuple(refunds[row.order_id]),
            foreign=row.currency != known.currency,
        )
        for row in await (await db.connection()).execute(query)
    ]


async def _costs(db: AsyncSession, placed: Any, settings: dict[str, Any]) -> dict[int, int | None]:
    """Return what each order's goods cost the shop; None where the merchant has not said of all."""
    try:
        known = msgspec.convert(settings.get("costs", {}), dict[int, int], strict=False)
    except msgspec.ValidationError:
        known = {}
    total: dict[int, int | None] = {}
    for order_id, *line in await _of_orders(db, placed, _line, "product_id", "quantity"):
        before, cost = total.get(order_id, 0), known.get(line[0], -1)
        total[order_id] = None if before is None or cost < 0 else before + cost * line[1]
    return total


async def _of_orders(db: AsyncSession, placed: Any, row: Any, *names: str) -> list[tuple[Any, ...]]:
    query = (
        select(row.order_id, *(getattr(row, name) for name in names))
        .join(_order, and_(_order.shop == row.shop, _order.order_id == row.order_id))
        .where(placed)
    )
    return [tuple(row) for row in await (await db.connection()).execute(query)]
