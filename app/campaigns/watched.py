"""Whom each campaign was shown to or held back from, and what came of it, read for its guardrails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import func, select

from app.campaigns.guardrails import COMPLETES_WITHIN_S, REFUNDED_WITHIN_S, Exposed, Units, units_of
from app.campaigns.nudged import KEPT_S
from app.campaigns.outcomes import Told, first_meetings, read_told
from app.connections import Connections
from app.experiments.assign import PERSONALISED
from app.intent.store import who_may_not_teach
from app.tables import DecisionRow, FeedbackRow, OrderRow, RefundRow
from app.upsert import chunks, table_of

MOST_DECISIONS = 50_000
_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)
_ORDERS, _REFUNDS = table_of(OrderRow), table_of(RefundRow)


class Decided(NamedTuple):
    """A decision that weighed campaigns. who: the checkout."""

    decision_id: str
    at: datetime
    who: str
    duration_us: int
    told: Told


class Placed(NamedTuple):
    """An order, and when something of it was first given back."""

    at: datetime
    given_back_at: datetime | None

    @property
    def given_back(self) -> bool:
        """Return whether something was, in the time that is asked for."""
        until = self.at + timedelta(seconds=REFUNDED_WITHIN_S)
        return self.given_back_at is not None and self.given_back_at <= until


async def watched(
    connections: Connections, shop: str, since: Mapping[str, datetime], rationed: Collection[str] = ()
) -> dict[str, Units]:
    """Return the shoppers of each campaign. since: by campaign, what came before is of another one.

    rationed: those that are kept from who was shown them before. Of these only who had not met them before
    counts: the others would be among those held back alone. Without customers who may not be learnt from.
    """
    if not since:
        return {}
    remembered = timedelta(seconds=KEPT_S)
    known_from = {name: begin - remembered if name in rationed else begin for name, begin in since.items()}
    decisions = await _decided(connections, shop, min(known_from.values()))
    failed = await _failed(connections, shop, [each.decision_id for each in decisions])
    placed = await placed_by(connections, shop, "checkout_token", {each.who for each in decisions})
    return {
        name: units_of(
            met(name, begin, [one for one in decisions if one.at >= known_from[name]], failed, placed)
        )
        for name, begin in since.items()
    }


def met(
    campaign_id: str, begin: datetime, decisions: Iterable[Decided], failed: Collection[str],
    placed: Mapping[str, list[Placed]],
) -> Iterable[tuple[str, Exposed]]:  # fmt: skip
    """Yield each shopper's first meeting with the campaign, if since it began, with the checkout. Pure."""
    for each, shown in first_meetings(decisions, campaign_id):
        if each.at < begin:
            continue
        order = first_order(placed.get(each.who, ()), each.at, COMPLETES_WITHIN_S)
        yield (
            each.who,
            Exposed(
                shown=shown,
                at=each.at.timestamp(),
                duration_us=each.duration_us,
                failed=each.decision_id in failed,
                ordered=order is not None,
                given_back=order is not None and order.given_back,
            ),
        )


def first_order(placed: Iterable[Placed], begin: datetime, within_s: float) -> Placed | None:
    """Return the first order from then on within the time. placed: the first first."""
    until = begin + timedelta(seconds=within_s)
    return next((each for each in placed if begin <= each.at <= until), None)


async def _decided(connections: Connections, shop: str, since: datetime) -> list[Decided]:
    columns = _DECISIONS.c
    query = (
        select(columns.customer_id, columns.decision_id, columns.decided_at, columns.checkout_token)
        .add_columns(columns.duration_us, columns.inputs)
        .where(columns.shop == shop, columns.decided_at >= since, columns.arm == PERSONALISED)
        .where(columns.checkout_token.is_not(None))
        .order_by(columns.decided_at.desc(), columns.decision_id)
        .limit(MOST_DECISIONS)
    )
    found: list[tuple[int | None, Decided]] = []
    async with connections.read() as db:
        rows = (await (await db.connection()).execute(query)).all()
    for customer_id, decision_id, at, who, duration_us, inputs in rows:
        if told := read_told(inputs):
            found.append((customer_id, Decided(decision_id, at, who, duration_us, told)))
    refuse = await who_may_not_teach(connections, shop, {customer_id for customer_id, _ in found})
    return [each for customer_id, each in found if customer_id not in refuse]


async def _failed(connections: Connections, shop: str, decision_ids: list[str]) -> set[str]:
    found: set[str] = set()
    async with connections.read() as db:
        for part in chunks(decision_ids):
            failed = (_FEEDBACK.c.shop == shop, _FEEDBACK.c.kind == "failed")
            query = select(_FEEDBACK.c.decision_id).where(*failed, _FEEDBACK.c.decision_id.in_(part))
            found.update(await (await db.connection()).scalars(query))
    return found


async def placed_by(
    connections: Connections, shop: str, by: Literal["checkout_token", "customer_id"], names: Collection[Any]
) -> dict[Any, list[Placed]]:
    """Return the orders of each of the checkouts, or of the customers, the first first."""
    refunded = select(func.min(_REFUNDS.c.created_at)).where(
        _REFUNDS.c.shop == _ORDERS.c.shop, _REFUNDS.c.order_id == _ORDERS.c.order_id
    )
    columns = (_ORDERS.c[by], _ORDERS.c.created_at, _ORDERS.c.cancelled_at)
    placed: dict[Any, list[Placed]] = defaultdict(list)
    async with connections.read() as db:
        for part in chunks(sorted(names)):
            query = (
                select(*columns, refunded.scalar_subquery().label("refunded_at"))
                .where(_ORDERS.c.shop == shop, _ORDERS.c[by].in_(part))
                .order_by(_ORDERS.c.created_at)
            )
            for name, at, *back in await (await db.connection()).execute(query):
                placed[name].append(Placed(at, _earliest(back)))
    return placed


def _earliest(moments: Iterable[Any]) -> datetime | None:
    return min((each for each in moments if each is not None), default=None)
