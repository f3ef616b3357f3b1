"""Orders and customers that a worker has in hand together are kept as if each had come by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import event, select, text

from app.connections import Connections
from app.events.consume import Together, work_off
from app.events.kinds import AnyEvent, CustomerChanged, OrderDeleted, OrderPlaced, RefundCreated, RefundLine
from app.events.log import EventConsumer, EventLog
from app.orders.customers import record_customers
from app.orders.store import record_orders
from app.profiles.keys import customer_key
from app.profiles.packed import unpack_profile
from app.profiles.store import keep_orders
from app.tables import CustomerRow, OrderLineRow, OrderRow, RefundRow
from app.upsert import delete_keys, table_of
from app.worker import HANDLERS
from tests.profiles.factories import NOW, SHOP, an_order

TABLES = (OrderRow, OrderLineRow, RefundRow, CustomerRow)
CUSTOMERS = (7, 8, 9)


def changed(customer_id: int, hours: int, **fields: Any) -> CustomerChanged:
    at = NOW + timedelta(hours=hours)
    facts: dict[str, Any] = {
        "event_id": f"c{customer_id}-{hours}", "orders_count": None, "email_marketing": None,
        "sms_marketing": None, "data_sale_opt_out": None, "created_at": None,
    }  # fmt: skip
    return CustomerChanged(
        shop=SHOP, customer_id=customer_id, happened_at=at, updated_at=at, **facts | fields
    )


def refund(order_id: int) -> RefundCreated:
    return RefundCreated(
        shop=SHOP, event_id=f"r{order_id}", happened_at=NOW, refund_id=order_id, order_id=order_id,
        created_at=NOW, lines=(RefundLine(line_id=order_id * 1000, quantity=1, amount_minor=500),),
    )  # fmt: skip


def later(order_id: int, hours: int, **changes: Any) -> OrderPlaced:
    changes |= {"event_id": f"e{order_id}-{hours}", "updated_at": NOW + timedelta(hours=hours)}
    return an_order(order_id, [10, 20], **changes)


HAND: tuple[AnyEvent, ...] = (
    later(1, 1, paid=True),
    later(1, 1, paid=False, event_id="overtaken"),
    changed(7, 3, orders_count=2, spent_minor=3_000, email_marketing="subscribed"),
    changed(7, 4),
    later(2, 1),
    later(2, 2, customer_id=8),
    later(3, 1, customer_id=9),
    refund(3),
    later(4, 1, customer_id=9),
    OrderDeleted(shop=SHOP, event_id="gone", happened_at=NOW, order_id=4, currency="USD"),
    later(5, 1, customer_id=None),
    later(6, 2, customer_id=8),
    later(6, 1, customer_id=8, total_minor=5, event_id="older"),
)


async def handled(connections: Connections, hands: Sequence[Sequence[AnyEvent]]) -> None:
    consumer = EventConsumer(connections.redis, "worker")
    await consumer.open()
    for hand in hands:
        await EventLog(connections.redis).append(hand)
        await work_off(connections, consumer, HANDLERS, await consumer.read())


async def kept(connections: Connections) -> list[Any]:
    """Return what is kept of the shop's orders and customers; none of it is kept any more."""
    found: list[Any] = []
    async with connections.write() as db:
        for row in TABLES:
            rows = await (await db.connection()).execute(select(table_of(row)))
            found.append(sorted(map(repr, rows)))
            await delete_keys(db, row, ("shop",), [(SHOP,)])
    for key in [customer_key(SHOP, each) for each in CUSTOMERS]:
        packed: Any = await connections.redis.get(key)
        found.append(unpack_profile(packed))
        await connections.redis.delete(key)
    return found


async def test_what_is_in_hand_together_ends_where_it_would_have_one_by_one(
    on_both_databases: Connections,
) -> None:
    known = [changed(each, -1) for each in CUSTOMERS]
    await handled(on_both_databases, [known, *([each] for each in HAND)])
    one_by_one = await kept(on_both_databases)
    await handled(on_both_databases, [known, HAND])
    assert await kept(on_both_databases) == one_by_one


async def test_orders_in_hand_together_are_kept_in_as_many_transactions_as_one(
    connections: Connections,
) -> None:
    committed: list[object] = []
    await handled(connections, [[later(20, 1)]])  # what is made once
    event.listen(connections.engine.sync_engine, "commit", committed.append)
    await handled(connections, [[later(1, 1)]])
    of_one = len(committed)
    await handled(connections, [[later(number, 1) for number in range(2, 20)]])
    assert len(committed) == 2 * of_one


async def test_an_order_is_kept_although_what_is_done_after_it_fails(
    connections: Connections, reader: EventConsumer
) -> None:
    async def failing(_connections: Connections, _event: AnyEvent) -> None:
        raise ValueError("no redemption")

    await EventLog(connections.redis).append([later(1, 1)])
    await work_off(connections, reader, {OrderPlaced: (Together(keep_orders), failing)}, await reader.read())
    assert await connections.scalars(select(table_of(OrderRow).c.order_id)) == [1]


async def test_many_are_written_down_in_one_order_whoever_has_them_in_hand(connections: Connections) -> None:
    """Of two workers on PostgreSQL each would have rows that the other waits for."""
    await record_orders(connections, [later(number, 1) for number in (3, 1, 2)])
    await record_customers(connections, [changed(number, 1) for number in (9, 7, 8)])
    for query, written in (
        ("SELECT order_id FROM orders ORDER BY rowid", [1, 2, 3]),
        ("SELECT customer_id FROM customers ORDER BY rowid", [7, 8, 9]),
    ):
        assert [each for (each,) in await connections.rows(text(query))] == written
