from datetime import UTC, datetime, timedelta
from typing import Any

from app.attribution.attribute import OfferCounts, Revenue
from app.attribution.store import attributed_revenue, offer_counts
from app.connections import Connections
from app.tables import OF_NO_LINE, DecisionRow, FeedbackRow, OrderLineRow, OrderRow, RefundRow, ShopRow
from app.values import ShopDomain

SHOP = ShopDomain("a.myshopify.com")
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)


async def write(connections: Connections, *rows: Any) -> None:
    async with connections.write() as db:
        db.add_all(rows)


def a_shop(shop: str = SHOP, currency: str = "EUR") -> ShopRow:
    return ShopRow(shop=shop, currency=currency, publishable_key=f"pk_{shop}", installed_at=NOW)


def an_order(order_id: int = 1, **changes: Any) -> OrderRow:
    fields = {"shop": SHOP, "currency": "EUR", "created_at": NOW, "updated_at": NOW}
    return OrderRow(order_id=order_id, **(fields | changes))


def a_line(line_id: int = 1, order_id: int = 1, **changes: Any) -> OrderLineRow:
    fields = {"shop": SHOP, "quantity": 1, "price_minor": 1000, "decision_id": "d"}
    return OrderLineRow(line_id=line_id, order_id=order_id, **(fields | changes))


def a_decision(decision_id: str = "d", **changes: Any) -> DecisionRow:
    fields = {"shop": SHOP, "decided_at": NOW, "surface": "checkout", "rung": "contextual"}
    return DecisionRow(decision_id=decision_id, **({"arm": "personalised"} | fields | changes))


def feedback(event_id: str, decision_id: str, kind: str) -> FeedbackRow:
    return FeedbackRow(
        shop=SHOP, event_id=event_id, decision_id=decision_id, offer_id="o", kind=kind,
        happened_at=NOW,
    )  # fmt: skip


def a_refund(refund_id: int, amount_minor: int, line_id: int = 1, shop: str = SHOP) -> RefundRow:
    return RefundRow(
        shop=shop, refund_id=refund_id, line_id=line_id, order_id=1, amount_minor=amount_minor,
        created_at=NOW,
    )  # fmt: skip


async def test_a_line_that_carries_our_decision_earns_its_net_price(
    connections: Connections,
) -> None:
    line = a_line(quantity=2, discount_minor=300)
    await write(connections, a_shop(), a_decision(), an_order(), line)
    await write(connections, a_refund(1, 500), a_refund(2, 100))
    revenue = await attributed_revenue(connections, SHOP, SINCE)
    assert revenue == Revenue(orders=1, gross_minor=1700, refunded_minor=600, currency="EUR")
    assert revenue.net_minor == 1100


async def test_a_line_without_a_decision_earns_nothing(connections: Connections) -> None:
    await write(connections, a_shop(), a_decision(), an_order(), a_line(decision_id=None))
    assert (await attributed_revenue(connections, SHOP, SINCE)).orders == 0


async def test_a_forged_decision_earns_nothing(connections: Connections) -> None:
    await write(connections, a_shop(), a_decision(), an_order(), a_line(decision_id="forged"))
    assert (await attributed_revenue(connections, SHOP, SINCE)).gross_minor == 0


async def test_another_shops_decision_earns_nothing(connections: Connections) -> None:
    theirs = a_decision("theirs", shop="b.myshopify.com")
    await write(connections, a_shop(), theirs, an_order(), a_line(decision_id="theirs"))
    assert (await attributed_revenue(connections, SHOP, SINCE)).gross_minor == 0
    assert (await offer_counts(connections, SHOP, SINCE)).ordered == 0


async def test_a_decision_that_showed_nothing_earns_nothing(connections: Connections) -> None:
    await write(connections, a_shop(), a_decision(arm="holdout"), an_order(), a_line())
    assert (await attributed_revenue(connections, SHOP, SINCE)).gross_minor == 0


async def test_cancelled_and_older_orders_earn_nothing(connections: Connections) -> None:
    cancelled = an_order(1, cancelled_at=NOW)
    older = an_order(2, created_at=SINCE - timedelta(seconds=1))
    await write(connections, a_shop(), a_decision(), cancelled, older, a_line(1, 1), a_line(2, 2))
    assert (await attributed_revenue(connections, SHOP, SINCE)).orders == 0


async def test_an_order_in_another_currency_is_in_no_sum(connections: Connections) -> None:
    foreign = an_order(2, currency="JPY")  # of before the shop changed its own
    await write(connections, a_shop(), a_decision(), an_order(), foreign, a_line(1, 1), a_line(2, 2))
    revenue = await attributed_revenue(connections, SHOP, SINCE)
    assert (revenue.orders, revenue.gross_minor, revenue.currency) == (1, 1000, "EUR")


async def test_what_was_given_back_of_no_line_goes_off_all_lines_of_the_order(
    connections: Connections,
) -> None:
    lines = a_line(1, price_minor=1_000), a_line(2, price_minor=3_000, decision_id=None)
    await write(connections, a_shop(), a_decision(), an_order(), *lines)
    await write(connections, a_refund(1, 2_000, line_id=OF_NO_LINE))  # half of the order, out of goodwill
    revenue = await attributed_revenue(connections, SHOP, SINCE)
    assert (revenue.gross_minor, revenue.net_minor) == (1_000, 500)


async def test_what_the_shop_kept_of_goods_that_came_back_stays_of_them(connections: Connections) -> None:
    await write(connections, a_shop(), a_decision(), an_order(), a_line())
    await write(connections, a_refund(1, 1_000), a_refund(1, -200, line_id=OF_NO_LINE))
    assert (await attributed_revenue(connections, SHOP, SINCE)).net_minor == 200


async def test_another_shops_refund_takes_nothing_back(connections: Connections) -> None:
    await write(connections, a_shop(), a_decision(), an_order(), a_line())
    await write(connections, a_refund(1, 1000, shop="b.myshopify.com"))
    assert (await attributed_revenue(connections, SHOP, SINCE)).net_minor == 1000


async def test_each_decision_is_counted_once_for_how_far_it_got(connections: Connections) -> None:
    made = [a_decision("d"), a_decision("e"), a_decision("h", arm="holdout")]
    said = [
        feedback("1", "d", "shown"), feedback("2", "d", "shown"), feedback("3", "e", "shown"),
        feedback("4", "d", "accepted"), feedback("5", "forged", "accepted"),
    ]  # fmt: skip
    await write(connections, a_shop(), *made, *said, an_order(), a_line(1), a_line(2))
    counts = await offer_counts(connections, SHOP, SINCE)
    assert counts == OfferCounts(decisions=2, held_out=1, shown=2, accepted=1, ordered=1)


async def test_an_offer_that_was_taken_was_seen_also_where_the_word_of_that_was_lost(
    connections: Connections,
) -> None:
    said = [feedback("1", "d", "accepted"), feedback("2", "e", "shown"), feedback("3", "e", "dismissed")]
    await write(connections, a_shop(), a_decision("d"), a_decision("e"), *said)
    counts = await offer_counts(connections, SHOP, SINCE)
    assert (counts.shown, counts.accepted) == (2, 1)
