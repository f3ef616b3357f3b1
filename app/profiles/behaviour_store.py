"""Reads customers' behaviour from the database, as the features of clustering."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.profiles.behaviour import Behaviour
from app.profiles.history import FROM_BROWSERS
from app.profiles.purchases import DAY_S, Purchase
from app.profiles.visit import BrowsedEvent, parted, visit_of
from app.tables import EventRow
from app.upsert import chunks, table_of

WINDOW_DAYS = 90
_EVENTS_READ = 200  # of a customer or a browser, the latest
_BROWSERS_READ = 2_000

_EVENTS = table_of(EventRow)
_CART = frozenset({"product_added_to_cart", "product_removed_from_cart"})


async def seen_of_customers(
    db: AsyncSession, shop: str, customer_ids: Collection[int], since: datetime
) -> dict[int, list[BrowsedEvent]]:
    """Return what each customer did in browsers since then, where they allowed to be named."""
    columns = _EVENTS.c
    seen: dict[int, list[BrowsedEvent]] = defaultdict(list)
    for part in chunks(sorted(customer_ids)):
        theirs = (columns.shop == shop, columns.customer_id.in_(part), columns.happened_at > since)
        query = _latest_of_each(columns.customer_id, *theirs)
        for customer_id, *event in (await (await db.connection()).execute(query)).all():
            seen[customer_id].append(BrowsedEvent(*event))
    return seen


async def seen_of_browsers(db: AsyncSession, shop: str, since: datetime) -> list[list[BrowsedEvent]]:
    """Return what each of the _BROWSERS_READ latest browsers did since then where no customer is named."""
    columns = _EVENTS.c
    nobodys = (columns.shop == shop, columns.customer_id.is_(None), columns.happened_at > since)
    latest = (
        select(columns.client_id)
        .where(*nobodys, columns.client_id.is_not(None))
        .group_by(columns.client_id)
        .order_by(func.max(columns.happened_at).desc(), columns.client_id)
        .limit(_BROWSERS_READ)
    )
    clients = list(await (await db.connection()).scalars(latest))
    seen: dict[str, list[BrowsedEvent]] = defaultdict(list)
    for part in chunks(clients):
        query = _latest_of_each(columns.client_id, *nobodys, columns.client_id.in_(part))
        for client_id, *event in (await (await db.connection()).execute(query)).all():
            seen[client_id].append(BrowsedEvent(*event))
    return list(seen.values())


def behaviour_of(history: Sequence[Purchase], seen: Sequence[BrowsedEvent], now: int) -> Behaviour:
    """Return the customer's behaviour in the last WINDOW_DAYS. now: epoch seconds. Pure."""
    since = now - WINDOW_DAYS * DAY_S
    bought = [each for each in history if each.counts and each.placed_at > since]
    spent, priced = max(0, sum(each.net_minor for each in bought)), sum(each.priced for each in bought)
    ordered = sorted(seen, key=lambda event: (event.happened_at, event.event_id))
    visits = [visit_of(part) for part in parted(ordered)] if ordered else []
    return Behaviour(
        orders=len(bought),
        spent=spent,
        average_order=spent / priced if priced else 0,
        days_since_order=_days(now, max((each.placed_at for each in history if each.counts), default=since)),
        visits=len(visits),
        days_since_visit=_days(now, max((visit.last_at for visit in visits), default=since)),
        views=sum(visit.products for visit in visits),
        dwell_s=sum(visit.dwell_s for visit in visits),
        searches=sum(visit.searches for visit in visits),
        cart_changes=sum(event.name in _CART for event in seen),
        unfinished_checkouts=sum(0 < visit.step < 6 for visit in visits),
        form_errors=sum(visit.errors for visit in visits),
    )


def behaviours(
    histories: Mapping[int, Sequence[Purchase]], seen: Mapping[int, Sequence[BrowsedEvent]], now: int
) -> dict[int, Behaviour]:
    """Return each customer's behaviour. Pure."""
    return {who: behaviour_of(history, seen.get(who, ()), now) for who, history in histories.items()}


def window_begins(now: int) -> datetime:
    """Return from when on behaviour counts. Pure."""
    return datetime.fromtimestamp(now - WINDOW_DAYS * DAY_S, UTC)


def _latest_of_each(whose: ColumnElement[Any], *which: ColumnElement[bool]) -> Select[Any]:
    """Return the query for whose event it is and the event: of each so many, whatever others did."""
    columns = _EVENTS.c
    event = (columns.event_id, columns.happened_at, columns.name, columns.data, columns.customer_id)
    latest_first = (columns.happened_at.desc(), columns.event_id)
    place = func.row_number().over(partition_by=whose, order_by=latest_first)
    each = select(whose.label("whose"), *event, place.label("place")).where(*which, FROM_BROWSERS).subquery()
    kept = [column for column in each.c if column.name != "place"]
    return select(*kept).where(each.c.place <= _EVENTS_READ)


def _days(now: int, then: int) -> float:
    return max(0, now - then) / DAY_S
