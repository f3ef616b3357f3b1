from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.catalog.store import record_inventory, record_product
from app.connections import Connections
from app.events.kinds import AnyEvent, CustomerChanged, InventoryChanged, OrderUpdated, ProductChanged
from app.events.log import EventConsumer
from app.orders.store import record_order
from app.shops.changes import revisions
from app.shops.store import get_shop
from devstore.checkout import complete, start
from devstore.schema import MODULES
from tests.devstore.conftest import past_order
from tests.devstore.small_shop import NOW
from tests.webhooks.shopfront import SCOPES, Shopfront, installed
from webhooks.reconcile import reconcile, reconcile_shop

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed(connections) as made:
        made.shop.variants[101].inventory = 1_000
        for number in range(1, 31):
            past_order(made.shop, 0, number)
        now = datetime.now(UTC)
        for order in made.shop.orders.values():
            order.created_at = order.updated_at = now
        for product in made.shop.products.values():
            product.updated_at = now - timedelta(days=30)
        made.shop.products[1].updated_at = now
        yield made


async def logged(connections: Connections) -> list[AnyEvent]:
    reader = EventConsumer(connections.redis, "test", group="test")
    await reader.open()
    return [delivery.event() for delivery in await reader.read(block_ms=1)]


async def test_changes_that_were_missed_are_put_into_the_log(front: Shopfront) -> None:
    assert await reconcile_shop(front.connections, front.installed, datetime.now(UTC)) == 32
    events = await logged(front.connections)
    products = [event for event in events if isinstance(event, ProductChanged)]
    orders = [event for event in events if isinstance(event, OrderUpdated)]
    assert [product.product_id for product in products] == [1]
    assert products[0].variants[0].tracked
    assert [event.inventory_item_id for event in events if isinstance(event, InventoryChanged)] == [901]
    assert len({order.order_id for order in orders}) == 30
    assert {order.lines[0].variant_id for order in orders} == {101}


async def test_an_order_of_more_lines_than_a_page_is_read_whole(front: Shopfront) -> None:
    front.shop.orders.clear()
    items = [(101, 1, (("Engraving", str(number)),)) for number in range(101)]
    large = complete(front.shop, start(front.shop, "large", NOW, items, 7), NOW)
    large.created_at = large.updated_at = datetime.now(UTC)
    await reconcile_shop(front.connections, front.installed, datetime.now(UTC))
    (order,) = [e for e in await logged(front.connections) if isinstance(e, OrderUpdated)]
    assert [line.line_id for line in order.lines] == [line.id for line in large.lines]
    assert len(order.lines) == 101


async def test_a_product_that_was_missed_is_read_with_its_need_of_a_selling_plan(front: Shopfront) -> None:
    front.shop.products[1].requires_selling_plan = True
    await reconcile_shop(front.connections, front.installed, datetime.now(UTC))
    (product,) = [e for e in await logged(front.connections) if isinstance(e, ProductChanged)]
    assert product.requires_selling_plan


async def test_what_is_known_already_is_not_repeated(front: Shopfront) -> None:
    await reconcile(front.connections)
    for event in await logged(front.connections):
        if isinstance(event, ProductChanged):
            await record_product(front.connections, event)
        elif isinstance(event, InventoryChanged):
            await record_inventory(front.connections, event)
        elif isinstance(event, OrderUpdated):
            await record_order(front.connections, event)
    assert await reconcile_shop(front.connections, front.installed, datetime.now(UTC)) == 0


async def test_a_change_is_looked_for_since_the_last_time(front: Shopfront) -> None:
    later = datetime.now(UTC) + timedelta(hours=3)
    await reconcile_shop(front.connections, front.installed, later)
    assert await reconcile_shop(front.connections, front.installed, later) == 0


async def test_a_last_time_by_a_clock_that_was_put_back_hides_no_change(front: Shopfront) -> None:
    now = datetime.now(UTC)
    missed = await reconcile_shop(front.connections, front.installed, now + timedelta(days=1))
    assert await reconcile_shop(front.connections, front.installed, now) == missed


async def test_a_shop_that_cannot_be_asked_holds_up_no_other(front: Shopfront) -> None:
    await front.http.post("/control/uninstall")
    await reconcile(front.connections)
    assert await logged(front.connections) == []


async def test_a_shop_that_tells_what_nobody_can_read_holds_up_no_other(front: Shopfront) -> None:
    (customer,) = front.shop.customers.values()
    customer.id, customer.updated_at = 0, datetime.now(UTC)
    await reconcile(front.connections)
    assert any(isinstance(event, ProductChanged) for event in await logged(front.connections))


async def test_what_may_not_be_read_holds_up_nothing_else_and_is_caught_up_with_once_it_may(
    connections: Connections,
) -> None:
    async with installed(connections, SCOPES.replace("read_products,", "")) as front:
        now = datetime.now(UTC)
        front.shop.products[1].updated_at = front.shop.customers[7].updated_at = now
        await reconcile_shop(front.connections, front.installed, now + timedelta(hours=3))
        told = {type(event) for event in await logged(front.connections)}
        assert (CustomerChanged in told, ProductChanged in told) == (True, False)
        await front.http.post("/control/scopes", json={"scopes": SCOPES.split(",")})
        await reconcile_shop(front.connections, front.installed, now + timedelta(hours=4))
        told = {type(event) for event in await logged(front.connections)}
        assert (CustomerChanged in told, ProductChanged in told) == (False, True)


async def test_a_customers_opt_out_that_no_webhook_told_of_is_put_into_the_log(front: Shopfront) -> None:
    (customer,) = front.shop.customers.values()
    customer.data_sale_opt_out, customer.updated_at = True, datetime.now(UTC)
    await reconcile(front.connections)
    events = await logged(front.connections)
    (change,) = [event for event in events if isinstance(event, CustomerChanged)]
    assert (change.customer_id, change.data_sale_opt_out) == (customer.id, True)


async def test_a_shop_that_moved_is_known_as_it_is_now(front: Shopfront) -> None:
    front.shop.currency, front.shop.timezone = "EUR", "Europe/Berlin"
    await reconcile(front.connections)
    shop = await get_shop(front.connections, front.installed.shop)
    assert shop is not None
    assert (shop.currency, shop.time_zone) == ("EUR", "Europe/Berlin")
    assert shop.name == front.installed.name


async def test_a_shop_that_stayed_as_it_was_is_not_announced_as_changed(front: Shopfront) -> None:
    before = await revisions(front.connections.redis, [front.installed.shop])
    await reconcile(front.connections)
    assert await revisions(front.connections.redis, [front.installed.shop]) == before
