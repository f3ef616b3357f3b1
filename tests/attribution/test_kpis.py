from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.attribution.kpi_facts import read_facts
from app.attribution.kpis import Kpi, KpiDecision, KpiInputs, as_csv, kpis
from app.connections import Connections
from app.experiments.assign import pseudonym
from app.experiments.refusal import Refusal
from app.segment_tables import CustomerSegmentRow
from app.tables import OF_SHIPPING, OF_TAX, EventRow
from tests.attribution.test_store import (
    NOW,
    SHOP,
    a_decision,
    a_line,
    a_refund,
    a_shop,
    an_order,
    feedback,
    write,
)

OFFERED = {"segment": "loyal", "offers": [{"offer_id": "o", "kind": "coupon", "campaign": "welcome"}]}


def figure(found: list[Kpi], by: str, group: str, name: str) -> float | Refusal:
    return next(each.value for each in found if (each.by, each.group, each.name) == (by, group, name))


def an_event(event_id: str, name: str, client_id: str, **changes: Any) -> EventRow:
    fields: dict[str, Any] = {"happened_at": NOW, "recorded_at": NOW, "client_id": client_id}
    return EventRow(shop=SHOP, event_id=event_id, name=name, **(fields | changes))


async def read(connections: Connections) -> list[Kpi]:
    facts, _ = await read_facts(connections, SHOP, NOW - timedelta(days=1), NOW)
    return kpis(facts)


async def test_figures_come_from_what_stands_in_the_database(on_both_databases: Connections) -> None:
    segment = CustomerSegmentRow(
        shop=SHOP, customer_id=7, segment="loyal", spend_ahead_minor=900, changed_at=NOW
    )
    await write(
        on_both_databases, a_shop(), segment,
        a_decision("a", checkout_token="t1", customer_id=7, region="DE", answer=OFFERED),
        a_decision("b", checkout_token="t2", arm="holdout"), feedback("f", "a", "accepted"),
        an_order(1, checkout_token="t1", customer_id=7, subtotal_minor=2_000), a_refund(1, 500),
        a_refund(1, 300, line_id=OF_SHIPPING),
        a_refund(1, 90, line_id=OF_TAX),
        an_order(2, customer_id=7, subtotal_minor=1_000), an_order(3, checkout_token="t2", cancelled_at=NOW),
        an_event("1", "product_added_to_cart", "x"), an_event("2", "product_added_to_cart", "y"),
        an_event("3", "checkout_completed", "x"),
    )  # fmt: skip
    facts, currency = await read_facts(on_both_databases, SHOP, NOW - timedelta(days=1), NOW)
    found = kpis(facts)
    assert currency == "EUR"
    assert figure(found, "all", "all", "cart_conversion") == 0.5  # x of x and y
    assert figure(found, "all", "all", "checkout_conversion") == 0.5  # t1 of t1 and t2, which was cancelled
    assert figure(found, "arm", "personalised", "aov") == 1_500
    assert figure(found, "segment", "loyal", "clv_realised") == 2_500
    assert figure(found, "campaign", "welcome", "clv_predicted_90d") == 900
    assert figure(found, "offer", "coupon", "acceptance") == 1
    assert figure(found, "market", "DE", "checkout_conversion") == 1
    assert figure(found, "day", NOW.date().isoformat(), "cart_conversion") == 0.5


async def test_carts_are_told_by_the_decisions_that_met_their_browsers(
    on_both_databases: Connections,
) -> None:
    # x is known by the unit of the decision, y by its checkout; z left before any decision.
    tried = {"experiments": {"standing": ["s", "personalised", 1], "pin": ["2", "pinned", 0.5]}}
    asked = {"unit": pseudonym(SHOP, "client:x"), "trigger": "exit_intent", **tried}
    carts = [an_event(each, "product_added_to_cart", each) for each in "xyz"]
    await write(
        on_both_databases, a_shop(), *carts, an_event("b", "checkout_completed", "y", checkout_token="ty"),
        a_decision("a", inputs=asked, surface="storefront", region="DE", answer=OFFERED),
        a_decision("b", inputs={"unit": "another"} | tried, checkout_token="ty", region="DE"),
    )  # fmt: skip
    found = await read(on_both_databases)
    conversion = {
        (each.by, each.group): (each.value, each.over) for each in found if each.name == "cart_conversion"
    }
    assert conversion["all", "all"] == (1 / 3, 3)
    assert conversion["arm", "personalised"] == conversion["market", "DE"] == (0.5, 2)
    assert conversion["experiment", "pin/2/pinned"] == (0.5, 2)
    assert conversion["trigger", "exit_intent"] == conversion["offer", "coupon"] == (0, 1)
    assert conversion["trigger", "checkout"] == (1, 1)
    assert ("experiment", "standing/s/personalised") not in conversion


async def test_a_decision_after_the_order_converts_nothing(connections: Connections) -> None:
    await write(
        connections, a_shop(), an_event("c", "product_added_to_cart", "x"),
        an_event("b", "checkout_completed", "x", checkout_token="t1"),
        a_decision("a", checkout_token="t1", surface="thank_you", answer=OFFERED),
        an_order(1, checkout_token="t1", subtotal_minor=2_000),
    )  # fmt: skip
    found = await read(connections)
    for name in ("cart_conversion", "checkout_conversion"):
        assert isinstance(figure(found, "campaign", "welcome", name), Refusal)
    assert figure(found, "campaign", "welcome", "aov") == 2_000


async def test_gift_cards_alone_convert_and_are_no_order_to_average_over(connections: Connections) -> None:
    met = [a_decision(each, checkout_token=each, answer=OFFERED) for each in ("card", "tea", "gift")]
    orders = [
        an_order(number, checkout_token=each.checkout_token, subtotal_minor=minor)
        for number, (each, minor) in enumerate(zip(met, (0, 2_000, 0), strict=True))
    ]
    given_away = a_line(1, 2, discount_minor=1_000)
    await write(connections, a_shop(), *met, *orders, given_away)
    found = await read(connections)
    assert figure(found, "campaign", "welcome", "checkout_conversion") == 1
    assert figure(found, "campaign", "welcome", "aov") == 1_000  # 2,000 and nothing, of two orders


async def test_a_browsers_clock_decides_nothing(connections: Connections) -> None:
    wrong = NOW - timedelta(days=400)
    late = a_decision("b", decided_at=NOW - timedelta(days=2), answer=OFFERED)
    await write(
        connections, a_shop(), an_event("c", "product_added_to_cart", "x", happened_at=wrong),
        a_decision("a", answer=OFFERED), feedback("f", "a", "accepted"), late, feedback("g", "b", "accepted"),
    )  # fmt: skip
    found = await read(connections)
    assert figure(found, "day", NOW.date().isoformat(), "cart_conversion") == 0
    accepted = next(each for each in found if (each.by, each.name) == ("all", "acceptance"))
    assert (accepted.value, accepted.over) == (1, 1)


async def test_a_day_with_carts_and_without_a_decision_is_told(connections: Connections) -> None:
    await write(connections, a_shop(), an_event("c", "product_added_to_cart", "x"))
    found = await read(connections)
    assert figure(found, "all", "all", "cart_conversion") == 0
    assert figure(found, "day", NOW.date().isoformat(), "cart_conversion") == 0


async def test_a_day_is_the_shops(connections: Connections) -> None:
    shop = a_shop()
    shop.time_zone = "Pacific/Auckland"
    cart = an_event("c", "product_added_to_cart", "x")
    await write(connections, shop, cart, a_decision("a"))
    tomorrow = (NOW + timedelta(days=1)).date().isoformat()  # noon in London is one at night there
    assert {each.group for each in await read(connections) if each.by == "day"} == {tomorrow}


async def test_each_trigger_tells_how_often_it_offered_and_what_was_said_of_it(
    connections: Connections,
) -> None:
    left = {"inputs": {"trigger": "exit_intent"}}
    await write(
        connections, a_shop(), a_decision("a", answer=OFFERED, **left), a_decision("b", **left),
        a_decision("c", answer=OFFERED, **left), a_decision("d", arm="holdout", **left),
        feedback("1", "a", "accepted"), feedback("2", "c", "dismissed"), feedback("3", "c", "dismissed"),
    )  # fmt: skip
    found = {each.name: each for each in await read(connections) if each.group == "exit_intent"}
    told = {name: (each.value, each.over) for name, each in found.items()}
    assert told["activation"] == (2 / 3, 3)  # the holdout is asked and never offers
    assert told["acceptance"] == told["dismissal"] == (1 / 2, 2)


def test_what_nothing_stands_under_is_refused_with_its_reason() -> None:
    found = kpis(KpiInputs([KpiDecision(None, None, "2026-11-01", "holdout", None, None)], {}, {}))
    told = {each.name: each.value for each in found if each.by == "arm"}
    assert all(isinstance(each, Refusal) for each in told.values())
    lines = as_csv(found).splitlines()
    assert lines[0] == "by,group,kpi,value,over,reason"
    assert "arm,holdout,aov,,0,no order that stands" in lines


def test_an_amount_is_told_to_the_minor_unit_however_large_it_is() -> None:
    told = as_csv(
        [Kpi("all", "all", "aov", 12_345_678_901 / 3, 3), Kpi("all", "all", "acceptance", 2 / 3, 3)]
    )
    assert told.splitlines()[1:] == ["all,all,aov,4115226300.33,3,", "all,all,acceptance,0.666666666667,3,"]


def test_a_groups_name_is_no_formula_in_a_spreadsheet() -> None:
    found = kpis(KpiInputs([KpiDecision("t", None, "2026-11-01", "a", "=HYPERLINK()", None)], {}, {}))
    assert "segment,'=HYPERLINK()," in as_csv(found)


async def test_only_the_ways_that_are_asked_for_are_worked_out(connections: Connections) -> None:
    await write(connections, a_shop(), a_decision("a", checkout_token="t1", answer=OFFERED))
    facts, _ = await read_facts(connections, SHOP, NOW - timedelta(days=1), NOW)
    assert kpis(facts, ("all",)) == [each for each in kpis(facts) if each.by == "all"]
