"""What only a delivery of its own tells, and which of it is found again when that was lost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, delete, select, update

from app.catalog.cost_store import read_costs, record_cost
from app.catalog.store import load_catalog, record_inventory, record_product
from app.connections import Connections
from app.coupons.signed import ATTRIBUTE
from app.events.consume import work_off
from app.events.kinds import CostChanged, InventoryChanged
from app.events.log import EventConsumer
from app.shops.changes import revisions
from app.tables import CustomerRow, InventoryRow, OrderLineRow, OrderRow, RefundRow, VariantRow
from app.worker import HANDLERS
from devstore.payloads import product as product_payload
from devstore.records import Allocation, Variant
from devstore.schema import MODULES
from devstore.shop import refund
from tests.devstore.conftest import past_order
from tests.webhooks.shopfront import Shopfront, installed
from webhooks.delivery import Delivery
from webhooks.locations import note_locations
from webhooks.payload import Payload
from webhooks.read_catalog import read_product
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
    async for key in front.connections.redis.scan_iter(match="tw:{corner.myshopify.com}:reconciled:*"):
        await front.connections.redis.delete(key)
    consumer = EventConsumer(front.connections.redis, "test")
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(front.connections, consumer, HANDLERS, deliveries)
    return missed


async def available(front: Shopfront, variant_id: int) -> int | None:
    async with front.connections.read() as db:
        row = await db.get(VariantRow, (front.shop.domain, variant_id))
    assert row is not None
    return row.available


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


async def test_a_grant_is_found_among_all_discounts_that_an_order_may_have(front: Shopfront) -> None:
    (order,) = front.shop.orders.values()
    taken = tuple(Allocation(f"OFF {each}", 1, automatic=each == 25) for each in range(26))
    order.lines = (replace(order.lines[0], allocations=taken), *order.lines[1:])
    order.attributes = ((ATTRIBUTE, f"1.4f9d0c1b2a3e5d67..c7.9c5c35ae84fa.{'ab' * 32}"),)
    order.updated_at += timedelta(seconds=1)
    assert await look(front) == 1
    async with front.connections.read() as db:
        (used,) = await db.exec(select(OrderRow.discount_codes))
    assert used[-1]["titles"] == ["OFF 25"]


async def test_an_order_whose_bundle_no_webhook_names_is_read_again(front: Shopfront) -> None:
    async with front.connections.write() as db:
        await db.exec(update(OrderLineRow).values(bundle_id=7))
    await look(front)
    async with front.connections.read() as db:
        assert (await db.exec(select(OrderLineRow.bundle_id))).all() == [None], "the Admin API knows of none"


async def test_stock_is_found_though_its_product_is_known_as_it_stands(front: Shopfront) -> None:
    front.shop.variants[103].inventory = 3
    assert await look(front) == 1
    assert await available(front, 103) == 3


async def test_what_is_not_counted_any_more_is_found(front: Shopfront) -> None:
    front.shop.variants[104].tracked = False
    assert await look(front) == 1
    assert await available(front, 104) is None
    assert await look(front) == 0


async def test_stock_that_is_counted_from_now_on_is_found(front: Shopfront) -> None:
    front.shop.variants[104].tracked = False
    await look(front)
    front.shop.variants[104].tracked = True
    assert await look(front) == 1
    assert await available(front, 104) == 0


async def test_a_product_told_by_its_webhook_alone_is_in_stock_if_it_is_not_counted(front: Shopfront) -> None:
    front.shop.variants[104].tracked = False
    async with front.connections.write() as db:
        await db.exec(delete(VariantRow).where(col(VariantRow.variant_id) == 104))
        await db.exec(delete(InventoryRow).where(col(InventoryRow.inventory_item_id) == 904))
    told = product_payload(front.shop, front.shop.products[4])
    delivery = Delivery(front.shop.domain, "products/create", "e", datetime.now(UTC), "USD")
    event = read_product(Payload(told), delivery)
    assert event.variants[0].tracked is None  # webhooks do not say
    await record_product(front.connections, event)
    assert await available(front, 104) == 0
    await look(front)
    assert await available(front, 104) is None


async def test_stock_at_a_place_that_the_shop_has_no_more_is_let_go_of(front: Shopfront) -> None:
    closed = InventoryChanged(
        shop=front.shop.domain, event_id="closed", happened_at=front.shop.products[4].updated_at,
        inventory_item_id=904, location_id=77, available=10, updated_at=front.shop.products[4].updated_at,
    )  # fmt: skip
    await record_inventory(front.connections, closed)
    assert await available(front, 104) == 10
    assert await look(front) == 1
    assert await available(front, 104) == 0
    assert await look(front) == 0


async def test_what_lies_where_nothing_is_sold_online_is_sold_out(front: Shopfront) -> None:
    """Shopify counts it all the same, and none of that is missed."""
    assert await available(front, 101)
    front.shop.sells_online = False
    await note_locations(front.connections, front.shop.domain)
    assert await available(front, 101) == 0
    catalog = await load_catalog(front.connections, front.shop.domain)
    assert not catalog.available_ids
    assert await look(front) == 0
    front.shop.variants[101].inventory = 3
    assert await look(front) == 1
    assert await available(front, 101) == 0
    front.shop.sells_online = True
    await note_locations(front.connections, front.shop.domain)
    assert await available(front, 101) == 3


async def test_what_lay_at_a_place_that_was_closed_is_sold_out(front: Shopfront) -> None:
    front.shop.location_is_open = False
    await note_locations(front.connections, front.shop.domain)
    assert await available(front, 101) == 0


async def test_a_product_told_by_its_webhook_alone_is_sold_out_where_it_is_not_sold_online(
    front: Shopfront,
) -> None:
    front.shop.sells_online = False
    await note_locations(front.connections, front.shop.domain)
    async with front.connections.write() as db:
        await db.exec(delete(VariantRow).where(col(VariantRow.variant_id) == 101))
        await db.exec(delete(InventoryRow).where(col(InventoryRow.inventory_item_id) == 901))
    told = product_payload(front.shop, front.shop.products[1])
    delivery = Delivery(front.shop.domain, "products/create", "e", datetime.now(UTC), "USD")
    await record_product(front.connections, read_product(Payload(told), delivery))
    assert await available(front, 101)
    await look(front)
    assert await available(front, 101) == 0


async def costs(front: Shopfront) -> dict[int, int]:
    """Return what the variants cost, as Shopify told it."""
    async with front.connections.read() as db:
        return dict((await read_costs(await db.connection(), front.shop.domain)).by_variant)


async def test_what_an_item_costs_is_found_when_nobody_told_and_when_it_is_no_longer_known(
    front: Shopfront,
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for each, cost in ((101, 250), (102, 0)):
        front.shop.variants[each].cost_minor, front.shop.variants[each].cost_at = cost, now
    assert await look(front) == 2
    assert await costs(front) == {101: 250, 102: 0}
    assert await look(front) == 0
    front.shop.variants[101].cost_minor, front.shop.variants[101].cost_at = None, now
    assert await look(front) == 1
    assert await costs(front) == {102: 0}


async def test_a_cost_of_later_is_not_taken_for_missed(front: Shopfront) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    front.shop.variants[101].cost_minor, front.shop.variants[101].cost_at = 250, now
    told = CostChanged(
        shop=front.shop.domain, event_id="later", happened_at=now + LATER, inventory_item_id=901,
        cost_minor=260, updated_at=now + LATER,
    )  # fmt: skip
    await record_cost(front.connections, told)
    assert await look(front) == 0
    assert await costs(front) == {101: 260}


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


@pytest.mark.parametrize("flag", ["requires_selling_plan", "gift_card"])
async def test_what_no_offer_is_made_of_is_not_offered_though_no_webhook_says_so(
    front: Shopfront, flag: str
) -> None:
    before = await revisions(front.connections.redis, [front.shop.domain])
    setattr(front.shop.products[2], flag, True)
    await look(front)
    assert 2 not in (await load_catalog(front.connections, front.shop.domain)).available_ids
    assert await revisions(front.connections.redis, [front.shop.domain]) != before


async def test_a_selling_plan_of_a_product_unchanged_for_long_is_found_once_a_day(front: Shopfront) -> None:
    for product in front.shop.products.values():
        product.updated_at -= timedelta(days=900)
    front.shop.products[2].requires_selling_plan = True
    await look(front)
    assert 2 in (await load_catalog(front.connections, front.shop.domain)).available_ids
    await front.connections.redis.delete("tw:{corner.myshopify.com}:gone_looked_for")
    await look(front)
    assert 2 not in (await load_catalog(front.connections, front.shop.domain)).available_ids


async def test_a_product_that_is_scheduled_is_offered_once_its_time_has_come(front: Shopfront) -> None:
    product = front.shop.products[2]
    product.created_at = datetime.now(UTC) + timedelta(hours=2)  # from when on the dev store sells it
    await look(front)
    catalog = await load_catalog(front.connections, front.shop.domain)
    assert catalog.available_ids == {1, 3}
    product.created_at = datetime.now(UTC) - timedelta(hours=2)
    await front.connections.redis.delete("tw:{corner.myshopify.com}:gone_looked_for")
    product.updated_at -= timedelta(days=40)  # that it is published now is no change of it
    await look(front)
    catalog = await load_catalog(front.connections, front.shop.domain)
    assert catalog.available_ids == {1, 2, 3}


async def test_variants_that_no_webhook_describes_are_found(front: Shopfront) -> None:
    product = front.shop.products[2]
    for number in range(1_000, 1_100):
        more = Variant(number, 2, str(number), 500, 3, number + 10_000)
        product.variants.append(more)
        front.shop.variants[number] = more
    told = product_payload(front.shop, product)
    told["variants"] = told["variants"][:100]  # of 101
    delivery = Delivery(front.shop.domain, "products/update", "e", datetime.now(UTC), "USD")
    await record_product(front.connections, read_product(Payload(told), delivery))
    assert await prices(front, 1_099) == []
    await look(front)
    assert await prices(front, 1_099) == [500]
    more.price_minor = 900
    await look(front)
    assert await prices(front, 1_099) == [900]


async def prices(front: Shopfront, variant_id: int) -> list[int]:
    catalog = await load_catalog(front.connections, front.shop.domain)
    return [each.price_minor for each in catalog.products[2].variants if each.variant_id == variant_id]
