from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel, select

from app.connections import Connections, redis_key
from app.events.kinds import CustomerRedactionRequested, ShopRedactionRequested
from app.events.log import DEAD, EventConsumer, EventLog
from app.profiles.store import checkout_key, client_key, customer_key
from app.tables import (
    CustomerRow,
    DecisionRow,
    EventRow,
    InboxRow,
    OrderLineRow,
    OrderRow,
    ProductRow,
    ShopRow,
)
from webhooks.compliance import customer_data, redact_customer, redact_shop

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP, OTHER = "a.myshopify.com", "b.myshopify.com"


def event_row(shop: str, event_id: str, **fields: Any) -> EventRow:
    return EventRow(
        shop=shop, event_id=event_id, name="product_viewed", happened_at=NOW, recorded_at=NOW, **fields
    )


def order_row(shop: str, order_id: int, customer_id: int, token: str) -> OrderRow:
    return OrderRow(
        shop=shop, order_id=order_id, customer_id=customer_id, checkout_token=token,
        currency="USD", total_minor=900, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def decision_row(shop: str, decision_id: str, customer_id: int | None, token: str) -> DecisionRow:
    return DecisionRow(
        shop=shop, decision_id=decision_id, decided_at=NOW, surface="checkout", rung="personal", arm="a",
        checkout_token=token, customer_id=customer_id, inputs={"history": [1]}, answer={"offers": []},
    )  # fmt: skip


async def fill(connections: Connections, shop: str) -> None:
    async with connections.write() as db:
        for row in (
            ShopRow(shop=shop, publishable_key=f"pk_{shop}", installed_at=NOW, uninstalled_at=NOW),
            CustomerRow(shop=shop, customer_id=5, updated_at=NOW),
            CustomerRow(shop=shop, customer_id=6, updated_at=NOW),
            order_row(shop, 11, 5, "t5"),
            order_row(shop, 12, 6, "t6"),
            OrderLineRow(shop=shop, line_id=1, order_id=11, quantity=1, price_minor=900),
            event_row(shop, "1", customer_id=5, client_id="c5"),
            event_row(shop, "2", checkout_token="t5"),
            event_row(shop, "3", customer_id=6, checkout_token="t6"),
            decision_row(shop, "d5", 5, "t5"),
            decision_row(shop, "d5b", None, "t5"),
            decision_row(shop, "d6", 6, "t6"),
            ProductRow(shop=shop, product_id=2, title="Tea", created_at=NOW, updated_at=NOW),
            InboxRow(
                shop=shop, event_id="e", topic="orders/create", received_at=NOW, next_attempt_at=NOW,
                body=b"{}",
            ),
        ):  # fmt: skip
            db.add(row)
    for key in (
        customer_key(shop, 5),
        customer_key(shop, 6),
        client_key(shop, "c5"),
        checkout_key(shop, "t5"),
    ):
        await connections.redis.set(key, b"profile")


async def all_of(connections: Connections, kind: Any, shop: str = SHOP) -> list[Any]:
    async with connections.read() as db:
        return list((await db.exec(select(kind).where(kind.shop == shop))).all())


async def test_a_redacted_customer_is_gone_and_the_merchants_sums_stay(
    on_both_databases: Connections,
) -> None:
    await fill(on_both_databases, SHOP)
    await fill(on_both_databases, OTHER)
    event = CustomerRedactionRequested(
        shop=SHOP, event_id="r", happened_at=NOW, customer_id=5, order_ids=(11,)
    )
    for _ in range(2):
        await redact_customer(on_both_databases, event)
    assert [row.customer_id for row in await all_of(on_both_databases, CustomerRow)] == [6]
    orders = {row.order_id: row for row in await all_of(on_both_databases, OrderRow)}
    assert (orders[11].customer_id, orders[11].checkout_token, orders[11].total_minor) == (None, None, 900)
    assert orders[12].customer_id == 6
    assert [row.event_id for row in await all_of(on_both_databases, EventRow)] == ["3"]
    decisions = {row.decision_id: row for row in await all_of(on_both_databases, DecisionRow)}
    for decision_id in ("d5", "d5b"):
        kept = decisions[decision_id]
        assert (kept.customer_id, kept.checkout_token, kept.inputs) == (None, None, {})
    assert decisions["d6"].inputs == {"history": [1]}
    assert await on_both_databases.redis.keys(redis_key(SHOP, "*")) == [customer_key(SHOP, 6).encode()]
    assert len(await all_of(on_both_databases, CustomerRow, OTHER)) == 2
    assert len(await on_both_databases.redis.keys(redis_key(OTHER, "*"))) == 4


async def test_all_that_is_held_of_a_customer_can_be_shown(on_both_databases: Connections) -> None:
    await fill(on_both_databases, SHOP)
    held = await customer_data(on_both_databases, SHOP, 5)
    assert {name: len(rows) for name, rows in held.items()} == {
        "customers": 1,
        "orders": 1,
        "order_lines": 1,
        "refunds": 0,
        "events": 2,  # one of them names the checkout only
        "decisions": 2,
        "feedback": 0,
        "profile": 1,
    }


async def test_a_redacted_shop_leaves_nothing_and_no_other_is_touched(
    on_both_databases: Connections,
) -> None:
    for shop in (SHOP, OTHER):
        await fill(on_both_databases, shop)
        models(on_both_databases, shop).mkdir(parents=True)
    event = ShopRedactionRequested(shop=SHOP, event_id="r", happened_at=NOW + timedelta(days=2))
    await bury(on_both_databases, event)
    await redact_shop(on_both_databases, event)
    async with on_both_databases.read() as db:
        for table in SQLModel.metadata.sorted_tables:
            held = (await (await db.connection()).execute(select(table))).all()
            assert {row.shop for row in held} <= {OTHER}, table.name
    assert len(await all_of(on_both_databases, OrderRow, OTHER)) == 2
    assert await on_both_databases.redis.keys(redis_key(SHOP, "*")) == []
    assert len(await on_both_databases.redis.keys(redis_key(OTHER, "*"))) == 4
    assert await on_both_databases.redis.xlen(DEAD) == 0
    assert not models(on_both_databases, SHOP).exists()
    assert models(on_both_databases, OTHER).exists()


async def test_a_shop_that_came_back_is_not_erased(connections: Connections) -> None:
    await fill(connections, SHOP)
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.installed_at, row.uninstalled_at = NOW + timedelta(hours=47), None
        db.add(row)
    event = ShopRedactionRequested(shop=SHOP, event_id="r", happened_at=NOW + timedelta(hours=48))
    await redact_shop(connections, event)
    assert len(await all_of(connections, OrderRow)) == 2


def models(connections: Connections, shop: str) -> Path:
    return connections.settings.data_dir / "models" / shop


async def bury(connections: Connections, event: ShopRedactionRequested) -> None:
    await EventLog(connections.redis).append([event])
    reader = EventConsumer(connections.redis, "test")
    await reader.open()
    for delivery in await reader.read():
        await reader.bury(delivery, "for the test")
