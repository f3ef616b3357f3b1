from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import select

from app.connections import Connections
from app.events.kinds import (
    CodeUsed,
    GrantUsed,
    Line,
    OrderCancelled,
    OrderDeleted,
    OrderPaid,
    OrderPlaced,
    RefundCreated,
    RefundLine,
)
from app.orders.store import record_order, record_orders, record_refund, remove_order
from app.tables import OF_NO_LINE, OF_SHIPPING, OF_TAX, OrderLineRow, OrderRow, RefundRow, ShopRow

SHOP = "a.myshopify.com"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def line(line_id: int, **fields: Any) -> Line:
    return Line(line_id=line_id, product_id=2, variant_id=3, quantity=1, price_minor=1000, **fields)


def order(kind: type = OrderPlaced, minutes: int = 0, **fields: Any) -> Any:
    at = NOON + timedelta(minutes=minutes)
    facts: dict[str, Any] = {
        "shop": SHOP,
        "event_id": f"e{minutes}",
        "happened_at": at,
        "order_id": 11,
        "customer_id": 5,
        "checkout_token": "t",
        "currency": "USD",
        "subtotal_minor": 1000,
        "discount_minor": 0,
        "total_minor": 1000,
        "paid": False,
        "created_at": NOON,
        "updated_at": at,
        "cancelled_at": None,
        "lines": (line(1),),
    }
    return kind(**facts | fields)


async def the_order(connections: Connections) -> OrderRow:
    async with connections.read() as db:
        return (await db.exec(select(OrderRow))).one()


async def line_ids(connections: Connections) -> list[int]:
    async with connections.read() as db:
        return sorted((await db.exec(select(OrderLineRow.line_id))).all())


async def test_an_order_told_twice_is_kept_once(on_both_databases: Connections) -> None:
    used = {
        "codes": (CodeUsed(code="TEN", amount_minor=100),),
        "grant": GrantUsed(terms_id="4f9d", number="9c5c"),
    }
    for _ in range(2):
        await record_order(on_both_databases, order(lines=(line(1, decision_id="d", offer_id="o"),), **used))
    kept = await the_order(on_both_databases)
    assert (kept.total_minor, kept.updated_at) == (1000, NOON)
    assert kept.discount_codes == [{"code": "TEN", "amount_minor": 100}, {"terms_id": "4f9d"}]
    async with on_both_databases.read() as db:
        row = (await db.exec(select(OrderLineRow))).one()
    assert (row.decision_id, row.offer_id, row.price_minor) == ("d", "o", 1000)


async def test_an_import_which_tells_of_no_discount_without_a_code_takes_none_away(
    on_both_databases: Connections,
) -> None:
    used = {"codes": (CodeUsed(code="TEN"),), "grant": GrantUsed(terms_id="4f9d", number="9c5c")}
    for told in (used, {"codes": (CodeUsed(code="TEN"),)}):
        await record_order(on_both_databases, order(**told))
    kept = await the_order(on_both_databases)
    assert kept.discount_codes == [{"code": "TEN", "amount_minor": None}, {"terms_id": "4f9d"}]


async def test_a_late_order_does_not_go_back_in_time(on_both_databases: Connections) -> None:
    await record_order(on_both_databases, order(minutes=5, total_minor=700, lines=(line(2),)))
    await record_order(on_both_databases, order(minutes=1, total_minor=1000, lines=(line(1),)))
    assert (await the_order(on_both_databases)).total_minor == 700
    assert await line_ids(on_both_databases) == [2]


async def test_a_newer_order_replaces_its_lines(on_both_databases: Connections) -> None:
    await record_order(on_both_databases, order(lines=(line(1), line(2))))
    await record_order(on_both_databases, order(minutes=1, lines=(line(2), line(3))))
    assert await line_ids(on_both_databases) == [2, 3]


async def test_a_paid_order_stays_paid_when_its_creation_is_told_again(
    on_both_databases: Connections,
) -> None:
    await record_order(on_both_databases, order(OrderPaid, paid=True))
    await record_order(on_both_databases, order(OrderPlaced, paid=False))
    assert (await the_order(on_both_databases)).paid


async def test_a_cancelled_order_stays_cancelled(on_both_databases: Connections) -> None:
    await record_order(on_both_databases, order(OrderCancelled, cancelled_at=NOON))
    await record_order(on_both_databases, order(OrderPaid, minutes=1, paid=True))
    assert (await the_order(on_both_databases)).cancelled_at == NOON


async def test_an_order_that_is_only_a_test_counts_on_development_stores_and_where_nothing_is_known(
    on_both_databases: Connections,
) -> None:
    stores = {"dev.myshopify.com": True, "sells.myshopify.com": False, "unknown.myshopify.com": None}
    async with on_both_databases.write() as db:
        for shop, development in stores.items():
            db.add(ShopRow(shop=shop, publishable_key=shop, installed_at=NOON, development=development))
    for shop in stores:
        tried, sold = order(shop=shop, test=True), order(shop=shop, order_id=12, lines=(line(2),))
        await record_orders(on_both_databases, [tried, sold])
    async with on_both_databases.read() as db:
        kept = (await db.exec(select(OrderRow.shop, OrderRow.order_id))).all()
    assert {(shop, 11) for shop in stores} & set(kept) == {
        ("dev.myshopify.com", 11), ("unknown.myshopify.com", 11)
    }  # fmt: skip
    assert {shop for shop, number in kept if number == 12} == set(stores)


async def test_what_was_tried_on_a_development_store_goes_once_it_sells(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="k", installed_at=NOON, development=True))
    tried, sold = order(test=True), order(order_id=12, lines=(line(2),))
    await record_orders(connections, [tried, sold])
    for refund_id, order_id, line_id in ((7, 11, 1), (8, 12, 2)):
        lines = (RefundLine(line_id=line_id, quantity=1, amount_minor=100),)
        back = RefundCreated(
            shop=SHOP, event_id="r", happened_at=NOON, refund_id=refund_id, order_id=order_id,
            created_at=NOON, lines=lines,
        )  # fmt: skip
        await record_refund(connections, back)
    async with connections.write() as db:
        row = await db.get(ShopRow, SHOP)
        assert row is not None
        row.development = False
        db.add(row)
    await record_orders(connections, [tried, sold])
    assert (await the_order(connections)).order_id == 12
    assert await line_ids(connections) == [2]
    async with connections.read() as db:
        assert (await db.exec(select(RefundRow.refund_id))).all() == [8]


def deleted(minutes: int) -> OrderDeleted:
    at = NOON + timedelta(minutes=minutes)
    return OrderDeleted(shop=SHOP, event_id="gone", happened_at=at, order_id=11, currency="USD")


async def test_a_deleted_order_counts_no_more_whatever_is_told_of_it_late(
    on_both_databases: Connections,
) -> None:
    await record_order(on_both_databases, order())
    for _ in range(2):
        await remove_order(on_both_databases, deleted(5))
    await record_order(on_both_databases, order(OrderPaid, minutes=6, paid=True))
    kept = await the_order(on_both_databases)
    assert (kept.cancelled_at, kept.total_minor) == (NOON + timedelta(minutes=5), 1000)


async def test_an_order_that_was_cancelled_before_it_was_deleted_stays_cancelled_from_then_on(
    on_both_databases: Connections,
) -> None:
    await record_order(on_both_databases, order(OrderCancelled, minutes=1, cancelled_at=NOON))
    await remove_order(on_both_databases, deleted(5))
    assert (await the_order(on_both_databases)).cancelled_at == NOON


async def test_an_order_that_is_told_of_after_its_deletion_never_counts(
    on_both_databases: Connections,
) -> None:
    await remove_order(on_both_databases, deleted(5))
    await record_order(on_both_databases, order())
    await record_order(on_both_databases, order(OrderPaid, minutes=1, paid=True))
    assert (await the_order(on_both_databases)).cancelled_at is not None


async def test_many_orders_are_kept_at_once_and_the_newest_wins(on_both_databases: Connections) -> None:
    many = [order(order_id=n, lines=(line(n),)) for n in range(1, 1_203)]
    await record_orders(
        on_both_databases,
        [order(minutes=9, total_minor=9), order(minutes=3, total_minor=3), *many],
    )
    async with on_both_databases.read() as db:
        rows = (await db.exec(select(OrderRow))).all()
    assert len(rows) == 1_202
    assert next(row for row in rows if row.order_id == 11).total_minor == 9


async def test_the_same_order_number_in_two_shops_is_two_orders(
    on_both_databases: Connections,
) -> None:
    await record_order(on_both_databases, order())
    await record_order(on_both_databases, order(shop="b.myshopify.com", total_minor=1))
    async with on_both_databases.read() as db:
        rows = (await db.exec(select(OrderRow))).all()
    assert {(row.shop, row.total_minor) for row in rows} == {(SHOP, 1000), ("b.myshopify.com", 1)}


async def test_a_refund_is_kept_by_line_and_a_repeat_changes_nothing(
    on_both_databases: Connections,
) -> None:
    back = RefundLine(line_id=1, quantity=1, amount_minor=400)
    refund = RefundCreated(
        shop=SHOP,
        event_id="r",
        happened_at=NOON,
        refund_id=7,
        order_id=11,
        created_at=NOON,
        lines=(back, back),
        other_minor=50,
        shipping_minor=70,
        tax_minor=64,
    )
    for _ in range(2):
        await record_refund(on_both_databases, refund)
    async with on_both_databases.read() as db:
        rows = (await db.exec(select(RefundRow))).all()
    # one line came back to two locations: 2 units, 2 x 400
    assert {(row.line_id, row.quantity, row.amount_minor) for row in rows} == {
        (1, 2, 800), (OF_NO_LINE, 0, 50), (OF_SHIPPING, 0, 70), (OF_TAX, 0, 64)
    }  # fmt: skip


async def test_a_webhook_undoes_nothing_that_the_admin_api_alone_tells(
    on_both_databases: Connections,
) -> None:
    part = line(1, bundle_id=7, bundle_product_id=90, offer_id="o", decision_id="d")
    await record_order(on_both_databases, order(lines=(part, line(2)), renewal=True))
    await record_order(on_both_databases, order(minutes=1, lines=(line(1, bundle_id=7),)))
    assert (await the_order(on_both_databases)).renewal
    async with on_both_databases.read() as db:
        kept = (await db.exec(select(OrderLineRow))).one()
    assert (kept.bundle_id, kept.bundle_product_id, kept.offer_id) == (7, 90, "o")
