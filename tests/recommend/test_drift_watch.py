"""A shop's decisions, some of another kind than before, and what comes of looking at them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlmodel import col, delete

from app.connections import Connections, redis_key
from app.recommend.drift_watch import last_watch, request_due_watches, watch_shop
from app.recommend.publish import publish
from app.tables import DecisionRow, FeedbackRow, ModelRow, OrderLineRow, ShopRow
from app.values import ShopDomain
from tests.recommend.factories import a_model, linked
from tests.recommend.test_publish import a_card

SHOP = ShopDomain("acme.myshopify.com")
ITEMS = 30
NOW = datetime.now(UTC)


def decision(number: int, days_ago: float, cart: list[int], offered: int, **changes: Any) -> DecisionRow:
    values: dict[str, Any] = {
        "decided_at": NOW - timedelta(days=days_ago),
        "surface": "checkout",
        "rung": "contextual",
        "arm": "personalised",
        "inputs": {"situation": {"decision_id": f"d{number}", "arm": "personalised", "cart": cart}},
        "answer": {
            "offers": [{"offer_id": "o", "kind": "upsell", "product": {"product_id": f"gid://shopify/Product/{offered}"}}]
        },
    }  # fmt: skip
    return DecisionRow(shop=SHOP, decision_id=f"d{number}", **(values | changes))


def feedback(number: int, kind: str) -> FeedbackRow:
    return FeedbackRow(
        shop=SHOP, event_id=f"{kind}{number}", decision_id=f"d{number}", offer_id="o", kind=kind,
        happened_at=NOW,
    )  # fmt: skip


async def keep(connections: Connections, *rows: Any) -> None:
    async with connections.write() as db:
        for row in rows:
            db.add(row)


async def a_shop(connections: Connections, trained_days_ago: float = 40) -> None:
    """Keep a shop with a model in which product 10 goes with 20, 20 with 30 and so on."""
    links = {(at, at + 1): 1.0 - at / 60 for at in range(ITEMS - 1)}
    model = a_model(ITEMS, **linked(ITEMS, links), popularity=np.arange(1, ITEMS + 1, dtype=np.float32))
    card = publish(connections.settings.data_dir, SHOP, model, a_card())
    await keep(
        connections,
        ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW),
        ModelRow(
            shop=SHOP, version=card.version, status="champion", card=msgspec.to_builtins(card),
            trained_at=NOW - timedelta(days=trained_days_ago),
        ),
    )  # fmt: skip


async def visits(
    connections: Connections, seed: int, first: int, days: tuple[float, float], largest_cart: int,
    accepts: float, of: int = 600,
) -> None:  # fmt: skip
    """Keep visits with carts of up to so many products; all are shown an offer and some accept it."""
    random = np.random.default_rng(seed)
    rows: list[Any] = []
    for number in range(first, first + of):
        cart = [10 * int(each) for each in random.integers(1, ITEMS, random.integers(1, largest_cart + 1))]
        offered = next(each for each in range(cart[0] + 10, 10_000, 10) if each not in cart)
        rows.append(decision(number, random.uniform(*days), cart, offered))
        rows.append(feedback(number, "shown"))
        if random.random() < accepts:
            rows.append(feedback(number, "accepted"))
    await keep(connections, *rows)


async def asked_for_training(connections: Connections) -> bool:
    return bool(await connections.redis.exists(redis_key(SHOP, "waiting", "train")))


async def test_shoppers_who_do_as_before_fit(connections: Connections) -> None:
    await a_shop(connections)
    await visits(connections, 1, 0, (7.5, 30), 3, 0.2)
    await visits(connections, 2, 1_000, (0, 6.5), 3, 0.2)
    watch = await watch_shop(connections, SHOP)
    assert watch is not None
    assert (watch.decisions, watch.shifts, watch.since) == ((600, 600), [], None)
    assert watch.calibration is not None
    assert not watch.calibration.off
    assert not await asked_for_training(connections)
    assert await last_watch(connections, SHOP) == watch


async def test_planted_drift_is_named_and_learnt_anew_once(connections: Connections) -> None:
    await a_shop(connections)
    await visits(connections, 1, 0, (7.5, 30), 2, 0.2)
    await visits(connections, 2, 1_000, (0, 6.5), 8, 0.2)  # carts became four times as full
    watch = await watch_shop(connections, SHOP)
    assert watch is not None
    assert "cart_size" in [each.measure for each in watch.shifts]
    assert await asked_for_training(connections)
    await connections.redis.delete(redis_key(SHOP, "waiting", "train"))
    await keep(
        connections,
        ModelRow(shop=SHOP, version="later", status="champion", card={}, trained_at=datetime.now(UTC)),
    )
    again = await watch_shop(connections, SHOP)
    assert again is not None
    assert again.since == watch.since
    assert not await asked_for_training(connections)  # it was learnt since the drift was first seen


async def test_promises_that_nobody_keeps_are_noticed(connections: Connections) -> None:
    await a_shop(connections)
    await visits(connections, 1, 0, (7.5, 30), 3, 0.4)
    await visits(connections, 2, 1_000, (0, 6.5), 3, 0.1)
    watch = await watch_shop(connections, SHOP)
    assert watch is not None
    assert watch.calibration is not None
    assert watch.calibration.off
    assert watch.calibration.ratio == pytest.approx(0.25, abs=0.1)
    assert await asked_for_training(connections)


async def test_what_passed_is_not_held_against_the_model(connections: Connections) -> None:
    await a_shop(connections)
    await visits(connections, 1, 0, (7.5, 30), 2, 0.2)
    await visits(connections, 2, 1_000, (0, 6.5), 8, 0.2)
    assert (await watch_shop(connections, SHOP)).since is not None  # type: ignore[union-attr]
    async with connections.write() as db:
        await db.exec(delete(DecisionRow).where(col(DecisionRow.decided_at) > NOW - timedelta(days=7)))
    await visits(connections, 3, 2_000, (0, 6.5), 2, 0.2)
    assert (await watch_shop(connections, SHOP)).since is None  # type: ignore[union-attr]


async def test_an_order_with_the_offer_counts_as_accepted_without_a_word_from_the_browser(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await visits(connections, 1, 0, (7.5, 30), 3, 0.3)
    await visits(connections, 2, 1_000, (0, 6.5), 3, 0.0)
    line: dict[str, Any] = {"shop": SHOP, "order_id": 1, "quantity": 1, "price_minor": 1, "offer_id": "o"}
    await keep(
        connections, *(OrderLineRow(line_id=at, decision_id=f"d{1_000 + at}", **line) for at in range(150))
    )
    watch = await watch_shop(connections, SHOP)
    assert watch is not None
    assert watch.calibration is not None
    assert watch.calibration.accepted == 150


async def test_erased_held_out_and_fallen_back_decisions_are_left_out(connections: Connections) -> None:
    await a_shop(connections)
    await keep(
        connections,
        decision(1, 1, [10], 20, inputs={}),
        decision(2, 1, [10], 20, arm="holdout"),
        decision(3, 1, [10], 20, fallback="redis"),
        decision(4, 1, [10], 20),
        decision(5, 1, [], 999, answer={"offers": []}),
    )
    watch = await watch_shop(connections, SHOP)
    assert watch is not None
    assert watch.decisions == (2, 0)


async def test_a_shop_without_a_model_is_not_looked_at(connections: Connections) -> None:
    assert await watch_shop(connections, SHOP) is None


async def test_a_shop_is_looked_at_again_after_six_hours_with_decisions(connections: Connections) -> None:
    await a_shop(connections)
    waiting = redis_key(SHOP, "waiting", "watch")
    await request_due_watches(connections)
    assert not await connections.redis.exists(waiting)  # nothing was decided
    await keep(connections, decision(1, 0.1, [10], 20))
    await request_due_watches(connections)
    assert await connections.redis.exists(waiting)
    await watch_shop(connections, SHOP)
    await request_due_watches(connections)
    assert not await connections.redis.exists(waiting)
