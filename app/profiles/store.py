"""Profiles in Redis: one value a customer, one a visit. All reads of a checkout's are in decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import Answers, Reason, consent_of, permissions
from app.consent.standing import Basis, Standing, Use, may
from app.consent.standings import profile_basis
from app.consent.told import told_key
from app.consent.told import unpack as unpack_told
from app.events.kinds import (
    BrowserEvent,
    CustomerDeleted,
    CustomerRedactionRequested,
    Line,
    OrderFacts,
    OrderPlaced,
)
from app.profiles.keys import checkout_key, client_key, customer_key
from app.profiles.visitor import (
    NOBODY,
    REFUSED,
    VisitorProfile,
    apply,
    joined,
    merged,
    pack,
    unpack,
    viewed_product,
)
from app.tables import OrderLineRow, OrderRow
from app.upsert import chunks
from app.values import ShopDomain

VISIT_TTL_S = 24 * 3600
_BATCH = 200

_order: Any = OrderRow
_line: Any = OrderLineRow

Change = Callable[[list[VisitorProfile]], Sequence[VisitorProfile]]
Changes = Mapping[int, Callable[[VisitorProfile], VisitorProfile]]


async def remember_order(connections: Connections, event: OrderFacts) -> None:
    """Add the order to its customer's profile, if the customer may have one.

    An order is the merchant's own record; whether it may choose an offer is asked when one is made.
    """
    if event.customer_id is not None:
        change = {event.customer_id: lambda profile: apply(profile, event)}
        await _change_customers(connections, event.shop, change)


async def remember_browsing(connections: Connections, event: BrowserEvent) -> None:
    """Add what was looked at to the visit, if the visitor allowed that; kept for a day.

    Never to a customer's profile: nobody has proven the customer id that a browser sends.
    """
    if not permissions(consent_of(event.permitted)).may_store_visitor:
        return
    keys = _visit_keys(event)
    if keys and (viewed_product(event) is not None or event.checkout_token):
        await _change(connections, keys, lambda visits: _same_visit(visits, event), VISIT_TTL_S)


async def forget_customer(
    connections: Connections, event: CustomerDeleted | CustomerRedactionRequested
) -> None:
    """Erase the profile of a customer who is gone or asked to be forgotten."""
    if event.customer_id is not None:
        await forget(connections, ShopDomain(event.shop), customer_id=event.customer_id)


async def forget(
    connections: Connections,
    shop: ShopDomain,
    *,
    customer_id: int | None = None,
    client_id: str | None = None,
    checkout_tokens: Iterable[str] = (),
) -> int:
    """Return how many profiles there were under these names; there are none now."""
    keys = [checkout_key(shop, token) for token in checkout_tokens]
    keys += [] if customer_id is None else [customer_key(shop, customer_id)]
    keys += [] if client_id is None else [client_key(shop, client_id)]
    return int(await connections.redis.delete(*keys)) if keys else 0


async def rebuild(connections: Connections, shop: ShopDomain) -> int:
    """Return how many customers' profiles were made anew from the orders in the database.

    Orders that arrive meanwhile are kept: each profile is merged with the one it replaces.
    """
    customers, after = 0, 0
    while orders := await _orders_of_next_customers(connections, shop, after):
        made: dict[int, VisitorProfile] = {}
        for customer_id, order in orders:
            made[customer_id] = apply(made.get(customer_id, NOBODY), order)
        await _replace(connections, shop, made)
        customers, after = customers + len(made), max(made)
    return customers


async def rebuild_customer(connections: Connections, shop: ShopDomain, customer_id: int) -> None:
    """Make the customer's profile anew from the orders in the database, as far as they may have one."""
    made = NOBODY
    for order in await _orders_of(connections, shop, [customer_id]):
        made = apply(made, order)
    await _replace(connections, shop, {customer_id: made})


async def _replace(connections: Connections, shop: str, made: dict[int, VisitorProfile]) -> None:
    await _change_customers(connections, shop, {each: partial(merged, made[each]) for each in made})


async def _change_customers(connections: Connections, shop: str, changes: Changes) -> None:
    """Write what the customers' profiles become, as far as each may have one.

    What they answered last is read and watched with the profile, so that a word in between counts.
    """
    digests, basis = await open_digests(connections), await profile_basis(connections, shop)
    keys = [customer_key(shop, each) for each in changes]
    told = [told_key(shop, digests.of(shop, "customer", each)) for each in changes]

    async def attempt(pipe: Any) -> None:
        values = await pipe.mget([*keys, *told])
        pipe.multi()
        for key, change, profile, answers in zip(
            keys, changes.values(), values, values[len(keys) :], strict=False
        ):
            before = unpack(profile)
            after = _allowed(before, change, unpack_told(answers), basis)
            if after == NOBODY:
                pipe.delete(key)
            elif after != before:
                pipe.set(key, pack(after))

    await connections.redis.transaction(attempt, *keys, *told)


def _allowed(
    before: VisitorProfile,
    change: Callable[[VisitorProfile], VisitorProfile],
    answers: Answers | None,
    basis: Basis,
) -> VisitorProfile:
    """Return the profile after the change: none before a needed answer, and a refused one after a no.

    A profile that was refused comes back for an outspoken yes only.
    """
    verdict = may(Use.PROFILE, Standing(answers or Answers()), basis)
    if not verdict.allowed:
        return NOBODY if verdict.reason is Reason.NO_ANSWER else REFUSED
    if before.refused and verdict.reason is Reason.SAID_YES:
        before = NOBODY
    return change(before)


async def _change(
    connections: Connections, keys: list[str], change: Change, ttl_s: int | None = None
) -> None:
    """Write what `change` makes of the profiles; begun again when another process was faster."""

    async def attempt(pipe: Any) -> None:
        known = [unpack(value) for value in await pipe.mget(keys)]
        pipe.multi()
        for key, before, after in zip(keys, known, change(list(known)), strict=True):
            if after != before:
                pipe.set(key, pack(after), ex=ttl_s)

    await connections.redis.transaction(attempt, *keys)


def _visit_keys(event: BrowserEvent) -> list[str]:
    client, checkout = event.client_id, event.checkout_token
    keys = [client_key(event.shop, client)] if client else []
    return keys + ([checkout_key(event.shop, checkout)] if checkout else [])


def _same_visit(visits: list[VisitorProfile], event: BrowserEvent) -> list[VisitorProfile]:
    """A checkout extension knows its checkout only, so the checkout holds what the client did."""
    whole = NOBODY
    for visit in visits:
        whole = joined(whole, visit)
    return [apply(whole, event)] * len(visits)


async def _orders_of_next_customers(
    connections: Connections, shop: str, after: int
) -> list[tuple[int, OrderPlaced]]:
    """Return all orders of the next customers by id, oldest first; empty after the last one."""
    customers = (
        select(_order.customer_id)
        .where(_order.shop == shop, _order.customer_id > after)
        .distinct()
        .order_by(_order.customer_id)
        .limit(_BATCH)
    )
    orders = await _orders_of(connections, shop, customers.scalar_subquery())
    return [(order.customer_id, order) for order in orders if order.customer_id is not None]


async def _orders_of(connections: Connections, shop: str, customer_ids: Any) -> list[OrderPlaced]:
    """Return all orders of these customers, given as numbers or a query of them, oldest first."""
    orders = (
        select(_order)
        .where(_order.shop == shop, _order.customer_id.in_(customer_ids))
        .order_by(_order.created_at, _order.order_id)
    )
    async with connections.read() as db:
        rows: list[OrderRow] = [row for (row,) in await _rows(db, orders)]
        lines = await _lines_of(db, shop, [row.order_id for row in rows])
    return [_as_event(row, lines.get(row.order_id, ())) for row in rows]


async def _lines_of(db: Any, shop: str, order_ids: Sequence[int]) -> dict[int, list[Line]]:
    lines: dict[int, list[Line]] = {}
    for part in chunks(order_ids):
        query = select(_line).where(_line.shop == shop, _line.order_id.in_(part))
        for (row,) in await _rows(db, query):
            lines.setdefault(row.order_id, []).append(
                Line(
                    line_id=row.line_id,
                    product_id=row.product_id,
                    variant_id=row.variant_id,
                    quantity=row.quantity,
                    price_minor=row.price_minor,
                )
            )
    return lines


async def _rows(db: Any, query: Any) -> Any:
    return (await db.exec(query)).all()


def _as_event(row: OrderRow, lines: Sequence[Line]) -> OrderPlaced:
    return OrderPlaced(
        shop=row.shop, event_id=f"order-{row.order_id}", happened_at=row.updated_at,
        order_id=row.order_id, customer_id=row.customer_id, checkout_token=row.checkout_token,
        currency=row.currency, subtotal_minor=row.subtotal_minor, paid=row.paid,
        discount_minor=row.discount_minor, total_minor=row.total_minor,
        created_at=row.created_at, updated_at=row.updated_at, cancelled_at=row.cancelled_at,
        lines=tuple(lines),
    )  # fmt: skip
