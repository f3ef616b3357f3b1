"""What came of a shop's campaigns lately, counted from its log for the dashboard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.campaigns.outcomes import Decided, Ordered, Told, bought_anyway
from app.campaigns.weigh import WITHHELD
from app.connections import Connections
from app.experiments.assign import PERSONALISED
from app.intent.rates import Rate, rate
from app.intent.store import who_may_not_teach
from app.tables import DecisionRow, FeedbackRow, OrderRow
from app.upsert import chunks, table_of

# A page is to open at once: the latest so many tell enough.
MOST_DECISIONS = 5_000
_DECISIONS, _FEEDBACK, _ORDERS = table_of(DecisionRow), table_of(FeedbackRow), table_of(OrderRow)


@dataclass(frozen=True, slots=True)
class Lately:
    """What a campaign did. shown: to how many shoppers; accepted: of these, by how many.

    anyway: of those who matched and were held back by chance, who bought all the same.
    """

    shown: int
    accepted: Rate
    anyway: Rate


class _Offer(msgspec.Struct, frozen=True):
    offer_id: str = ""
    campaign: str | None = None


async def lately(
    connections: Connections, shop: str, campaign_ids: Collection[str], since: datetime, now: datetime
) -> dict[str, Lately]:
    """Return what each campaign did in the latest decisions since then."""
    if not campaign_ids:
        return {}
    async with connections.read() as db:
        found = await _decided(db, shop, since)
        accepted = await _accepted(db, shop, since)
    refuse = await who_may_not_teach(connections, shop, {customer_id for customer_id, _ in found})
    decisions = [each for customer_id, each in found if customer_id not in refuse]
    async with connections.read() as db:
        orders = await _orders(db, shop, {each.who for each in decisions if _held_back(each)})
    shown = _shown(each for _, each in found)
    return {name: _lately(name, shown, accepted, decisions, orders, now) for name in campaign_ids}


def _lately(
    name: str,
    shown: Mapping[str, dict[str, set[str]]],
    accepted: Mapping[str, set[str]],
    decisions: Iterable[Decided],
    orders: Mapping[str, list[Ordered]],
    now: datetime,
) -> Lately:
    whom = shown.get(name, {})
    took = sum(1 for seen in whom.values() if seen & accepted.get(name, set()))
    return Lately(len(whom), rate(took, len(whom)), bought_anyway(decisions, orders, name, now.timestamp()))


def _shown(decisions: Iterable[Decided]) -> dict[str, dict[str, set[str]]]:
    """Return, by campaign and shopper, the decisions that showed it to them."""
    shown: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in decisions:
        for drawn in each.told.chosen:
            shown[drawn.campaign_id][each.who].add(each.decision_id)
    return shown


def _held_back(decided: Decided) -> bool:
    return WITHHELD in decided.told.left_out.values()


async def _decided(db: AsyncSession, shop: str, since: datetime) -> list[tuple[int | None, Decided]]:
    """Return the latest decisions with campaigns; who allows nothing is somebody else each time."""
    columns = _DECISIONS.c
    campaigns = ("situation", "campaigns")
    query = (
        select(columns.decision_id, columns.decided_at, columns.checkout_token, columns.customer_id)
        .add_columns(columns.inputs[(*campaigns, "chosen")].label("chosen"))
        .add_columns(columns.inputs[(*campaigns, "left_out")].label("left_out"))
        .where(columns.shop == shop, columns.decided_at > since, columns.arm == PERSONALISED)
        .order_by(columns.decided_at.desc(), columns.decision_id)
        .limit(MOST_DECISIONS)
    )
    rows = (await (await db.connection()).execute(query)).all()
    return [
        (
            row.customer_id,
            Decided(row.decision_id, row.decided_at.timestamp(), row.checkout_token or row.decision_id, told),
        )
        for row in rows
        if (told := _told(row.chosen, row.left_out))
    ]


def _told(chosen: Any, left_out: Any) -> Told | None:
    """Return what a decision says of its campaigns, None of one without or of another layout."""
    try:
        told = msgspec.convert({"chosen": chosen or (), "left_out": left_out or {}}, Told)
    except msgspec.ValidationError:
        return None
    return told if told.chosen or told.left_out else None


async def _accepted(db: AsyncSession, shop: str, since: datetime) -> dict[str, set[str]]:
    """Return, by campaign, the decisions of which a shopper took its offer."""
    query = (
        select(
            _FEEDBACK.c.decision_id, _FEEDBACK.c.offer_id, _DECISIONS.c.answer[("offers",)].label("offers")
        )
        .join(
            _DECISIONS,
            (_DECISIONS.c.shop == _FEEDBACK.c.shop) & (_DECISIONS.c.decision_id == _FEEDBACK.c.decision_id),
        )
        .where(_FEEDBACK.c.shop == shop, _FEEDBACK.c.kind == "accepted", _DECISIONS.c.decided_at > since)
        .order_by(_DECISIONS.c.decided_at.desc())
        .limit(MOST_DECISIONS)
    )
    accepted: dict[str, set[str]] = defaultdict(set)
    for decision_id, offer_id, offers in (await (await db.connection()).execute(query)).all():
        if name := _campaign_of(offers, offer_id):
            accepted[name].add(decision_id)
    return accepted


def _campaign_of(offers: Any, offer_id: str) -> str | None:
    try:
        shown = msgspec.convert(offers or (), tuple[_Offer, ...])
    except msgspec.ValidationError:
        return None
    return next((each.campaign for each in shown if each.offer_id == offer_id), None)


async def _orders(db: AsyncSession, shop: str, tokens: Collection[str]) -> dict[str, list[Ordered]]:
    orders: dict[str, list[Ordered]] = defaultdict(list)
    for part in chunks(sorted(tokens)):
        query = (
            select(_ORDERS.c.checkout_token, _ORDERS.c.created_at)
            .where(_ORDERS.c.shop == shop, _ORDERS.c.checkout_token.in_(part))
            .where(_ORDERS.c.cancelled_at.is_(None))
            .order_by(_ORDERS.c.created_at)
        )
        for token, at in await (await db.connection()).execute(query):
            orders[token].append(Ordered(at.timestamp(), 0))
    return orders
