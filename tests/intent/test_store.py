"""What intent is learnt from in the database, and what serves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append
from app.intent.foresight import UNTAUGHT
from app.intent.model import IntentModel
from app.intent.prior import PRIOR
from app.intent.store import (
    CHOICE,
    INTENT,
    UPLIFT,
    VERSIONS_KEPT,
    browsed,
    has_events,
    latest_foresight,
    latest_reports,
    publish_foresight,
    trained_at,
)
from app.intent.uplift import Effect, UpliftModel
from app.tables import EventRow, OrderRow, ShopRow

SHOP, OTHER = "a.myshopify.com", "b.myshopify.com"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def an_event(number: int, client: str | None = "anna", **changes: Any) -> EventRow:
    fields: dict[str, Any] = {
        "shop": SHOP, "event_id": f"browser:{client}-{number}", "name": "page_viewed", "client_id": client,
        "happened_at": NOW - timedelta(minutes=number), "recorded_at": NOW, "data": {},
    }  # fmt: skip
    return EventRow(**(fields | changes))


def an_order(token: str, minutes_ago: int, shop: str = SHOP, number: int = 1) -> OrderRow:
    at = NOW - timedelta(minutes=minutes_ago)
    return OrderRow(
        shop=shop, order_id=number, checkout_token=token, currency="USD", created_at=at, updated_at=at
    )


async def keep(connections: Connections, *rows: Any) -> None:
    async with connections.write() as db:
        db.add_all([ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW), *rows])


async def test_a_browsers_events_come_with_the_orders_of_its_checkouts(
    on_both_databases: Connections,
) -> None:
    await keep(
        on_both_databases,
        an_event(30),
        an_event(20, name="checkout_started", checkout_token="c1"),
        an_event(10, "bert", customer_id=7),
        an_event(5, None),
        an_event(4, "carl", shop=OTHER),
        an_event(3, "anna", event_id="orders:1"),  # Shopify's, not a browser's
        an_order("c1", 15),
        an_order("c1", 15, OTHER),
    )
    found = await browsed(on_both_databases, SHOP, NOW)
    assert [[event.name for event in each.seen] for each in found] == [
        ["checkout_started", "page_viewed"], ["page_viewed"],
    ]  # fmt: skip
    placed = int((NOW - timedelta(minutes=15)).timestamp())
    assert [list(each.ordered) for each in found] == [[placed], []]
    assert {each.currency for each in found} == {"USD"}


async def test_who_tried_the_shop_out_with_a_test_order_is_left_out(connections: Connections) -> None:
    """Of a test nothing is kept among the orders, but the browser tells that the checkout was completed."""
    await keep(
        connections,
        an_event(40, "test", name="checkout_completed", checkout_token="c9"),
        an_event(39, "test"),
        an_event(30, name="checkout_completed", checkout_token="c1"),
        an_event(20, "bert", name="checkout_started", checkout_token="c2"),
    )
    assert len(await browsed(connections, SHOP, NOW)) == 3  # the shop's orders are not told at all
    async with connections.write() as db:
        db.add(an_order("c1", 30))
    found = await browsed(connections, SHOP, NOW)
    assert sorted(each.seen[0].name for each in found) == ["checkout_completed", "checkout_started"]
    assert sum(len(each.ordered) for each in found) == 1


@pytest.mark.parametrize("has_ordered", [True, False])
async def test_a_browser_of_a_customer_who_may_not_be_learnt_from_is_left_out(
    connections: Connections, has_ordered: bool
) -> None:
    await keep(connections, an_event(30, "bert"), an_event(10, "bert", customer_id=7), an_event(5))
    if has_ordered:
        async with connections.write() as db:
            order = an_order("c2", 400, number=2)
            order.customer_id = 7
            db.add(order)
    assert len(await browsed(connections, SHOP, NOW)) == 2
    subject = (await open_digests(connections)).of(SHOP, "customer", 7)
    told = {"preferences": False, "marketing": True}
    await append(connections, SHOP, [Entry(subject, "customer", "e7", NOW, "checkout", told)])
    (left,) = await browsed(connections, SHOP, NOW)
    assert {event.event_id for event in left.seen} == {"browser:anna-5"}


async def test_a_new_shop_has_the_shared_model(connections: Connections) -> None:
    assert await latest_foresight(connections, SHOP) == UNTAUGHT
    assert await trained_at(connections, SHOP) is None
    assert not await has_events(connections, SHOP)
    await keep(connections, an_event(1))
    assert await has_events(connections, SHOP)


async def test_what_was_learnt_last_serves_and_says_why(on_both_databases: Connections) -> None:
    own = msgspec.structs.replace(PRIOR, source="shop")
    bare = Effect(0.1, 0.05, 0.15)
    told = UpliftModel("ten", PRIOR.features, "average", (bare,), PRIOR.soon.weights, 0.0)
    for day, model in ((2, PRIOR), (1, own)):
        content = {"model": msgspec.to_builtins(model)}
        await publish_foresight(
            on_both_databases, SHOP, INTENT, content, {"reason": str(day)}, NOW - timedelta(days=day)
        )
    await publish_foresight(on_both_databases, SHOP, UPLIFT, {"models": msgspec.to_builtins([told])}, {}, NOW)
    await publish_foresight(on_both_databases, SHOP, CHOICE, {"weights": {"c": {"ten": 1.5}}}, {}, NOW)
    await publish_foresight(on_both_databases, OTHER, CHOICE, {"weights": {"c": {"ten": 9.0}}}, {}, NOW)
    found = await latest_foresight(on_both_databases, SHOP)
    assert (found.intent, found.uplift, found.weights) == (own, {"ten": told}, {"c": {"ten": 1.5}})
    assert (await latest_reports(on_both_databases, SHOP))[INTENT]["reason"] == "1"
    assert await trained_at(on_both_databases, SHOP) == NOW - timedelta(days=1)


async def test_old_versions_go(connections: Connections) -> None:
    for day in range(VERSIONS_KEPT + 3):
        await publish_foresight(connections, SHOP, INTENT, {}, {"day": day}, NOW + timedelta(days=day))
    assert (await latest_reports(connections, SHOP))[INTENT]["day"] == VERSIONS_KEPT + 2


async def test_a_model_of_other_features_does_not_serve(connections: Connections) -> None:
    old = IntentModel(("pages",), PRIOR.soon, PRIOR.ever)
    await publish_foresight(connections, SHOP, INTENT, {"model": msgspec.to_builtins(old)}, {}, NOW)
    assert (await latest_foresight(connections, SHOP)).intent is PRIOR


async def test_what_another_version_kept_and_this_one_cannot_read_does_not_serve(
    connections: Connections,
) -> None:
    told = UpliftModel("ten", PRIOR.features, "average", (Effect(0.1, 0.05, 0.15),), PRIOR.soon.weights, 0.0)
    kept = msgspec.to_builtins(told)
    newer = kept | {"campaign": "eleven", "basis": "by_hour"}
    await publish_foresight(connections, SHOP, UPLIFT, {"models": [newer, kept]}, {}, NOW)
    await publish_foresight(connections, SHOP, INTENT, {"model": {"features": PRIOR.features}}, {}, NOW)
    found = await latest_foresight(connections, SHOP)
    assert (found.intent, found.uplift) == (PRIOR, {"ten": told})


async def test_a_coupon_of_which_nothing_is_known_is_left_to_its_rule() -> None:
    assert UNTAUGHT.worth("ten", (0.0,) * len(PRIOR.features), 4_000, 1_000) is None
