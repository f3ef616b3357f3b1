from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append
from app.experiments.showing_store import read_showings
from app.tables import DecisionRow, FeedbackRow, OrderLineRow, OrderRow
from tests.attribution.test_store import SHOP, a_shop, write
from tests.experiments.factories import NOW

WHEN = NOW - timedelta(days=20)


def a_decision(decision_id: str, *offers: dict[str, Any], **changes: Any) -> DecisionRow:
    fields = {
        "shop": SHOP, "decided_at": WHEN, "surface": "checkout", "rung": "personal", "arm": "personalised",
        "answer": {"offers": list(offers)}, "inputs": {"unit": f"unit-{decision_id}"},
    }  # fmt: skip
    return DecisionRow(decision_id=decision_id, **(fields | changes))


def an_offer(product_id: int, **changes: Any) -> dict[str, Any]:
    product = {"product_id": f"gid://shopify/Product/{product_id}"}
    return {"offer_id": f"o{product_id}", "kind": "upsell", "product": product} | changes


def said(kind: str, decision_id: str, product_id: int) -> FeedbackRow:
    return FeedbackRow(
        shop=SHOP, event_id=f"{kind} {decision_id} {product_id}", decision_id=decision_id,
        offer_id=f"o{product_id}", kind=kind, happened_at=NOW - timedelta(days=300),
    )  # fmt: skip


def an_order(
    order_id: int, decision_id: str, product_id: int, **changes: Any
) -> tuple[OrderRow, OrderLineRow]:
    line = OrderLineRow(
        shop=SHOP, line_id=order_id, order_id=order_id, product_id=product_id, quantity=1, price_minor=500,
        decision_id=decision_id, offer_id=f"o{product_id}",
    )  # fmt: skip
    fields = {"shop": SHOP, "currency": "EUR", "created_at": WHEN, "updated_at": NOW}
    return OrderRow(order_id=order_id, **(fields | changes)), line


async def became(connections: Connections, **changes: Any) -> list[tuple[int, bool, bool]]:
    found = await read_showings(connections, SHOP, NOW, **changes)
    return list(zip(found.product_id.tolist(), found.taken.tolist(), found.sent_away.tolist(), strict=True))


async def test_what_was_shown_is_told_with_what_shoppers_made_of_it(on_both_databases: Connections) -> None:
    offers = [an_offer(10), an_offer(20), an_offer(30), an_offer(40)]
    await write(
        on_both_databases, a_shop(), a_decision("a", *offers), said("shown", "a", 10), said("shown", "a", 20),
        said("accepted", "a", 20), said("dismissed", "a", 30),
    )  # fmt: skip
    # 40 was never drawn; that a browser's clock is 300 days slow changes nothing.
    expected = [(10, False, False), (20, True, False), (30, False, True)]
    assert await became(on_both_databases) == expected


async def test_an_order_with_the_offer_takes_it_unless_it_was_cancelled(connections: Connections) -> None:
    await write(
        connections, a_shop(), a_decision("a", an_offer(10)), a_decision("b", an_offer(20)),
        *an_order(1, "a", 10), *an_order(2, "b", 20, cancelled_at=NOW), said("shown", "b", 20),
    )  # fmt: skip
    assert sorted(await became(connections)) == [(10, True, False), (20, False, False)]


async def test_only_what_the_ranking_offered_lately_and_personally_is_learnt_from(
    connections: Connections,
) -> None:
    left = {
        "static": a_decision("static", an_offer(10), arm="static"),
        "fallback": a_decision("fallback", an_offer(10), fallback="redis"),
        "old": a_decision("old", an_offer(10), decided_at=NOW - timedelta(days=91)),
        "campaign": a_decision("campaign", an_offer(10, campaign="welcome")),
        "theirs": a_decision("theirs", an_offer(10), shop="b.myshopify.com"),
    }
    await write(connections, a_shop(), *left.values(), *(said("shown", name, 10) for name in left))
    assert await became(connections) == []


async def test_who_does_not_want_to_be_learnt_from_is_not(connections: Connections) -> None:
    decisions = [a_decision(f"{who}", an_offer(who), customer_id=who) for who in (7, 8, 9)]
    await write(connections, a_shop(), *decisions, *(said("shown", f"{who}", who) for who in (7, 8, 9)))
    subject = (await open_digests(connections)).of(SHOP, "customer", 7)
    told = {"preferences": False, "marketing": True}
    await append(connections, SHOP, [Entry(subject, "customer", "e", WHEN, "checkout", told)])
    assert await became(connections, left_out={8}) == [(9, False, False)]
