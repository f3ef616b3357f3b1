"""A shop learns from its events and its log of decisions, in its database."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from app.campaigns.learning import learn_shop, request_due_learning, weigh_choices
from app.campaigns.log import decided
from app.campaigns.outcomes import (
    bought_anyway,
    read_logged_campaigns,
)
from app.campaigns.store import change_status, keep_campaign
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append
from app.experiments.assign import assign, default_experiment, pseudonym
from app.intent.features import FEATURES
from app.intent.foresight import UNTAUGHT
from app.intent.moments import BrowserHistory
from app.intent.prior import PRIOR
from app.intent.store import (
    UPLIFT,
    current_foresight,
    latest_foresight,
    latest_reports,
    publish_foresight,
)
from app.intent.uplift import Effect, UpliftModel
from app.tables import (
    OF_SHIPPING,
    DecisionRow,
    EventRow,
    FeedbackRow,
    ItemCostRow,
    OrderLineRow,
    OrderRow,
    RefundRow,
    ShopRow,
    VariantRow,
)
from app.values import ShopDomain
from benchmarks.shop_with_truth import browsing, shoppers
from tests.campaigns.factories import TEN_PERCENT, a_campaign

SHOP = ShopDomain("acme.myshopify.com")
NOW = datetime.now(UTC)
ROW = [0.0] * len(PRIOR.features)


async def install(connections: Connections, *rows: Any, **settings: Any) -> None:
    async with connections.write() as db:
        db.add_all([ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW, settings=settings), *rows])


def rows_of(told: list[BrowserHistory]) -> list[Any]:
    """Return the browsers' events and orders as the shop has them, the latest of them an hour ago."""
    latest = max(event.happened_at for each in told for event in each.seen)
    later = NOW - timedelta(hours=1) - latest
    rows: list[Any] = []
    for number, each in enumerate(told):
        rows += [
            EventRow(
                shop=SHOP, event_id=f"browser:{event.event_id}", name=event.name, data=event.data,
                happened_at=event.happened_at + later, recorded_at=NOW, client_id=f"client-{number}",
                checkout_token=f"token-{number}" if event.name.startswith("checkout") else None,
            )
            for event in each.seen
        ]  # fmt: skip
        for at in each.ordered:
            placed = datetime.fromtimestamp(at, UTC) + later
            rows.append(
                OrderRow(
                    shop=SHOP, order_id=number + 1, checkout_token=f"token-{number}", currency="USD",
                    created_at=placed, updated_at=placed,
                )
            )  # fmt: skip
    return rows


def a_decision(number: int, hours_ago: float, weighed: dict[str, Any], **changes: Any) -> DecisionRow:
    fields: dict[str, Any] = {
        "shop": SHOP, "decision_id": f"d{number}", "decided_at": NOW - timedelta(hours=hours_ago),
        "surface": "checkout", "rung": "personal", "arm": "personalised", "checkout_token": f"t{number}",
        "inputs": {"situation": {"campaigns": weighed | {"inputs": {"at": 5, "features": ROW}}}},
    }  # fmt: skip
    return DecisionRow(**(fields | changes))


def an_order(number: int, hours_ago: float, **changes: Any) -> OrderRow:
    at = NOW - timedelta(hours=hours_ago)
    fields: dict[str, Any] = {
        "shop": SHOP, "order_id": 10_000 + number, "checkout_token": f"t{number}", "currency": "USD",
        "subtotal_minor": 900, "discount_minor": 100, "created_at": at, "updated_at": at,
    }  # fmt: skip
    return OrderRow(**(fields | changes))


def drew(name: str, other: str) -> dict[str, Any]:
    return {"chosen": [{"campaign_id": name, "propensity": 0.5}], "left_out": {other: "not_drawn"}}


async def test_a_shop_with_enough_visits_has_a_model_of_its_own(connections: Connections) -> None:
    random = np.random.default_rng(0)
    told = [each for each, _ in browsing(shoppers(900, random), random)]
    await install(connections, *rows_of(told))
    await learn_shop(connections, SHOP)
    found, reports = await latest_foresight(connections, SHOP), await latest_reports(connections, SHOP)
    assert reports["intent"]["visits"] == 900
    assert reports["intent"]["purchases"] == sum(bool(each.ordered) for each in told)
    assert reports["intent"]["publish"] is (found.intent is not PRIOR)
    assert reports["intent"]["publish"]
    assert found.version.startswith("intent ")


async def test_a_shop_with_few_visits_keeps_the_shared_model_and_says_why(connections: Connections) -> None:
    random = np.random.default_rng(0)
    await install(connections, *rows_of([each for each, _ in browsing(shoppers(30, random), random)]))
    await learn_shop(connections, SHOP)
    assert (await latest_foresight(connections, SHOP)).intent is PRIOR
    assert (await latest_reports(connections, SHOP))["intent"]["reason"].startswith(
        "Too few to learn from: 30"
    )


async def test_what_was_learnt_of_a_coupon_goes_once_nobody_is_held_back_from_it(
    connections: Connections,
) -> None:
    await install(connections)
    learnt = UpliftModel("ten", FEATURES, "average", (Effect(0.1, 0.05, 0.15),), tuple(ROW), 0.0)
    content = {"models": msgspec.to_builtins([learnt])}
    await publish_foresight(connections, SHOP, UPLIFT, content, {"campaigns": {}}, NOW - timedelta(days=1))
    await keep_campaign(connections, SHOP, a_campaign("ten", offer=TEN_PERCENT, holdout=0.0))
    assert (await latest_foresight(connections, SHOP)).uplift == {"ten": learnt}
    await learn_shop(connections, SHOP)
    assert (await latest_foresight(connections, SHOP)).uplift == {}


async def test_learning_is_asked_for_once_a_day(connections: Connections) -> None:
    await install(connections)
    waiting = f"tw:{{{SHOP}}}:waiting:intent"
    await request_due_learning(connections)
    assert not await connections.redis.exists(waiting)  # no browser told anything yet
    random = np.random.default_rng(0)
    async with connections.write() as db:
        db.add_all(rows_of([each for each, _ in browsing(shoppers(3, random), random)]))
    await request_due_learning(connections)
    assert await connections.redis.exists(waiting)
    await learn_shop(connections, SHOP)
    await request_due_learning(connections)
    assert not await connections.redis.exists(waiting)


async def test_competing_campaigns_are_weighed_by_the_log(connections: Connections) -> None:
    log = [a_decision(n, 48, drew("ten", "five") if n % 2 else drew("five", "ten")) for n in range(400)]
    orders = [an_order(n, 47) for n in range(400) if (n % 2 and n % 5 == 0) or n % 50 == 0]
    await install(connections, *log, *orders)
    for name in ("five", "ten"):
        await keep_campaign(connections, SHOP, a_campaign(name, choice="coupons", offer=TEN_PERCENT))
        await change_status(connections, SHOP, name, "running")
    await weigh_choices(connections)
    told = (await current_foresight(connections, SHOP)).weights["coupons"]
    assert told["ten"] > 1.5 > 0.5 > told["five"]
    before = (await latest_reports(connections, SHOP))["choice"]
    await weigh_choices(connections)
    assert (await latest_reports(connections, SHOP))["choice"] == before  # nothing new, nothing written


async def test_what_shoppers_said_today_moves_the_weights_before_their_day_is_over(
    on_both_databases: Connections,
) -> None:
    """Who sent `ten` away never ordered; today everybody does, which makes of its 50 % a fifth."""
    offers = [{"offer_id": "o", "kind": "coupon", "campaign": "ten", "why": []}]
    before = [a_decision(n, 48, drew("ten", "five") if n % 2 else drew("five", "ten")) for n in range(400)]
    today = [a_decision(n, 5, drew("ten", "five"), answer={"offers": offers}) for n in range(400, 700)]
    for each in before[1::2]:
        each.answer = {"offers": offers}
    orders = [an_order(n, 47) for n in range(400) if n % 4 == 1 or n % 20 in (0, 2, 4)]  # 50 %, 30 %
    ordered = {each.checkout_token for each in orders}
    words = [
        FeedbackRow(
            shop=SHOP, event_id=f"f{each.decision_id}", decision_id=each.decision_id, offer_id="o",
            kind="accepted" if each.checkout_token in ordered else "dismissed", happened_at=each.decided_at,
        )
        for each in [*before[1::2], *today]
    ]  # fmt: skip
    await install(on_both_databases, *before, *orders)
    for name in ("five", "ten"):
        await keep_campaign(on_both_databases, SHOP, a_campaign(name, choice="coupons", offer=TEN_PERCENT))
        await change_status(on_both_databases, SHOP, name, "running")
    await weigh_choices(on_both_databases)
    assert (await latest_foresight(on_both_databases, SHOP)).weights["coupons"]["ten"] > 1.5
    async with on_both_databases.write() as db:
        db.add_all([*today, *words])
    await weigh_choices(on_both_databases)
    assert (await latest_foresight(on_both_databases, SHOP)).weights["coupons"]["ten"] < 1


async def test_a_shop_without_campaigns_that_compete_has_no_weights(connections: Connections) -> None:
    await install(connections)
    await weigh_choices(connections)
    assert await latest_foresight(connections, SHOP) == UNTAUGHT


async def test_the_log_holds_what_may_be_learnt_from(on_both_databases: Connections) -> None:
    weighed = drew("ten", "five")
    await install(
        on_both_databases,
        a_decision(1, 5, weighed),
        a_decision(2, 5, weighed, arm="holdout"),
        a_decision(3, 5, weighed, checkout_token=None),
        a_decision(4, 5, weighed, customer_id=7),
        a_decision(5, 5, weighed, inputs={}),
        a_decision(6, 24 * 100, weighed),
        an_order(1, 4),
        an_order(4, 4),
        an_order(1, 3, order_id=5, cancelled_at=NOW),
    )
    subject = (await open_digests(on_both_databases)).of(SHOP, "customer", 7)
    refusal = Entry(subject, "customer", "e7", NOW, "checkout", {"preferences": False, "marketing": False})
    await append(on_both_databases, SHOP, [refusal])
    decisions, orders = await decided(on_both_databases, SHOP, NOW)
    assert [each.decision_id for each in decisions] == ["d1"]
    assert {who: [each.left_minor for each in placed] for who, placed in orders.items()} == {"t1": [900]}


async def test_a_long_log_is_read_in_parts_that_let_other_work_pass(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await install(on_both_databases, *(a_decision(n, 5, drew("ten", "five")) for n in range(1, 8)))
    monkeypatch.setattr("app.streamed.AT_ONCE", 3)
    turns, at_once = 0, Counter[int]()

    def counted(inputs: Any) -> Any:
        at_once[turns] += 1
        return read_logged_campaigns(inputs)

    monkeypatch.setattr("app.campaigns.log.read_logged_campaigns", counted)
    reading = asyncio.create_task(decided(on_both_databases, SHOP, NOW))
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    assert len((await reading)[0]) == sum(at_once.values()) == 7
    assert max(at_once.values()) <= 3


async def test_of_too_many_decisions_those_of_some_shoppers_are_learnt_from_and_all_of_theirs(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By the latest alone, who was held back from a capped campaign long ago would be met for the first time.
    names = [f"client:{number}" for number in range(140)]
    served = [name for name in names if assign(default_experiment(SHOP), name) == "personalised"][:120]
    shoppers = {pseudonym(SHOP, name): number for number, name in enumerate(served)}
    log = []
    for unit, number in shoppers.items():
        for visit in range(5):
            made = a_decision(5 * number + visit, 24 * visit + 1, {"left_out": {"ten": "withheld"}})
            made.inputs |= {"unit": unit}
            log.append(made)
    await install(on_both_databases, *log)

    async def met(of_some: bool) -> Counter[str | None]:
        decisions, _ = await decided(on_both_databases, SHOP, NOW, of_some=of_some)
        return Counter(each.told.unit for each in decisions)

    assert await met(of_some=True) == Counter(dict.fromkeys(shoppers, 5))
    for most in (25, 200):
        monkeypatch.setattr("app.campaigns.log.MOST_DECISIONS", most)
        some = await met(of_some=True)
        assert 0 < len(some) <= most / 5
        assert set(some.values()) == {5}
        assert (await met(of_some=False)).total() == most


async def test_who_was_held_back_in_the_storefront_does_not_come_to_the_checkout_as_somebody_new(
    on_both_databases: Connections,
) -> None:
    held_back = {"left_out": {"ten": "withheld"}}
    log = [
        a_decision(1, 74, held_back, checkout_token=None), a_decision(2, 73, held_back),
        a_decision(3, 73, held_back),
    ]  # fmt: skip
    for each, unit in zip(log, ("anna", "anna", "bert"), strict=True):
        each.inputs |= {"unit": unit}
    nobody = a_decision(4, 74, held_back, checkout_token=None)
    await install(on_both_databases, *log, nobody, an_order(2, 72.5), an_order(3, 72.5))
    decisions, orders = await decided(on_both_databases, SHOP, NOW, of_some=True)
    assert {each.decision_id: each.untold for each in decisions} == {"d1": True, "d2": False, "d3": False}
    measured = bought_anyway(decisions, orders, "ten", NOW.timestamp())
    assert (measured.happened, measured.of) == (1, 1)


@pytest.mark.parametrize("by_shopify", [False, True])
async def test_where_costs_are_known_an_order_leaves_its_margin(
    on_both_databases: Connections, by_shopify: bool
) -> None:
    line = OrderLineRow(
        shop=SHOP, line_id=1, order_id=10_001, product_id=10, variant_id=1, quantity=2, price_minor=500
    )  # fmt: skip
    item = {"shop": SHOP, "inventory_item_id": 7}
    known = (
        VariantRow(variant_id=1, product_id=10, price_minor=500, **item),
        ItemCostRow(cost_minor=300, updated_at=NOW, **item),
    )
    told = {"costs": {} if by_shopify else {"10": 300}}
    log = [a_decision(number, 5, drew("ten", "five")) for number in (1, 2)]
    back = RefundRow(shop=SHOP, refund_id=1, order_id=10_002, line_id=2, amount_minor=600, created_at=NOW)
    of_shipping = RefundRow(**back.model_dump() | {"line_id": OF_SHIPPING})
    placed = *log, an_order(1, 4), an_order(2, 4), line, back, of_shipping
    await install(on_both_databases, *placed, *(known if by_shopify else ()), **told)
    _, orders = await decided(on_both_databases, SHOP, NOW)
    assert orders["t1"][0].left_minor == 300  # 40 % of 10.00, less the discount of 1.00
    assert orders["t2"][0].left_minor == 100  # of a third of that, as 6.00 of 9.00 were given back


async def test_free_shipping_costs_what_it_takes_off_and_makes_no_goods_dearer(
    on_both_databases: Connections,
) -> None:
    goods = OrderLineRow(shop=SHOP, line_id=1, order_id=10_001, product_id=10, quantity=2, price_minor=500)
    free = an_order(1, 4, subtotal_minor=1_000, discount_minor=490)  # of shipping
    await install(on_both_databases, a_decision(1, 5, drew("ten", "five")), goods, free, costs={"10": 300})
    _, orders = await decided(on_both_databases, SHOP, NOW)
    assert orders["t1"][0].left_minor == -90  # 40 % of 10.00, less the shipping of 4.90
