"""The dev store tells, the app stores, translates and reacts: no body of ours in between."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from app.connections import Connections
from app.events.consume import work_off
from app.events.log import DEAD, EventConsumer
from app.tables import CustomerRow, EventRow, InboxRow, OrderRow, RefundRow, ShopRow
from app.worker import HANDLERS
from devstore.cart import add, start
from devstore.events import TOPICS, fire
from devstore.schema import MODULES
from tests.devstore.conftest import past_order
from tests.devstore.small_shop import DOMAIN, NOW, SECRET
from tests.webhooks.shopfront import installed
from webhooks.receive import opened, routes
from webhooks.translate import is_ours
from webhooks.work import process_due

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
# What takes away what the others tell of, and what needs a bulk operation: test_backfill has one.
LEFT_OUT = {"orders/delete", "products/delete", "customers/delete", "customers/redact", "app/uninstalled"} | {
    "shop/redact", "bulk_operations/finish"
}  # fmt: skip


async def test_whatever_a_shop_tells_is_understood_and_acted_on(connections: Connections) -> None:
    web = Starlette(routes=routes)
    web.state.connections = replace(connections, settings=replace(connections.settings, api_secret=SECRET))
    told = [topic for topic in TOPICS if is_ours(topic) and topic not in LEFT_OUT]
    async with (
        opened(web),
        installed(connections, topics=told, to_app=httpx.ASGITransport(web)) as front,
    ):
        past_order(front.shop, 0)
        add(front.shop, start(front.shop, "cart-1", NOW), 102, 1, NOW)
        for topic in told:
            assert await fire(front.store, front.shop, topic, None) == 1, topic
        await front.http.post("/control/settle")
        while await process_due(connections, datetime.now(UTC)):
            pass
        consumer = EventConsumer(connections.redis, "test")
        await consumer.open()
        while deliveries := await consumer.read(block_ms=1):
            await work_off(front.connections, consumer, HANDLERS, deliveries)

    async with connections.read() as db:
        inbox = {row.topic: row for row in (await db.exec(select(InboxRow))).all()}
        events = (await db.exec(select(EventRow.name))).all()
        order = (await db.exec(select(OrderRow))).one()
        refunds = (await db.exec(select(RefundRow))).all()
        customer = (await db.exec(select(CustomerRow))).one()
        shop = await db.get(ShopRow, DOMAIN)
    assert {topic: row.error for topic, row in inbox.items() if row.status != "done"} == {}
    assert set(inbox) == set(told)
    of_products = [topic for topic in told if topic.startswith(("products/", "collections/", "inventory_"))]
    assert len(events) >= len(told) - len(of_products) - 1
    assert order.cancelled_at is not None
    assert order.customer_id == customer.customer_id == 7
    assert sum(refund.amount_minor for refund in refunds) > 0
    assert shop is not None
    assert await connections.redis.xlen(DEAD) == 0
