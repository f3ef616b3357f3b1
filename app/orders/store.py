"""Orders and refunds, as Shopify last told them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, and_, case, cast, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.events.kinds import GrantUsed, Line, OrderDeleted, OrderFacts, RefundCreated
from app.tables import OF_NO_LINE, OF_SHIPPING, OF_TAX, OrderLineRow, OrderRow, RefundRow, ShopRow
from app.upsert import by_key, delete_keys, matching, table_of, upsert

_SHOPS, _LINES = table_of(ShopRow), table_of(OrderLineRow)


async def record_order(connections: Connections, event: OrderFacts) -> None:
    """Keep the order as it stood, unless something newer is known."""
    await record_orders(connections, [event])


async def record_orders(connections: Connections, events: Sequence[OrderFacts]) -> None:
    """Keep many orders in one transaction. Of the tests of a shop that sells nothing is kept, or stays."""
    events, tests = await _apart(connections, events)
    orders = {(event.shop, event.order_id): event for event in _oldest_first(events)}
    rows = by_key(map(_order_row, events), "shop", "order_id", latest="updated_at")
    rows.sort(key=itemgetter("shop", "order_id"))  # an import and workers lock them in one order
    async with connections.write() as db:
        for table in (OrderRow, OrderLineRow, RefundRow):
            await delete_keys(db, table, ("shop", "order_id"), tests)
        kept = await upsert(
            db,
            OrderRow,
            rows,
            newer=lambda old, new: new.updated_at >= old.updated_at,
            # Neither is ever undone, and orders/paid can overtake orders/create.
            merge={
                "paid": lambda old, new: or_(new.paid, old.paid),
                "cancelled_at": lambda old, new: func.coalesce(new.cancelled_at, old.cancelled_at),
                "renewal": lambda old, new: func.coalesce(new.renewal, old.renewal),
                "discount_codes": _with_the_grant,
            },
        )
        lines = [_line_row(orders[key], line) for key in kept for line in orders[key].lines]
        stale = await _lines_of(db, kept) - {(line["shop"], line["line_id"]) for line in lines}
        await delete_keys(db, OrderLineRow, ("shop", "line_id"), stale)
        # What is told of a bundle by the Admin API alone is not undone by a webhook.
        told_once = ("bundle_product_id", "decision_id", "offer_id")
        merge = {name: lambda old, new, name=name: func.coalesce(new[name], old[name]) for name in told_once}
        await upsert(db, OrderLineRow, by_key(lines, "shop", "line_id"), merge=merge)


def _with_the_grant(old: Any, new: Any) -> ColumnElement[Any]:
    """Return which discounts an order used; an import, which reads no grant, takes none away."""
    had, has = (
        cast(each.discount_codes, Text).contains('"terms_id":', autoescape=True) for each in (old, new)
    )
    return case((and_(had, ~has), old.discount_codes), else_=new.discount_codes)


async def _lines_of(db: AsyncSession, orders: Iterable[Sequence[Any]]) -> set[tuple[str, int]]:
    """Return the lines that are kept of the orders. orders: by shop and id."""
    connection, found = await db.connection(), set[tuple[str, int]]()
    for theirs in matching([_LINES.c.shop, _LINES.c.order_id], orders):
        rows = await connection.execute(select(_LINES.c.shop, _LINES.c.line_id).where(theirs))
        found.update((shop, line_id) for shop, line_id in rows)
    return found


async def remove_order(connections: Connections, event: OrderDeleted) -> None:
    """Mark the order as cancelled for good, even if its details arrive only later."""
    at = event.happened_at
    unknown = {
        "shop": event.shop, "order_id": event.order_id, "currency": event.currency,
        "subtotal_minor": 0, "discount_minor": 0, "total_minor": 0, "paid": False, "discount_codes": [],
        "created_at": at, "updated_at": at,
    }  # fmt: skip
    as_it_is = {name: lambda old, _new, name=name: old[name] for name in unknown}
    async with connections.write() as db:
        await upsert(
            db,
            OrderRow,
            [unknown | {"cancelled_at": at}],
            newer=lambda old, _new: old.cancelled_at.is_(None),
            merge=as_it_is,
        )


async def record_refund(connections: Connections, event: RefundCreated) -> None:
    """Store what a refund gave back, by line."""
    await record_refunds(connections, [event])


async def record_refunds(connections: Connections, events: Sequence[RefundCreated]) -> None:
    """Store many refunds in one transaction, each in place of the mere sum that an import may have stored."""
    rows = [row for event in events for row in _refund_rows(event)]
    async with connections.write() as db:
        told = {(event.shop, event.refund_id) for event in events}
        await delete_keys(db, RefundRow, ("shop", "refund_id"), told)
        await upsert(db, RefundRow, by_key(rows, "shop", "refund_id", "line_id"))


async def _apart(
    connections: Connections, events: Sequence[OrderFacts]
) -> tuple[Sequence[OrderFacts], Set[tuple[str, int]]]:
    """Return the orders that count, and which are but tests: of a development store all are, and count."""
    tested = {event.shop for event in events if event.test}
    if not tested:
        return events, frozenset()
    query = select(_SHOPS.c.shop).where(_SHOPS.c.shop.in_(tested), _SHOPS.c.development.is_(False))
    selling = set(await connections.scalars(query))
    tests = {(event.shop, event.order_id) for event in events if event.test and event.shop in selling}
    return [event for event in events if (event.shop, event.order_id) not in tests], tests


def _oldest_first(events: Iterable[OrderFacts]) -> list[OrderFacts]:
    return sorted(events, key=lambda event: event.updated_at)


def _order_row(event: OrderFacts) -> dict[str, Any]:
    return {
        "shop": event.shop,
        "order_id": event.order_id,
        "customer_id": event.customer_id,
        "checkout_token": event.checkout_token,
        "currency": event.currency,
        "subtotal_minor": event.subtotal_minor,
        "discount_minor": event.discount_minor,
        "total_minor": event.total_minor,
        "paid": event.paid,
        "created_at": event.created_at,
        "updated_at": event.updated_at,
        "cancelled_at": event.cancelled_at,
        "discount_codes": [
            *map(msgspec.to_builtins, event.codes),
            *([_grant_row(event.grant)] if event.grant else ()),
        ],
        "renewal": event.renewal,
    }


def _grant_row(grant: GrantUsed) -> dict[str, Any]:
    told = {"off": list(grant.off), "titles": list(grant.titles)}
    return {"terms_id": grant.terms_id} | {name: each for name, each in told.items() if each}


def _line_row(event: OrderFacts, line: Line) -> dict[str, Any]:
    return {
        "shop": event.shop,
        "line_id": line.line_id,
        "order_id": event.order_id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "quantity": line.quantity,
        "price_minor": line.price_minor,
        "discount_minor": line.discount_minor,
        "decision_id": line.decision_id,
        "offer_id": line.offer_id,
        "bundle_id": line.bundle_id,
        "bundle_product_id": line.bundle_product_id,
    }


def _refund_rows(event: RefundCreated) -> list[dict[str, Any]]:
    """Return a row a line; one line can come back in parts, to several locations."""
    quantities: dict[int, int] = defaultdict(int)
    amounts: dict[int, int] = defaultdict(int)
    for line in event.lines:
        quantities[line.line_id] += line.quantity
        amounts[line.line_id] += line.amount_minor
    beside = {OF_NO_LINE: event.other_minor, OF_SHIPPING: event.shipping_minor, OF_TAX: event.tax_minor}
    for place, minor in beside.items():
        if minor:
            amounts[place] = minor
    return [
        {
            "shop": event.shop,
            "refund_id": event.refund_id,
            "line_id": line_id,
            "order_id": event.order_id,
            "quantity": quantities[line_id],
            "amount_minor": amount,
            "created_at": event.created_at,
        }
        for line_id, amount in amounts.items()
    ]
