from __future__ import annotations

from datetime import timedelta

from app.attribution.kpi_facts import read_facts
from app.attribution.kpis import Decided, Facts, Kpi, as_csv, kpis
from app.connections import Connections
from app.experiments.refusal import Refusal
from app.segment_tables import CustomerSegmentRow
from app.tables import EventRow
from tests.attribution.test_store import NOW, SHOP, a_decision, a_refund, a_shop, an_order, feedback, write

OFFERED = {"segment": "loyal", "offers": [{"offer_id": "o", "kind": "coupon", "campaign": "welcome"}]}


def figure(found: list[Kpi], by: str, group: str, name: str) -> float | Refusal:
    return next(each.value for each in found if (each.by, each.group, each.name) == (by, group, name))


def an_event(event_id: str, name: str, client_id: str) -> EventRow:
    return EventRow(
        shop=SHOP, event_id=event_id, name=name, happened_at=NOW, recorded_at=NOW, client_id=client_id
    )


async def test_figures_come_from_what_stands_in_the_database(on_both_databases: Connections) -> None:
    segment = CustomerSegmentRow(
        shop=SHOP, customer_id=7, segment="loyal", spend_ahead_minor=900, changed_at=NOW
    )
    await write(
        on_both_databases, a_shop(), segment,
        a_decision("a", checkout_token="t1", customer_id=7, region="DE", answer=OFFERED),
        a_decision("b", checkout_token="t2", arm="holdout"), feedback("f", "a", "accepted"),
        an_order(1, checkout_token="t1", customer_id=7, subtotal_minor=2_000), a_refund(1, 500),
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


def test_what_nothing_stands_under_is_refused_with_its_reason() -> None:
    found = kpis(Facts([Decided(None, None, "2026-11-01", "holdout", None, None)], {}, {}))
    told = {each.name: each.value for each in found if each.by == "arm"}
    assert all(isinstance(each, Refusal) for each in told.values())
    lines = as_csv(found).splitlines()
    assert lines[0] == "by,group,kpi,value,over,reason"
    assert "arm,holdout,aov,,0,no order that stands" in lines


def test_a_groups_name_is_no_formula_in_a_spreadsheet() -> None:
    found = kpis(Facts([Decided("t", None, "2026-11-01", "a", "=HYPERLINK()", None)], {}, {}))
    assert "segment,'=HYPERLINK()," in as_csv(found)
