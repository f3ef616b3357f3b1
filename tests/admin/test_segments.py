from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from app.connections import Connections
from app.profiles.customer import Bought, Profile
from app.profiles.keys import customer_key
from app.profiles.packed import pack
from app.tables import OrderLineRow, OrderRow, ProductRow, VariantRow
from tests.admin.factories import (
    SHOP,
    keep,
    now,
    opened,
    shop_row,
)
from tests.admin.segment_factories import WHY, keep_segments


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def sell(connections: Connections) -> None:
    """Sell to ten customers: number n ordered n times, the last time 5 (10 - n) days ago."""
    await keep(connections, shop_row())
    async with connections.write() as db:
        for customer in range(1, 11):
            for number in range(customer):
                at = now() - timedelta(days=5 * (10 - customer) + 7 * number)
                order_id = 100 * customer + number
                db.add(OrderRow(shop=SHOP, order_id=order_id, customer_id=customer, currency="USD",
                                total_minor=1_000, created_at=at, updated_at=at))  # fmt: skip
                db.add(OrderLineRow(shop=SHOP, line_id=order_id, order_id=order_id, product_id=10,
                                    quantity=1, price_minor=1_000))  # fmt: skip


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/admin/segments", "No segments yet"),
        ("/admin/customer", "Find a customer"),
        ("/admin/segments/meanings", "Nothing to judge yet"),
        ("/admin/segments/own", "A new segment"),
        ("/admin/segments/approach", "Cold: shoppers you don't know yet"),
        ("/admin/segments/shopify", "Shopify&#39;s groups are not read yet"),
        ("/admin/segments/review", "Nobody to look at"),
    ],
)
async def test_empty_shop_is_told_what_comes(
    connections: Connections, browser: httpx.AsyncClient, path: str, says: str
) -> None:
    await keep(connections, shop_row())
    assert says.replace("&#39;", "'") in (await opened(browser, path)).replace("&#39;", "'")


async def test_sizes_and_moves_are_told_with_the_sentence_of_each_move(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    text = await opened(browser, "/admin/segments")
    assert 'heading="5 customers"' in text
    assert "2 customers to look at" in text
    # two of five champions now, one twenty days ago
    assert "<s-table-cell>2</s-table-cell> <s-table-cell>40.0%</s-table-cell> <s-table-cell>+1<" in text
    assert "<span>Loyal → Champions</span><span>1</span>" in text
    assert "1 customer came into a segment for the first time" in text
    assert f"Loyal → Champions</s-table-cell> <s-table-cell>{WHY}" in text


async def test_customers_of_a_segment_are_listed_each_with_their_reason(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    text = await opened(browser, "/admin/segments", name="champions")
    assert "Champions: customers and why" in text
    assert text.count("/admin/customer?") >= 2
    assert "the most telling segment of any customer" in await opened(
        browser, "/admin/segments", name="<nothing>"
    )


async def test_customers_card_says_why_they_are_in_each_segment(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    text = await opened(browser, "/admin/customer", id="gid://shopify/Customer/10")
    assert WHY in text
    assert "Interested browsers" in text
    assert "5 · 5 · 5 of 5" in text
    assert "$123.45" in text
    assert "At risk, predicted" in text
    assert "The same as our RFM segment" in text
    assert "Nothing → Loyal" in text


async def test_card_says_what_a_customer_is_drawn_to(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    at = now()
    kept = {"title": "Tea", "product_type": "Teas", "vendor": "Leaf", "created_at": at, "updated_at": at}
    for number, price in ((801, 300), (802, 900)):
        variant = VariantRow(shop=SHOP, variant_id=number, product_id=number, price_minor=price)
        await keep(connections, ProductRow(shop=SHOP, product_id=number, **kept), variant)
    assert "Drawn to" not in await opened(browser, "/admin/customer", id="10")
    bought = {802: Bought(2, int(at.timestamp()))}
    profile = Profile(orders_count=4, gross_minor=1_000, refunded_minor=250, discounted=1, bought=bought)
    await connections.redis.set(customer_key(SHOP, 10), pack(profile))
    text = await opened(browser, "/admin/customer", id="10")
    for said in ("Teas 100%", "Leaf 100%", "Chooses the dearer ones", "25%"):
        assert said in text


async def test_card_says_why_shopify_differs_and_that_a_pin_is_the_merchants(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    text = await opened(browser, "/admin/customer", id="11")
    assert "Shopify says Loyal: it sees recent purchases and not very recent purchases" in text
    assert "An order of $9,000.00" in text
    pinned = await opened(browser, "/admin/customer", id="13")
    assert "Pinned by you" in pinned
    assert "Pinned to Loyal By staff member 42" in pinned


async def test_number_that_is_nobodys_or_none_is_told_as_such(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    assert "Customer 99 is in no segment" in await opened(browser, "/admin/customer", id="99")
    for wrong in ("ann@example.com", "-1", "9" * 30, "<script>"):
        assert "all digits" in await opened(browser, "/admin/customer", id=wrong)


async def test_meanings_are_in_the_shops_own_numbers_beside_what_speaks_for_them(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    text = await opened(browser, "/admin/segments/meanings")
    assert "Orders more than 8 in the last 30 days." in text
    assert "recency 5 of 5, orders and spend on average 4 to 5" in text
    assert "Predicted to buy nothing in the next 28 days, with a probability of 31% or more." in text
    assert "9 or more" in text  # orders that score 5
    assert "<s-table-cell>0.850</s-table-cell> <s-table-cell>0.752</s-table-cell>" in text
    assert "In use</s-badge> <s-text>Better than days since the last order alone" in text
    assert "Not in use</s-badge> <s-text>Too few customers" in text
    assert "In use: the same spend again." in text
    assert "$279.69" in text


async def test_shopifys_groups_are_compared_and_each_difference_has_its_reason_and_customers(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    text = await opened(browser, "/admin/segments/shopify")
    # 10 the same; 11 and 12 not; 13 and 14 not read yet
    assert "The same for 33.3% of 3 customers" in text
    assert "2 customers not read yet" in text
    assert (
        "Shopify says Almost lost: it sees fewer orders, lower spend and not infrequent orders, low spend."
        in text
    )
    cell = await opened(browser, "/admin/segments/shopify", ours="dormant", theirs="almost_lost")
    assert "Dormant here, Almost lost at Shopify" in cell
    assert 'accessibilityLabel="Customer 12"' in cell
    assert 'accessibilityLabel="Customer 11"' not in cell
