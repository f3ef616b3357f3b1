"""What only a delivery of its own tells, and which of it is found again when that was lost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.catalog.store import load_catalog
from app.connections import Connections
from app.events.consume import work_off
from app.events.log import EventConsumer
from app.tables import CustomerRow, RefundRow, VariantRow
from app.worker import HANDLERS
from devstore.schema import MODULES
from devstore.shop import refund
from tests.devstore.conftest import past_order
from tests.webhooks.shopfront import Shopfront, installed
from webhooks.reconcile import reconcile_shop

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
LATER = timedelta(hours=1)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    """A shop of which everything is known as it stands."""
    async with installed(connections) as made:
        now = datetime.now(UTC).replace(microsecond=0)
        past_order(made.shop, 0)
        for record in (
            *made.shop.orders.values(),
            *made.shop.products.values(),
            *made.shop.customers.values(),
        ):
            record.created_at = record.updated_at = now - timedelta(minutes=2)
        await look(made)
        yield made


async def look(front: Shopfront) -> int:
    """Return how much was missed; it is worked off."""
    missed = await reconcile_shop(front.connections, front.installed, datetime.now(UTC) + LATER)
    await front.connections.redis.delete("tw:{corner.myshopify.com}:reconciled")
    consumer = EventConsumer(front.connections.redis, "test")
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(front.connections, consumer, HANDLERS, deliveries)
    return missed


async def test_what_is_known_is_missed_no_second_time(front: Shopfront) -> None:
    assert await look(front) == 0


async def test_a_refund_is_found_though_its_order_is_known_as_it_stands(front: Shopfront) -> None:
    (order,) = front.shop.orders.values()
    made = refund(front.shop, order, {order.lines[0].id: 1}, order.updated_at)
    assert await look(front) == 1
    async with front.connections.read() as db:
        row = await db.get(RefundRow, (front.shop.domain, made.id, order.lines[0].id))
    assert row is not None
    assert (row.order_id, row.quantity, row.amount_minor) == (order.id, 1, made.total_minor)


async def test_stock_is_found_though_its_product_is_known_as_it_stands(front: Shopfront) -> None:
    front.shop.variants[103].inventory = 3
    assert await look(front) == 1
    async with front.connections.read() as db:
        row = await db.get(VariantRow, (front.shop.domain, 103))
    assert row is not None
    assert row.available == 3


async def test_an_answer_about_marketing_is_found_though_its_customer_is_known(front: Shopfront) -> None:
    front.shop.customers[7].email_consent = "unsubscribed"
    assert await look(front) == 1
    async with front.connections.read() as db:
        row = await db.get(CustomerRow, (front.shop.domain, 7))
    assert row is not None
    assert row.email_marketing == "unsubscribed"


async def test_a_product_that_is_gone_is_found_once_a_day(front: Shopfront) -> None:
    front.shop.remove_product(2)
    assert await look(front) == 0
    await front.connections.redis.delete("tw:{corner.myshopify.com}:gone_looked_for")
    assert await look(front) == 1
    catalog = await load_catalog(front.connections, front.shop.domain)
    assert sorted(catalog.products) == [1, 3, 4]
