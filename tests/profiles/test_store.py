import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import Answers
from app.consent.told import pack as pack_told
from app.consent.told import told_key
from app.events.kinds import CustomerChanged, CustomerDeleted, OrderDeleted, RefundCreated, RefundLine
from app.events.store import record_events
from app.orders.customers import record_customers
from app.orders.store import record_refund, remove_order
from app.profiles.customer import REFUSED, Profile
from app.profiles.history import MOST_TOGETHER, checkouts_of, seen_at
from app.profiles.keys import checkout_key, client_key, customer_key
from app.profiles.packed import pack, unpack_profile, unpack_visit
from app.profiles.store import (
    VISIT_TTL_S,
    follow_customers,
    forget,
    forget_customer,
    rebuild,
    refresh_customers,
    remember_refund,
)
from app.tables import CustomerRow, OrderLineRow, OrderRow, ShopRow
from app.values import ShopDomain
from tests.profiles.factories import NOW, a_view, an_order, browse, place

SHOP = ShopDomain("a.myshopify.com")


async def at(connections: Connections, key: str) -> Profile:
    return unpack_profile(await connections.redis.get(key))


async def viewed(connections: Connections, key: str) -> tuple[int, ...]:
    return unpack_visit(await connections.redis.get(key)).last_viewed


async def times_bought(connections: Connections, customer_id: int) -> dict[int, int]:
    profile = await at(connections, customer_key(SHOP, customer_id))
    return {product_id: bought.times for product_id, bought in profile.bought.items()}


def rows(order_id: int, customer_id: int | None, product_id: int, day: int = 0) -> list[Any]:
    at = NOW + timedelta(days=day)
    order = OrderRow(
        shop=SHOP, order_id=order_id, customer_id=customer_id, currency="USD", total_minor=1000,
        created_at=at, updated_at=at,
    )  # fmt: skip
    line = OrderLineRow(
        shop=SHOP, line_id=order_id, order_id=order_id, product_id=product_id, quantity=1,
        price_minor=1000,
    )  # fmt: skip
    return [order, line]


async def test_an_order_is_added_to_its_customer(connections: Connections) -> None:
    await place(connections, an_order(1, [10]))
    await place(connections, an_order(1, [10]))
    assert await times_bought(connections, 7) == {10: 1}


async def test_a_guest_order_is_nobodys(connections: Connections) -> None:
    await place(connections, an_order(1, [10], customer_id=None))
    assert await connections.redis.dbsize() == 0


@pytest.mark.parametrize("whose", [8, None])
async def test_an_order_that_is_anothers_now_leaves_the_profile_it_was_in(
    connections: Connections, whose: int | None
) -> None:
    await place(connections, an_order(1, [10]))
    await place(connections, an_order(1, [10], customer_id=whose, updated_at=NOW + timedelta(hours=1)))
    assert await times_bought(connections, 7) == {}
    assert whose is None or await times_bought(connections, whose) == {10: 1}


async def test_orders_of_one_customer_at_the_same_moment_are_all_kept(
    connections: Connections,
) -> None:
    placed = [an_order(n, [n], day=n) for n in range(1, 9)]
    await asyncio.gather(*(place(connections, order) for order in placed))
    assert (await at(connections, customer_key(SHOP, 7))).orders_count == 8


async def test_a_visit_is_kept_for_a_day_under_its_browser(connections: Connections) -> None:
    await browse(connections, a_view(10))
    assert await viewed(connections, client_key(SHOP, "browser")) == (10,)
    assert 0 < await connections.redis.ttl(client_key(SHOP, "browser")) <= VISIT_TTL_S


async def test_a_checkout_knows_what_its_visit_looked_at(connections: Connections) -> None:
    await browse(connections, a_view(10))
    started = a_view(None, 1, name="checkout_started", checkout_token="token", data={})
    await browse(connections, started)
    assert await viewed(connections, checkout_key(SHOP, "token")) == (10,)


async def test_of_made_up_checkouts_and_browsers_no_more_is_read_than_a_shopper_has(
    connections: Connections,
) -> None:
    many = range(MOST_TOGETHER + 2)
    await record_events(
        connections,
        [
            *(a_view(each, each, event_id=f"browser:1-{each}", checkout_token=f"t{each}") for each in many),
            *(a_view(None, each, event_id=f"browser:2-{each}", client_id=f"c{each}", checkout_token="crowd")
              for each in many),
            *(a_view(each, each - 60, event_id=f"browser:3-{each}", client_id=f"c{each}") for each in many),
        ],
    )  # fmt: skip
    since = NOW - timedelta(days=1)
    async with connections.read() as db:
        assert await checkouts_of(db, SHOP, "browser", since) == [f"t{each}" for each in many[:1:-1]]
        seen = await seen_at(db, SHOP, "crowd", since)
    assert [each.data["product_id"] for each in seen if each.data["product_id"]] == [*many[:1:-1]]


async def test_without_analytics_consent_nothing_is_stored(connections: Connections) -> None:
    for permitted in [(), ("marketing", "preferences"), ("sale_of_data",)]:
        await browse(connections, a_view(10, permitted=permitted))
    assert await connections.redis.dbsize() == 0


async def test_a_browser_cannot_write_into_a_customers_profile(connections: Connections) -> None:
    everything = ("analytics", "marketing", "preferences")
    await browse(connections, a_view(10, customer_id=7, permitted=everything))
    assert await connections.redis.exists(customer_key(SHOP, 7)) == 0


async def test_rebuilding_folds_every_order_of_the_shop(connections: Connections) -> None:
    async with connections.write() as db:
        for customer in range(1, 451):  # more than two batches
            db.add_all(rows(customer, customer, product_id=customer))
        db.add_all(rows(1000, 1, product_id=5, day=1))
        db.add_all(rows(1001, None, product_id=5))
    assert await rebuild(connections, SHOP) == 450
    assert await times_bought(connections, 1) == {1: 1, 5: 1}
    assert (await at(connections, customer_key(SHOP, 450))).orders_count == 1
    assert await rebuild(connections, ShopDomain("b.myshopify.com")) == 0


async def test_what_was_ordered_before_shopify_shows_it_counts_by_its_number_alone(
    connections: Connections,
) -> None:
    people = {7: 12, 8: 5, 9: 0, 10: 4}
    async with connections.write() as db:
        db.add_all(
            CustomerRow(
                shop=SHOP,
                customer_id=who,
                orders_count=told,
                updated_at=NOW,
                deleted_at=NOW if who == 10 else None,
            )
            for who, told in people.items()
        )
        db.add_all([*rows(1, 7, product_id=10), *rows(2, 9, product_id=10)])
    assert await rebuild(connections, SHOP) == 3
    ever = [(await at(connections, customer_key(SHOP, who))).orders_ever for who in people]
    assert ever == [12, 5, 1, 0]
    assert await connections.redis.exists(customer_key(SHOP, 10)) == 0, "who is gone has no profile"


async def test_how_many_orders_shopify_tells_of_is_followed(connections: Connections) -> None:
    async def told(orders: int, day: int) -> int:
        later = NOW + timedelta(days=day)
        event = CustomerChanged(
            shop=SHOP, event_id=f"c{day}", happened_at=later, customer_id=7, orders_count=orders,
            email_marketing=None, sms_marketing=None, data_sale_opt_out=None, created_at=None,
            updated_at=later,
        )  # fmt: skip
        await record_customers(connections, [event])
        await follow_customers(connections, [event])
        return (await at(connections, customer_key(SHOP, 7))).orders_ever

    assert [await told(3, 1), await told(0, 2), await told(3, 3)] == [3, 0, 3]
    await place(connections, an_order(1, [10]))
    profile = await at(connections, customer_key(SHOP, 7))
    assert (profile.orders_count, profile.orders_ever) == (1, 3)


async def test_what_was_spent_before_shopify_shows_it_is_told_to_the_profile(
    on_both_databases: Connections,
) -> None:
    event = CustomerChanged(
        shop=SHOP, event_id="c", happened_at=NOW, customer_id=7, orders_count=9, email_marketing=None,
        sms_marketing=None, data_sale_opt_out=None, created_at=None, updated_at=NOW, spent_minor=90_000,
        last_order_at=NOW - timedelta(days=100),
    )  # fmt: skip
    await record_customers(on_both_databases, [event])
    await follow_customers(on_both_databases, [event])
    profile = await at(on_both_databases, customer_key(SHOP, 7))
    told = (profile.orders_ever, profile.spent_ever_minor, profile.aov_minor, profile.last_ever_at)
    assert told == (9, 90_000, 10_000, int((NOW - timedelta(days=100)).timestamp()))
    await place(on_both_databases, an_order(1, [10]))
    profile = await at(on_both_databases, customer_key(SHOP, 7))
    assert (profile.orders_ever, profile.last_ever_at) == (10, profile.last_order_at)


async def test_orders_that_we_have_are_not_counted_again_once_shopify_tells_them_without_their_time(
    on_both_databases: Connections,
) -> None:
    await place(on_both_databases, an_order(1, [10]))
    later = NOW + timedelta(days=200)  # the last order is older than Shopify shows
    event = CustomerChanged(
        shop=SHOP, event_id="c", happened_at=later, customer_id=7, orders_count=3, email_marketing=None,
        sms_marketing=None, data_sale_opt_out=None, created_at=None, updated_at=later, spent_minor=9_000,
    )  # fmt: skip
    await record_customers(on_both_databases, [event])
    await follow_customers(on_both_databases, [event])
    profile = await at(on_both_databases, customer_key(SHOP, 7))
    assert (profile.orders_ever, profile.spent_ever_minor) == (3, 9_000)
    await place(on_both_databases, an_order(2, [10], day=201))
    profile = await at(on_both_databases, customer_key(SHOP, 7))
    assert (profile.orders_ever, profile.spent_ever_minor) == (4, 10_000)


async def test_rebuilding_twice_or_beside_live_orders_counts_each_once(
    connections: Connections,
) -> None:
    async with connections.write() as db:
        db.add_all(rows(1, 7, product_id=10))
    await place(connections, an_order(1, [10]))
    await place(connections, an_order(2, [20], day=1))
    await rebuild(connections, SHOP)
    await rebuild(connections, SHOP)
    assert await times_bought(connections, 7) == {10: 1, 20: 1}


async def test_what_was_given_back_is_taken_off_the_profile(connections: Connections) -> None:
    await place(connections, an_order(1, [10]))
    refund = RefundCreated(
        shop=SHOP, event_id="r", happened_at=NOW, refund_id=1, order_id=1, created_at=NOW,
        lines=(RefundLine(line_id=1000, quantity=1, amount_minor=400),),
    )  # fmt: skip
    await record_refund(connections, refund)
    await remember_refund(connections, refund)
    profile = await at(connections, customer_key(SHOP, 7))
    assert (profile.spent_minor, profile.return_rate) == (600, 0.4)


@pytest.mark.parametrize(
    ("goods", "shipping", "tax", "orders", "spent"),
    [
        (1000, 0, 0, 0, 0),  # all goods: the tax, 80, went back with them and is told nowhere
        (1000, 60, 0, 0, 0),
        (1200, 0, 0, 0, 0),  # 120 too much, and nothing else was spent
        (400, 0, 0, 1, 680),
        (400, 0, 32, 1, 648),
        (950, 60, 0, 1, 70),  # the last of the goods stayed
        (950, 0, 76, 1, 54),  # and its tax
    ],
)
async def test_who_was_given_all_goods_back_bought_nothing(
    connections: Connections, goods: int, shipping: int, tax: int, orders: int, spent: int
) -> None:
    await place(connections, an_order(1, [10], subtotal_minor=1000, total_minor=1080))
    refund = RefundCreated(
        shop=SHOP, event_id="r", happened_at=NOW, refund_id=1, order_id=1, created_at=NOW,
        lines=(RefundLine(line_id=1, quantity=1, amount_minor=goods),), shipping_minor=shipping,
        tax_minor=tax,
    )  # fmt: skip
    await record_refund(connections, refund)
    await remember_refund(connections, refund)
    profile = await at(connections, customer_key(SHOP, 7))
    assert (profile.orders_count, profile.spent_minor) == (orders, spent)


async def test_what_was_given_back_or_removed_from_an_order_is_not_bought(connections: Connections) -> None:
    await place(connections, an_order(1, [10, 20]))
    refund = RefundCreated(
        shop=SHOP, event_id="r", happened_at=NOW, refund_id=5, order_id=1, created_at=NOW,
        lines=(RefundLine(line_id=1001, quantity=1, amount_minor=500),),
    )  # fmt: skip
    await record_refund(connections, refund)
    await remember_refund(connections, refund)
    assert await times_bought(connections, 7) == {10: 1}


async def test_a_deleted_order_leaves_its_customers_profile(connections: Connections) -> None:
    for number in (1, 2):
        await place(connections, an_order(number, [10 * number]))
    gone = OrderDeleted(shop=SHOP, event_id="gone", happened_at=NOW, order_id=1, currency="USD")
    await remove_order(connections, gone)
    await remember_refund(connections, gone)
    assert await times_bought(connections, 7) == {20: 1}


async def test_any_order_of_arrival_leads_to_the_same_profile_bit_for_bit(connections: Connections) -> None:
    placed = [an_order(n, [n, 10 * n], day=-n) for n in range(1, 6)]
    cancelled = an_order(2, [2, 20], day=-2, cancelled_at=NOW, updated_at=NOW)
    for order in [*placed, cancelled]:
        await place(connections, order)
    key = customer_key(SHOP, 7)
    first = await connections.redis.get(key)
    for order in [cancelled, *reversed(placed), *placed]:
        await place(connections, order)
    assert await connections.redis.get(key) == first
    await connections.redis.flushall()
    await rebuild(connections, SHOP)
    assert await connections.redis.get(key) == first


async def test_another_account_on_the_same_browser_starts_with_nothing(connections: Connections) -> None:
    known = ("analytics", "marketing", "preferences")
    await browse(connections, a_view(10, -3, customer_id=7, permitted=known))
    await browse(connections, a_view(20, -2, customer_id=8, permitted=known))
    assert await viewed(connections, client_key(SHOP, "browser")) == (20,)


async def test_a_forgotten_customer_leaves_nothing_behind(connections: Connections) -> None:
    await place(connections, an_order(1, [10]))
    await browse(connections, a_view(10, checkout_token="token"))
    await forget_customer(
        connections,
        CustomerDeleted(shop=SHOP, event_id="d", happened_at=NOW, customer_id=7),
    )
    forgotten = await forget(connections, SHOP, client_id="browser", checkout_tokens=["token"])
    assert forgotten == 2
    assert await connections.redis.dbsize() == 0


async def test_shops_do_not_share_customers(connections: Connections) -> None:
    await place(connections, an_order(1, [10], shop="b.myshopify.com"))
    theirs = await at(connections, customer_key("b.myshopify.com", 7))
    assert (theirs.orders_count, list(theirs.bought)) == (1, [10])
    assert await connections.redis.exists(customer_key(SHOP, 7)) == 0


async def told(connections: Connections, customer_id: int, **answers: bool) -> None:
    subject = (await open_digests(connections)).of(SHOP, "customer", customer_id)
    await connections.redis.set(told_key(SHOP, subject), pack_told(Answers(**answers)))


async def test_no_order_is_remembered_of_who_refuses_a_profile(connections: Connections) -> None:
    await place(connections, an_order(1, [10]))
    await told(connections, 7, preferences=True, marketing=False)
    await place(connections, an_order(2, [20], day=1))
    assert await at(connections, customer_key(SHOP, 7)) == REFUSED
    await told(connections, 7, preferences=True, marketing=True)
    await place(connections, an_order(3, [30], day=2))
    assert await times_bought(connections, 7) == {10: 1, 20: 1, 30: 1}


async def test_a_refused_profile_stays_refused_until_an_outspoken_yes(connections: Connections) -> None:
    await connections.redis.set(customer_key(SHOP, 7), pack(REFUSED))
    await place(connections, an_order(1, [10]))
    await told(connections, 7, marketing=True)
    await place(connections, an_order(2, [20]))
    assert await at(connections, customer_key(SHOP, 7)) == REFUSED


async def test_a_refusal_that_an_earlier_version_packed_stays_one(connections: Connections) -> None:
    packed = [0, 0, None, None, 0, 0, 0, 0, {}, None, [], True, None, 0, None, None, 0, 0]
    await connections.redis.set(customer_key(SHOP, 7), msgspec.msgpack.encode(packed))
    await place(connections, an_order(1, [10]))
    assert await at(connections, customer_key(SHOP, 7)) == REFUSED


async def test_a_refusal_beside_a_rebuild_wins(connections: Connections) -> None:
    async with connections.write() as db:
        for customer in (7, 8):
            db.add_all(rows(customer, customer, product_id=10))
    await told(connections, 7, preferences=False)
    assert await rebuild(connections, SHOP) == 2
    assert await at(connections, customer_key(SHOP, 7)) == REFUSED
    assert await times_bought(connections, 8) == {10: 1}


async def test_orders_and_refusals_at_the_same_moment_end_refused(connections: Connections) -> None:
    placed = [an_order(n, [n], day=n) for n in range(1, 6)]
    refusal = told(connections, 7, preferences=False)
    await asyncio.gather(*(place(connections, order) for order in placed), refusal)
    await refresh_customers(connections, SHOP, [7])
    assert await at(connections, customer_key(SHOP, 7)) == REFUSED


async def test_on_consent_alone_a_rebuild_removes_what_was_prepared(connections: Connections) -> None:
    async with connections.write() as db:
        settings = {"profile_basis": "on_consent"}
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW, settings=settings))
        for customer in (7, 8):
            db.add_all(rows(customer, customer, product_id=10))
    await connections.redis.set(customer_key(SHOP, 7), pack(Profile(orders_count=1)))
    await told(connections, 8, preferences=True, marketing=True)
    await rebuild(connections, SHOP)
    assert await connections.redis.exists(customer_key(SHOP, 7)) == 0
    assert await times_bought(connections, 8) == {10: 1}
