"""What profiles and visits are worked out from, read from the database: the truth they follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events.kinds import CHECKOUT_MET
from app.orders.refunds import GOODS_BACK, lines_kept
from app.profiles.customer import BoughtLine, OrdersTold, PlacedOrder
from app.profiles.visit import BrowsedEvent
from app.tables import CustomerRow, EventRow, OrderRow, RefundRow
from app.upsert import chunks, matching, table_of

# Of one browser; a visit sends at most so many events.
EVENTS_READ = 500
# Checkouts of one browser and browsers of one checkout, the latest: each is read anew with every event, and
# whoever has a shop's publishable key can make up any number.
MOST_TOGETHER = 5

_ORDERS, _REFUNDS = table_of(OrderRow), table_of(RefundRow)
_EVENTS, _CUSTOMERS = table_of(EventRow), table_of(CustomerRow)
_GONE = _CUSTOMERS.c.deleted_at.is_not(None)
FROM_BROWSERS = _EVENTS.c.event_id.like("browser:%")  # the others are Shopify's facts


async def orders_of(
    db: AsyncSession, shop: str, currency: str, customer_ids: Collection[int], besides: int | None = None
) -> dict[int, list[PlacedOrder]]:
    """Return every order of the customers but one that does not count, by customer, oldest first.

    currency: the shop's; an order in another one is marked so.
    """
    found: dict[int, list[PlacedOrder]] = {each: [] for each in customer_ids}
    for part in chunks(sorted(found)):
        theirs = (_ORDERS.c.shop == shop, _ORDERS.c.customer_id.in_(part))
        query = select(_ORDERS).where(*theirs).order_by(_ORDERS.c.created_at, _ORDERS.c.order_id)
        rows = [row for row in await _rows(db, query) if row.order_id != besides]
        lines = await _lines_of(db, shop, [row.order_id for row in rows])
        refunded = await _refunds_of(db, shop, [row.order_id for row in rows])
        for row in rows:
            order = _placed(row, currency, lines.get(row.order_id, ()), *refunded.get(row.order_id, (0, 0)))
            found[row.customer_id].append(order)
    return found


async def gone_of(db: AsyncSession, shop: str, customer_ids: Collection[int]) -> set[int]:
    """Return which of the customers are not at Shopify any more: merged into another, or deleted."""
    found: set[int] = set()
    for part in chunks(sorted(customer_ids)):
        query = select(_CUSTOMERS.c.customer_id).where(_GONE, _CUSTOMERS.c.shop == shop)
        found.update(await (await db.connection()).scalars(query.where(_CUSTOMERS.c.customer_id.in_(part))))
    return found


async def next_customers(db: AsyncSession, shop: str, after: int, count: int) -> list[int]:
    """Return the next customers with orders, by id, but those who are gone; empty after the last one."""
    theirs = and_(_CUSTOMERS.c.shop == shop, _CUSTOMERS.c.customer_id == _ORDERS.c.customer_id)
    query = (
        select(_ORDERS.c.customer_id)
        .where(_ORDERS.c.shop == shop, _ORDERS.c.customer_id > after)
        .where(~exists().where(theirs, _GONE))
        .distinct()
        .order_by(_ORDERS.c.customer_id)
        .limit(count)
    )
    return list(await (await db.connection()).scalars(query))


async def orders_told(db: AsyncSession, shop: str, customer_ids: Collection[int]) -> dict[int, OrdersTold]:
    """Return what Shopify told of each customer's orders."""
    found: dict[int, OrdersTold] = {}
    columns = _CUSTOMERS.c
    query = select(columns.customer_id, columns.orders_count, columns.spent_minor, columns.last_order_at)
    told = query.where(columns.shop == shop, columns.orders_count > 0)
    for part in chunks(sorted(customer_ids)):
        for who, orders, spent_minor, last in await _rows(db, told.where(columns.customer_id.in_(part))):
            found[who] = OrdersTold(orders, spent_minor, None if last is None else int(last.timestamp()))
    return found


async def next_profiled(db: AsyncSession, shop: str, after: int, count: int) -> list[int]:
    """Return the next customers who ordered, by what we have or by what Shopify told, but who is gone."""
    ordered = await next_customers(db, shop, after, count)
    query = (
        select(_CUSTOMERS.c.customer_id)
        .where(
            _CUSTOMERS.c.shop == shop, _CUSTOMERS.c.customer_id > after, _CUSTOMERS.c.orders_count > 0, ~_GONE
        )
        .order_by(_CUSTOMERS.c.customer_id)
        .limit(count)
    )
    told = await (await db.connection()).scalars(query)
    return sorted({*ordered, *told})[:count]


async def customers_of_orders(
    db: AsyncSession, orders: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """Return whose the orders are, where that is known. orders: by shop and id."""
    found = dict[tuple[str, int], int]()
    key, customer_id = (_ORDERS.c.shop, _ORDERS.c.order_id), _ORDERS.c.customer_id
    for theirs in matching(key, orders):
        query = select(*key, customer_id).where(theirs, customer_id.is_not(None))
        found |= {(shop, order_id): whose for shop, order_id, whose in await _rows(db, query)}
    return found


async def seen_of(db: AsyncSession, shop: str, client_id: str, since: datetime) -> list[BrowsedEvent]:
    """Return what a browser did since then, the EVENTS_READ latest."""
    return await _seen(db, shop, since, _EVENTS.c.client_id == client_id)


async def seen_at(db: AsyncSession, shop: str, checkout_token: str, since: datetime) -> list[BrowsedEvent]:
    """Return what was done since then in a checkout, and before its end in the browsers it was seen in.

    What a browser does later is no part of it: somebody else may use it by then. Nor is what one did that
    only the cart names: that may be somebody else's, and each question names it besides.
    """
    columns, own = _EVENTS.c, _EVENTS.c.checkout_token == checkout_token
    # Asked first: for a question within the question PostgreSQL would read all of the shop's.
    told = (columns.shop == shop, own, columns.name != CHECKOUT_MET)
    latest = await _rows(db, _latest(columns.client_id, columns.happened_at).where(*told))
    if not latest:
        return []
    clients, ended = latest_names(client for client, _ in latest), latest[0].happened_at
    beside = [and_(columns.client_id == client, columns.happened_at <= ended) for client in clients]
    return await _seen(db, shop, since, own, *beside)


async def checkouts_of(db: AsyncSession, shop: str, client_id: str, since: datetime) -> list[str]:
    """Return the checkouts that a browser was in since then: the MOST_TOGETHER latest of its EVENTS_READ."""
    columns = _EVENTS.c
    theirs = (columns.shop == shop, columns.client_id == client_id, columns.happened_at > since)
    return latest_names(token for (token,) in await _rows(db, _latest(columns.checkout_token).where(*theirs)))


def latest_names(names: Iterable[str | None]) -> list[str]:
    """Return the first MOST_TOGETHER different names. names: latest first. Pure."""
    return list(dict.fromkeys(filter(None, names)))[:MOST_TOGETHER]


def _latest(*columns: Any) -> Select[Any]:
    """Return the query of the EVENTS_READ latest events, latest first."""
    order = (_EVENTS.c.happened_at.desc(), _EVENTS.c.event_id.desc())
    return select(*columns).order_by(*order).limit(EVENTS_READ)


async def _seen(
    db: AsyncSession, shop: str, since: datetime, *each: ColumnElement[bool]
) -> list[BrowsedEvent]:
    """Return the EVENTS_READ latest events since then of all these together, latest first.

    each: a name's, asked for one by one: of several at once a database reads all events, however many.
    """
    columns = _EVENTS.c
    event = (columns.event_id, columns.happened_at, columns.name, columns.data, columns.customer_id)
    theirs = _latest(*event).where(columns.shop == shop, FROM_BROWSERS, columns.happened_at > since)
    rows = [row for its in each for row in await _rows(db, theirs.where(its))]
    found = {row.event_id: BrowsedEvent(*row) for row in rows}
    return sorted(found.values(), key=attrgetter("happened_at", "event_id"), reverse=True)[:EVENTS_READ]


async def _lines_of(db: AsyncSession, shop: str, order_ids: Sequence[int]) -> dict[int, list[BoughtLine]]:
    lines: dict[int, list[BoughtLine]] = defaultdict(list)
    for part in chunks(order_ids):
        # Put in order here: SQLite would read all of the shop's lines, as those lie in that order.
        for row in sorted(await _rows(db, select(lines_kept(shop, part))), key=attrgetter("line_id")):
            chosen = row.bundle_product_id or row.product_id
            lines[row.order_id].append(BoughtLine(chosen, row.quantity))
    return lines


async def _refunds_of(db: AsyncSession, shop: str, order_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return what was given back of each order, in all and of goods."""
    refunded: dict[int, tuple[int, int]] = {}
    amount = _REFUNDS.c.amount_minor
    for part in chunks(order_ids):
        query = (
            select(_REFUNDS.c.order_id, func.sum(amount), func.sum(GOODS_BACK))
            .where(_REFUNDS.c.shop == shop, _REFUNDS.c.order_id.in_(part))
            .group_by(_REFUNDS.c.order_id)
        )
        refunded |= {order_id: (int(whole), int(goods)) for order_id, whole, goods in await _rows(db, query)}
    return refunded


async def _rows(db: AsyncSession, query: Any) -> Any:
    return (await (await db.connection()).execute(query)).all()


def _placed(
    row: Any, currency: str, lines: Sequence[BoughtLine], refunded_minor: int, goods_back_minor: int
) -> PlacedOrder:
    """Return the order. Not all refunds tell of tax: with all goods, all that was to pay went back."""
    if 0 < row.subtotal_minor <= goods_back_minor:
        refunded_minor = max(refunded_minor, row.total_minor)
    return PlacedOrder(
        order_id=row.order_id,
        placed_at=int(row.created_at.timestamp()),
        total_minor=row.total_minor,
        discount_minor=row.discount_minor,
        refunded_minor=refunded_minor,
        cancelled=row.cancelled_at is not None,
        own_currency=row.currency == currency,
        renewal=bool(row.renewal),
        lines=tuple(lines),
    )
