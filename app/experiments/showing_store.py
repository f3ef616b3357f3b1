"""Reads what shoppers made of the products they were shown, for learning."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connections import Connections
from app.consent.standing import Use, may
from app.consent.standings import profile_basis, standings_of
from app.experiments.assign import PERSONALISED
from app.experiments.showings import Showing, Showings, showings_of
from app.tables import DecisionRow, FeedbackRow, OrderLineRow, OrderRow
from app.upsert import table_of
from app.values import ShopDomain, shopify_id

LOOKED_BACK = timedelta(days=90)
MOST = 200_000  # decisions, the latest
_AT_ONCE = 1_000
_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)
_ORDERS, _LINES = table_of(OrderRow), table_of(OrderLineRow)

_KINDS = ("shown", "accepted", "dismissed")

Offers = Mapping[str, Set[str]]  # by decision


async def read_showings(
    connections: Connections, shop: ShopDomain, now: datetime, left_out: Collection[int] = ()
) -> Showings:
    """Return what became of the products that rankings of the last 90 days showed, the oldest first.

    Of personalised decisions whose shopper may be learnt from. left_out: customers who say nothing of
    others, such as tests and resellers. Campaigns' products are not among them: they are judged by their
    campaigns. `app.experiments.appeal` makes of it what a ranking may use.
    """
    since = now - LOOKED_BACK
    async with connections.read() as db:
        connection = await db.connection()
        said = {kind: await _said(connection, shop, since, kind) for kind in _KINDS}
        bought = await _bought(connection, shop, since)
        found = [
            (row.customer_id, each)
            async for row in await connection.stream(_decisions(shop, since, now))
            for each in _of_decision(row, said, bought.get(row.decision_id, frozenset()))
        ]
    refuse = {*left_out, *await _unwilling(connections, shop, {who for who, _ in found if who is not None})}
    return showings_of(each for who, each in found if who not in refuse)


async def _unwilling(connections: Connections, shop: str, named: Collection[int]) -> set[int]:
    basis = await profile_basis(connections, shop)
    standings = await standings_of(connections, shop, named)
    return {who for who, each in standings.items() if not may(Use.TRAIN, each, basis).allowed}


def _decisions(shop: str, since: datetime, now: datetime) -> Any:
    columns = _DECISIONS.c
    query = (
        select(columns.decision_id, columns.decided_at, columns.surface, columns.customer_id, columns.answer)
        .add_columns(columns.inputs["unit"].as_string().label("unit"))
        .where(columns.shop == shop, columns.decided_at >= since, columns.decided_at <= now)
        .where(columns.arm == PERSONALISED, columns.fallback.is_(None))
        .order_by(columns.decided_at.desc())
        .limit(MOST)
    )
    return query.execution_options(yield_per=_AT_ONCE)


def _of_decision(row: Any, said: Mapping[str, Offers], bought: Set[str]) -> Iterator[Showing]:
    shown, accepted, dismissed = (said[kind].get(row.decision_id, frozenset()) for kind in _KINDS)
    for place, offer in enumerate(_ranked(row.answer)):
        offer_id = offer["offer_id"]
        taken, sent_away = offer_id in accepted or offer_id in bought, offer_id in dismissed
        if taken or sent_away or offer_id in shown:
            yield Showing(
                at=row.decided_at,
                shopper=row.unit or row.decision_id,
                surface=row.surface,
                place=place,
                product_id=shopify_id(offer["product"]["product_id"]),
                taken=taken,
                sent_away=sent_away,
            )


def _ranked(answer: Mapping[str, Any]) -> list[Any]:
    """Return the offers that the ranking made."""
    offers = answer.get("offers") or ()
    return [each for each in offers if each.get("product") and not each.get("campaign")]


async def _said(connection: AsyncConnection, shop: str, since: datetime, kind: str) -> dict[str, set[str]]:
    """Return the offers that browsers said this of, by decision."""
    made = and_(_DECISIONS.c.shop == _FEEDBACK.c.shop, _DECISIONS.c.decision_id == _FEEDBACK.c.decision_id)
    query = (
        select(_FEEDBACK.c.decision_id, _FEEDBACK.c.offer_id)
        .join(_DECISIONS, made)
        .where(_FEEDBACK.c.shop == shop, _FEEDBACK.c.kind == kind, _DECISIONS.c.decided_at >= since)
    )
    return await _by_decision(connection, query)


async def _bought(connection: AsyncConnection, shop: str, since: datetime) -> dict[str, set[str]]:
    """Return the offers that are in orders which stand, by decision."""
    of = and_(_ORDERS.c.shop == _LINES.c.shop, _ORDERS.c.order_id == _LINES.c.order_id)
    query = (
        select(_LINES.c.decision_id, _LINES.c.offer_id)
        .join(_ORDERS, of)
        .where(_LINES.c.shop == shop, _LINES.c.decision_id.is_not(None), _LINES.c.offer_id.is_not(None))
        .where(_ORDERS.c.cancelled_at.is_(None), _ORDERS.c.created_at >= since)
    )
    return await _by_decision(connection, query)


async def _by_decision(connection: AsyncConnection, query: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for decision_id, offer_id in await connection.execute(query):
        found.setdefault(decision_id, set()).add(offer_id)
    return found
