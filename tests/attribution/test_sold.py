from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.admin.home_view import untold_words
from app.attribution.report import Incremental, Report
from app.attribution.sold import attribution, incremental, incremental_by_day
from app.attribution.store import attributed_revenue
from app.connections import Connections
from app.coupon_tables import AutomaticDiscountRow
from app.errors import InputError, NotFound
from app.events.kinds import CHECKOUT_MET
from app.experiments.assign import pseudonym
from app.experiments.refusal import Cause, Refusal
from app.tables import DecisionRow, EventRow
from tests.attribution.test_store import NOW, SHOP, a_decision, a_line, a_refund, a_shop, an_order, write

SINCE = NOW - timedelta(days=30)
STANDING = "holdout=0.5 personalised=0.5"


def offering(decision_id: str, *offers: dict[str, Any], **changes: Any) -> DecisionRow:
    fields = {"checkout_token": "t", "decided_at": NOW - timedelta(hours=1), "answer": {"offers": offers}}
    return a_decision(decision_id, **(fields | changes))


def of_product(product_id: int = 10, reason: str = "bought_together", offer_id: str = "o") -> dict[str, Any]:
    product = {"product_id": f"gid://shopify/Product/{product_id}"}
    why = [{"reason": reason, "weight": 0.6}]
    return {"offer_id": offer_id, "kind": "upsell", "slot": "main", "product": product, "why": why}


def of_code(code: str = "TEN", campaign: str = "welcome") -> dict[str, Any]:
    discount = {"code": code, "percentage": 10}
    made = {"offer_id": "c", "kind": "coupon", "product": None, "why": []}
    return made | {"discount": discount, "campaign": campaign}


async def report(connections: Connections, model: Any = "linear", window: float = 7) -> Report:
    return await attribution(connections, SHOP, model, SINCE, NOW, window)


def sold(line_id: int = 1, **changes: Any) -> Any:
    return a_line(line_id, **({"product_id": 10, "decision_id": None} | changes))


async def test_a_sale_is_shared_by_kind_campaign_reason_surface_and_product(
    on_both_databases: Connections,
) -> None:
    order = an_order(checkout_token="t", discount_codes=[{"code": "ten", "amount_minor": 100}])
    await write(
        on_both_databases, a_shop(), order, sold(price_minor=1_100, discount_minor=100),
        offering("a", of_product()), offering("b", of_code(), surface="storefront"),
    )  # fmt: skip
    found = await report(on_both_databases)
    assert (found.orders, found.sold_minor, found.credited_orders, found.credited_minor) == (1, 1000, 1, 1000)
    by = {name: {group: share.minor for group, share in each.items()} for name, each in found.groups.items()}
    assert by == {
        "kind": {"coupon": 500, "upsell": 500},
        "campaign": {"none": 500, "welcome": 500},
        "reason": {"bought_together": 500, "none": 500},
        "surface": {"checkout": 500, "storefront": 500},
        "product": {"10": 1000},
    }


async def test_every_model_credits_the_same_in_all(connections: Connections) -> None:
    made = [offering(name, of_product(), decided_at=NOW - timedelta(days=n)) for n, name in enumerate("abc")]
    await write(connections, a_shop(), an_order(checkout_token="t"), sold(price_minor=999), *made)
    totals = [(await report(connections, each)).credited_minor for each in ("last_touch", "position")]
    assert totals == [999, 999]


async def test_a_line_nobody_was_offered_is_sold_and_credited_to_nobody(connections: Connections) -> None:
    others = offering("a", of_product(), checkout_token="another")
    await write(connections, a_shop(), an_order(checkout_token="t"), sold(), others)
    found = await report(connections)
    assert (found.sold_minor, found.credited_minor, found.groups["kind"]) == (1000, 0, {})


async def test_a_customers_offer_counts_in_another_checkout_of_theirs(connections: Connections) -> None:
    made = offering("a", of_product(), checkout_token="phone", customer_id=7)
    await write(connections, a_shop(), an_order(checkout_token="t", customer_id=7), sold(), made)
    assert (await report(connections)).credited_minor == 1000


@pytest.mark.parametrize(
    ("met", "minor"),
    [
        ({"name": "checkout_started"}, 1_000),
        ({"name": CHECKOUT_MET}, 1_000),
        ({"name": "tillwise:offer_shown"}, 0),  # the holdout tells nothing of offers
        ({"client_id": "another"}, 0),
        ({"checkout_token": "another"}, 0),
        ({"shop": "b.myshopify.com"}, 0),
    ],
)
async def test_a_guests_offer_in_the_storefront_counts_in_the_checkout_of_their_browser(
    connections: Connections, met: dict[str, Any], minor: int
) -> None:
    browser = {"unit": pseudonym(SHOP, "client:browser")}
    made = [
        offering(name, offer, checkout_token=None, surface="storefront", inputs=browser)
        for name, offer in (("a", of_product()), ("b", of_code()))
    ]
    order = an_order(checkout_token="t", discount_codes=[{"code": "TEN"}])
    told = {"shop": SHOP, "name": "checkout_completed", "client_id": "browser", "checkout_token": "t"} | met
    event = EventRow(event_id="e", happened_at=NOW, recorded_at=NOW, **told)
    await write(connections, a_shop(), order, sold(), *made, event)
    found = await report(connections)
    assert {kind: share.minor for kind, share in found.groups["kind"].items()} == (
        {"coupon": minor / 2, "upsell": minor / 2} if minor else {}
    )


async def test_the_window_ends_and_a_line_added_from_an_offer_is_its_all_the_same(
    connections: Connections,
) -> None:
    old = offering("a", of_product(), decided_at=NOW - timedelta(days=40))
    await write(connections, a_shop(), an_order(checkout_token="t"), old, sold(1))
    assert (await report(connections)).credited_minor == 0
    await write(connections, sold(2, decision_id="a", offer_id="o", price_minor=300))
    assert (await report(connections)).credited_minor == 300


async def test_refunds_cancellations_and_late_lines_lead_to_the_same_report_in_any_order(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    await write(connections, a_shop(), an_order(checkout_token="t"), an_order(2, checkout_token="t"))
    await write(connections, sold(1), sold(2, price_minor=3_000), sold(3, order_id=2))
    await write(connections, offering("a", of_product()))
    assert (await report(connections)).credited_minor == 5000
    await write(connections, a_refund(1, 400), a_refund(2, 360, line_id=0))
    # 4,000 less 400 is 3,600; 360 of no line take a tenth of each: 600 * .9 + 3,000 * .9 + 1,000
    assert (await report(connections)).credited_minor == 4240
    async with connections.write() as db:
        await db.merge(an_order(2, checkout_token="t", cancelled_at=NOW))
    found = await report(connections)
    assert (found.orders, found.sold_minor, found.credited_minor) == (1, 3240, 3240)


async def test_a_refund_takes_no_more_than_was_paid(connections: Connections) -> None:
    await write(connections, a_shop(), an_order(checkout_token="t"), sold(), offering("a", of_product()))
    await write(connections, a_refund(1, 5_000))
    found = await report(connections)
    assert (found.sold_minor, found.credited_minor, found.groups["kind"]) == (0, 0, {})


@pytest.mark.parametrize(
    ("campaign", "applies_to", "told", "minor"),
    [
        ("welcome", "order", {}, 1_000),  # as orders were kept before it was asked what became cheaper
        ("welcome", "order", {"off": ["line_item"]}, 1_000),
        ("welcome", "product", {"off": ["line_item", "shipping_line"]}, 1_000),
        ("welcome", "order", {"off": ["shipping_line"]}, 0),  # the shop's own free shipping, and none of ours
        ("welcome", "shipping", {"off": ["shipping_line"]}, 1_000),
        ("welcome", "shipping", {"off": ["line_item"]}, 0),
        ("another", "order", {"off": ["line_item"]}, 0),
        ("welcome", "order", {"off": ["line_item"], "titles": ["Summer", "Welcome"]}, 1_000),
        ("welcome", "order", {"off": ["line_item"], "titles": ["−10\u00a0%"]}, 1_000),
        (
            "welcome",
            "order",
            {"off": ["line_item"], "titles": ["Summer"]},
            0,
        ),  # another discount of the shop's
    ],
)
async def test_an_offer_without_a_code_is_owed_the_order_that_used_its_grant(
    connections: Connections, campaign: str, applies_to: str, told: dict[str, list[str]], minor: int
) -> None:
    offer = of_code(campaign=campaign)
    offer["discount"] = {"percentage": 10, "applies_to": applies_to}
    order = an_order(checkout_token="t", discount_codes=[{"terms_id": "0a1b2c3d"} | told])
    terms = AutomaticDiscountRow(
        shop=SHOP, terms_id="0a1b2c3d", campaign_id="welcome", title="Welcome", label="−10 %", updated_at=NOW
    )  # fmt: skip
    await write(connections, a_shop(), terms, order, sold(), offering("a", offer))
    assert (await report(connections)).credited_minor == minor


async def test_an_order_in_another_currency_is_told_and_in_no_sum(connections: Connections) -> None:
    await write(connections, a_shop(), an_order(checkout_token="t", currency="USD"), sold())
    found = await report(connections)
    assert (found.foreign_orders, found.orders, found.sold_minor) == (1, 0, 0)


async def test_a_holdouts_decision_and_another_shops_are_credited_nothing(connections: Connections) -> None:
    held = offering("a", of_product(), arm="holdout")
    theirs = offering("b", of_product(), shop="b.myshopify.com")
    await write(connections, a_shop(), an_order(checkout_token="t"), sold(), held, theirs)
    assert (await report(connections)).credited_minor == 0


async def test_what_was_caused_is_the_difference_to_the_holdout_times_the_visitors(
    connections: Connections,
) -> None:
    rng, rows = np.random.default_rng(0), list[Any]()
    when = NOW - timedelta(days=20)
    for n in range(1_200):
        arm = ("holdout", "personalised")[n % 2]
        inputs = {"unit": f"client:{n}", "experiments": {"standing": [STANDING, arm, 0.5]}}
        rows.append(a_decision(f"d{n}", arm=arm, decided_at=when, checkout_token=f"t{n}", inputs=inputs))
        if rng.random() < (0.5 if n % 2 else 0.2):
            paid = int(rng.lognormal(7, 0.3))
            rows.append(an_order(n + 1, checkout_token=f"t{n}", created_at=when, subtotal_minor=paid))
    await write(connections, a_shop(), *rows)
    found = await incremental(connections, SHOP, SINCE, NOW)
    assert isinstance(found, Incremental)
    assert (found.visitors, found.control) == (600, "holdout")
    assert found.total.low == pytest.approx(found.per_visitor.low * 600)
    assert 0 < found.total.low < 0.3 * 1_150 * 600 < found.total.high
    later = await incremental(connections, SHOP, when + timedelta(seconds=1), NOW)
    assert isinstance(later, Refusal)
    month, days = timedelta(days=30), [NOW - timedelta(days=ago) for ago in reversed(range(9))]
    by_day = await incremental_by_day(connections, SHOP, month, 9, NOW)
    assert by_day == [(day, await incremental(connections, SHOP, day - month, day)) for day in days]
    assert [type(each) for _, each in by_day] == [Refusal] * 2 + [Incremental] * 7


async def test_who_came_before_the_period_is_not_new_in_it(connections: Connections) -> None:
    inputs = {"unit": "client:1", "experiments": {"standing": [STANDING, "holdout", 0.5]}}
    before = a_decision("a", arm="holdout", decided_at=NOW - timedelta(days=50), inputs=inputs)
    again = a_decision("b", arm="holdout", decided_at=NOW - timedelta(days=20), inputs=inputs)
    await write(connections, a_shop(), before, again)
    found = await incremental(connections, SHOP, SINCE, NOW)
    assert isinstance(found, Refusal)
    assert found.cause == Cause.NOBODY


async def test_where_nobody_is_served_personally_that_is_the_reason_and_no_time_that_is_still_to_pass(
    connections: Connections,
) -> None:
    inputs = {"unit": "client:1", "experiments": {"standing": ["holdout=0.5 static=0.5", "static", 0.5]}}
    made = a_decision("a", arm="static", decided_at=NOW - timedelta(days=20), inputs=inputs)
    await write(connections, a_shop(), made)
    found = await incremental(connections, SHOP, SINCE, NOW)
    assert isinstance(found, Refusal)
    assert untold_words(found) == "No one gets personalised offers, so there is nothing to compare."


async def test_without_a_decision_the_report_says_why_nothing_is_known_to_be_caused(
    connections: Connections,
) -> None:
    await write(connections, a_shop())
    caused = (await report(connections)).incremental
    assert isinstance(caused, Refusal)
    assert "no decision" in caused.says


async def test_no_shop_and_no_window_are_refused(connections: Connections) -> None:
    with pytest.raises(NotFound):
        await report(connections)
    with pytest.raises(InputError, match="window"):
        await report(connections, window=0)


async def test_what_a_subscription_charges_again_is_credited_to_no_offer(connections: Connections) -> None:
    first, again = an_order(1, renewal=False), an_order(2, renewal=True)
    lines = [sold(1, decision_id="a", offer_id="o"), sold(2, order_id=2, decision_id="a", offer_id="o")]
    await write(connections, a_shop(), first, again, *lines, offering("a", of_product()))
    found = await report(connections)
    assert (found.orders, found.sold_minor, found.credited_minor) == (1, 1000, 1000)
    assert (await attributed_revenue(connections, SHOP, SINCE)).net_minor == 1000


async def test_a_bundles_parts_are_owed_to_the_offer_of_the_bundle(connections: Connections) -> None:
    parts = [sold(each, product_id=each, bundle_id=7, bundle_product_id=90) for each in (1, 2)]
    await write(connections, a_shop(), an_order(checkout_token="t"), *parts, offering("a", of_product(90)))
    assert (await report(connections)).groups["product"]["90"].minor == 2000
