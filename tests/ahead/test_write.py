"""Offers as they arrive in a shop: the dev store holds them, within Shopify's limits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, update

from app.ahead.due import make_due, request_due_offers
from app.ahead.switch import status, switch_offers_ahead
from app.ahead.write import write_offers_ahead
from app.connections import Connections, redis_key
from app.errors import ShopifyUnavailable
from app.events.kinds import AppUninstalled
from app.experiments.design import read_design
from app.experiments.versions import draft, start
from app.outbound import offer_metafield_writing
from app.outbound.metafields import set_metafields
from app.outbound.offer_metafield_store import count_held
from app.outbound.offer_metafield_writing import take_back
from app.outbound.write_back import request_due_write_backs, write_back
from app.profiles.customer import Bought, Profile
from app.profiles.keys import customer_key
from app.profiles.packed import pack
from app.recommend.publish import publish
from app.shops.store import get_shop
from app.tables import ProductRow, VariantRow
from app.worker import HANDLERS
from devstore.host_state import state
from devstore.records import Checkout, Customer, ItemLine
from devstore.schema import MODULES
from tests.experiments.test_design import a_design
from tests.offers.factories import goes_together
from tests.outbound.segments import answer, change_shop, move
from tests.recommend.test_publish import a_card
from tests.webhooks.shopfront import SCOPES, Shopfront, installed

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
ADA = 7
NOW = datetime.now(UTC)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    """A shop that lets us write, with products 1 to 3 of the dev store known and a model of them."""
    async with installed(connections, f"{SCOPES},write_customers,write_products") as made:
        await stock(made)
        yield made


async def stock(front: Shopfront) -> None:
    shop = front.installed.shop
    async with front.connections.write() as db:
        for at, product in enumerate(front.shop.products.values(), 1):
            db.add(ProductRow(shop=shop, product_id=product.id, title=product.title, created_at=NOW,
                              updated_at=NOW))  # fmt: skip
            db.add(VariantRow(shop=shop, variant_id=100 + at, product_id=product.id, price_minor=100 * at))
    model = goes_together({(10, 20): 0.9}, items=3)
    counted_from_1 = replace(model, product_ids=model.product_ids // 10)
    publish(front.connections.settings.data_dir, shop, counted_from_1, a_card())


async def run(front: Shopfront) -> int:
    return await write_offers_ahead(front.connections, front.installed.shop)


async def bought(front: Shopfront, customer_id: int, product_id: int) -> None:
    """Let the customer have bought the product a week ago."""
    week_ago = int((NOW - timedelta(days=7)).timestamp())
    profile = Profile(
        orders_count=1, last_order_at=week_ago, segments=("loyal",),
        bought={product_id: Bought(1, week_ago)},
    )  # fmt: skip
    shop = front.installed.shop
    await front.connections.redis.set(customer_key(shop, customer_id), pack(profile))
    await move(front.connections, shop, customer_id, "loyal")


def held(front: Shopfront) -> dict[tuple[str, str], Any]:
    assert front.shop.installation is not None
    values = front.shop.installation.metafields.values()
    return {(each.owner.removeprefix("gid://shopify/"), each.key): json.loads(each.value) for each in values}


async def test_the_shop_its_products_and_its_customers_hold_offers(front: Shopfront) -> None:
    await bought(front, ADA, 3)
    assert await run(front) == 5  # the shop, three products that are in stock or not, one customer
    found = held(front)
    shop = found[f"Shop/{front.shop.id}", "offers"]
    assert (shop["v"], shop["currency"], shop["salt"]) == (1, "USD", "corner.myshopify.com")
    assert found["Product/1", "offers"]["offers"][0]["p"] == 2
    assert found["Customer/7", "offers"]["segment"] == "loyal"
    assert (f"Shop/{front.shop.id}", "segment_offers") not in found  # one customer is no segment


async def test_a_checkout_is_handed_what_concerns_it(front: Shopfront) -> None:
    await bought(front, ADA, 3)
    await run(front)
    checkout = Checkout(1, "t" * 32, "USD", NOW, NOW, lines=[ItemLine(1, 101, 1)], customer_id=ADA)
    entries = state(front.shop, checkout, NOW, "http://devstore")["appMetafields"]
    assert {(each["target"]["type"], each["metafield"]["key"]) for each in entries} == {
        ("shop", "offers"), ("product", "offers"), ("customer", "offers")
    }  # fmt: skip
    assert {each["metafield"]["namespace"] for each in entries} == {"$app"}
    assert {each["target"]["id"] for each in entries} >= {
        "gid://shopify/Product/1",
        "gid://shopify/Customer/7",
    }


async def test_only_what_changed_is_written(front: Shopfront) -> None:
    await bought(front, ADA, 3)
    await run(front)
    assert await run(front) == 0
    async with front.connections.write() as db:
        dearer = update(VariantRow).where(col(VariantRow.variant_id) == 102).values(price_minor=999)
        await (await db.connection()).execute(dearer)
    assert await run(front) == 4  # all but the list of product 2, which is in none of its own
    assert held(front)["Product/1", "offers"]["offers"][0]["c"] == "9.99"


async def test_a_product_that_is_gone_loses_its_offers_and_is_in_no_list(front: Shopfront) -> None:
    await run(front)
    async with front.connections.write() as db:
        gone = update(ProductRow).where(col(ProductRow.product_id) == 2).values(published=False)
        await (await db.connection()).execute(gone)
    await run(front)
    found = held(front)
    assert ("Product/2", "offers") not in found
    assert 2 not in [each["p"] for each in found["Product/1", "offers"]["offers"]]


async def test_hundreds_of_products_are_written_25_at_a_time(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    set_them = set_metafields

    async def watched(connections: Connections, shop: str, values: Any) -> dict[int, str]:
        sizes.append(len(values))
        return await set_them(connections, shop, values)

    monkeypatch.setattr(offer_metafield_writing, "set_metafields", watched)
    for who in range(1_000, 1_060):
        front.shop.add_customer(Customer(who, "A", "B", f"{who}@x.com", NOW, NOW))
        await bought(front, who, 3)
    await run(front)
    assert max(sizes) == 25
    assert held(front)[f"Shop/{front.shop.id}", "segment_offers"]["segments"]["loyal"]


@pytest.mark.parametrize("refused", ["preferences", "marketing"])
async def test_who_refuses_holds_nothing_and_loses_what_they_held(front: Shopfront, refused: str) -> None:
    await bought(front, ADA, 3)
    await run(front)
    await answer(front.connections, front.installed.shop, ADA, **{refused: False})
    await run(front)
    assert ("Customer/7", "offers") not in held(front)


async def test_who_refuses_loses_what_they_held_also_while_the_shop_rests(front: Shopfront) -> None:
    await bought(front, ADA, 3)
    await run(front)
    await request_due_write_backs(front.connections)
    waiting = redis_key(front.installed.shop, "waiting", "write_back")
    assert not await front.connections.redis.exists(waiting)
    await move(front.connections, front.installed.shop, ADA)  # as a refusal does
    await request_due_write_backs(front.connections)
    assert await front.connections.redis.exists(waiting)
    await write_back(front.connections, front.installed.shop)
    assert ("Customer/7", "offers") not in held(front)


async def test_without_the_permissions_the_shops_own_offers_are_written(connections: Connections) -> None:
    async with installed(connections) as front:
        await stock(front)
        await bought(front, ADA, 3)
        assert await run(front) == 1
        assert list(held(front)) == [(f"Shop/{front.shop.id}", "offers")]
        shop = await get_shop(front.connections, front.installed.shop)
        assert shop is not None
        assert (await status(front.connections, shop)).lacks == ("product", "customer")


async def test_switched_off_all_of_it_is_taken_back(front: Shopfront) -> None:
    await bought(front, ADA, 3)
    await run(front)
    await switch_offers_ahead(front.connections, front.installed.shop, False)
    await run(front)
    assert held(front) == {}
    assert not any((await count_held(front.connections, front.installed.shop)).values())
    await switch_offers_ahead(front.connections, front.installed.shop, True)
    assert await run(front) == 5


async def uninstall(front: Shopfront, happened_at: datetime) -> None:
    """Let the worker hear that the app was uninstalled then."""
    event = AppUninstalled(shop=front.installed.shop, event_id="gone", happened_at=happened_at)
    for react in HANDLERS[AppUninstalled]:
        await react(front.connections, event)


async def test_an_uninstall_forgets_what_shopify_deletes(front: Shopfront) -> None:
    await run(front)
    await uninstall(front, datetime.now(UTC) + timedelta(minutes=5))
    assert not any((await count_held(front.connections, front.installed.shop)).values())


async def test_a_shop_that_comes_back_as_it_was_has_its_offers_written_anew(front: Shopfront) -> None:
    await run(front)
    await uninstall(front, datetime.now(UTC) + timedelta(minutes=5))
    await change_shop(front.connections, front.installed.shop, uninstalled_at=None)
    await request_due_offers(front.connections)
    assert await waits(front)


async def test_an_uninstall_told_of_after_the_return_forgets_nothing_that_is_to_be_taken_back(
    front: Shopfront,
) -> None:
    await bought(front, ADA, 3)
    await run(front)
    await uninstall(front, front.installed.installed_at - timedelta(hours=1))
    assert await waits_again(front)
    await take_back(front.connections, front.installed.shop, [ADA])
    assert ("Customer/7", "offers") not in held(front)


async def test_an_experiment_that_starts_is_told_to_the_first_paint(front: Shopfront) -> None:
    await run(front)
    assert not await waits_again(front)
    shop, arms = front.installed.shop, [{"name": "as_is"}, {"name": "pins", "changes": {"pinned": [1]}}]
    await draft(front.connections, shop, read_design(a_design(id="pins", arms=arms)), NOW)
    await start(front.connections, shop, "pins", NOW)
    assert await waits_again(front)
    await run(front)
    assert held(front)[f"Shop/{front.shop.id}", "offers"]["others"]


async def test_what_a_crash_left_half_written_is_written_again(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: Any) -> None:
        raise ShopifyUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(offer_metafield_writing, "note_sent", die)
        with pytest.raises(ShopifyUnavailable):
            await run(front)
    assert ("Product/1", "offers") in held(front)
    assert await run(front) == 4
    assert await run(front) == 0


async def test_an_owner_that_shopify_does_not_have_holds_up_no_other(front: Shopfront) -> None:
    del front.shop.products[2]
    await run(front)
    assert {("Product/1", "offers"), ("Product/3", "offers")} <= set(held(front))
    counts = await count_held(front.connections, front.installed.shop)
    assert counts["product"] == 2


async def test_an_erasure_takes_a_customers_offers_back(front: Shopfront) -> None:
    await bought(front, ADA, 3)
    await run(front)
    await take_back(front.connections, front.installed.shop, [ADA])
    assert ("Customer/7", "offers") not in held(front)
    assert (await count_held(front.connections, front.installed.shop))["customer"] == 0


async def test_offers_that_shopify_keeps_after_the_permission_went_are_forgotten(front: Shopfront) -> None:
    await bought(front, ADA, 3)
    await run(front)
    await change_shop(front.connections, front.installed.shop, scopes=SCOPES)
    await take_back(front.connections, front.installed.shop, [ADA])
    assert (await count_held(front.connections, front.installed.shop))["customer"] == 0


async def waits(front: Shopfront) -> bool:
    key = redis_key(front.installed.shop, "waiting", "offers_ahead")
    return bool(await front.connections.redis.exists(key))


async def waits_again(front: Shopfront) -> bool:
    """Return whether offers are asked for now, as if it had rested."""
    shop = front.installed.shop
    await front.connections.redis.delete(redis_key(shop, "ahead", "rest"))
    await request_due_offers(front.connections)
    return await waits(front)


async def test_a_shop_is_due_when_something_changed_and_it_has_rested(front: Shopfront) -> None:
    shop = front.installed.shop
    await request_due_offers(front.connections)
    assert await waits(front)
    await run(front)
    await front.connections.redis.delete(redis_key(shop, "ahead", "rest"))
    await request_due_offers(front.connections)
    assert not await waits(front)
    await bought(front, ADA, 3)
    await request_due_offers(front.connections)
    assert await waits(front)


async def test_a_shop_rests_after_a_run(front: Shopfront) -> None:
    await run(front)
    await bought(front, ADA, 3)
    await request_due_offers(front.connections)
    assert not await waits(front)
    await make_due(front.connections, front.installed.shop)
    await request_due_offers(front.connections)
    assert await waits(front)


async def test_a_shop_that_refuses_is_left_alone_for_a_while(front: Shopfront) -> None:
    # the merchant took the permission back, and we were not told yet
    await front.http.post("/control/scopes", json={"scopes": SCOPES.split(",")})
    assert await run(front) == 0
    rest_s = await front.connections.redis.ttl(redis_key(front.installed.shop, "ahead", "rest"))
    assert rest_s > 500


@pytest.mark.parametrize("on", [True, False])
async def test_what_can_not_be_taken_back_is_not_asked_for_again_and_again(
    front: Shopfront, on: bool
) -> None:
    shop = front.installed.shop
    await bought(front, ADA, 3)
    await run(front)
    await change_shop(front.connections, shop, scopes=SCOPES)
    if not on:
        await switch_offers_ahead(front.connections, shop, False)
    await run(front)
    assert (await count_held(front.connections, shop))["customer"] == 1
    assert not await waits_again(front)
    await change_shop(front.connections, shop, scopes=f"{SCOPES},write_customers,write_products")
    assert await waits_again(front)
    await run(front)
    assert (await count_held(front.connections, shop))["customer"] == on
