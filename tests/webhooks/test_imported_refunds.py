"""Refunds that were made before the app came, or while it was gone: imported with their orders."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import delete

from app.connections import Connections
from app.consent.requests import Kind, open_request
from app.errors import ShopifyRefused
from app.events.kinds import RefundCreated, RefundLine
from app.orders.store import record_refund
from app.privacy import unfinished
from app.privacy.shop import erase_shop
from app.privacy.unfinished import RequestIncomplete
from app.recommend.store import read_shop
from app.shops.store import shop_of
from app.tables import OF_NO_LINE, BackfillRow, OrderLineRow, RefundRow, ShopRow
from devstore.schema import MODULES
from devstore.shop import refund
from tests.devstore.small_shop import NOW
from tests.webhooks.shopfront import Shopfront, installed_late
from tests.webhooks.test_backfill import rows
from webhooks import backfill
from webhooks.backfill import run_backfill
from webhooks.missed_refunds import imported_refunds, unknown_refunds
from webhooks.payload import Payload
from webhooks.read_admin import read_order

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed_late(connections) as made:
        yield made


def money(amount: str) -> dict[str, dict[str, str]]:
    return {"shopMoney": {"amount": amount}}


async def test_what_was_given_back_before_the_app_came_is_imported(front: Shopfront) -> None:
    whole, part, *_ = front.shop.orders.values()
    refund(front.shop, whole, {whole.lines[0].id: 1}, NOW)
    refund(front.shop, whole, {whole.lines[0].id: 1}, NOW + timedelta(hours=1))
    refund(front.shop, part, {part.lines[0].id: 1}, NOW)
    await run_backfill(front.connections, front.installed.shop)
    assert {line.quantity for line in await rows(front.connections, OrderLineRow)} == {2}
    assert len(await rows(front.connections, OrderLineRow)) == 5
    back = await rows(front.connections, RefundRow)
    assert sorted((row.order_id, row.line_id, row.quantity, row.amount_minor) for row in back) == [
        (whole.id, OF_NO_LINE, 0, -349),  # so that its two refunds are 698
        (whole.id, OF_NO_LINE, 0, 349),
        (whole.id, whole.lines[0].id, 2, 698),
        (part.id, part.lines[0].id, 1, 349),
    ]
    async with front.connections.read() as db:
        learnt = await read_shop(db, front.installed.shop)
    assert len(learnt.baskets) == 4


@pytest.mark.parametrize(
    ("paid_back", "kept", "other", "tax"),
    [
        ("3.77", "0.00", 0, 28),  # 8 % of tax
        ("3.00", "0.49", -49, 0),  # less than it was worth
        ("0.00", "0.00", 0, 0),  # taken out of the order before it was paid
        ("1.00", "0.00", 0, 0),  # for the rest something else was sent
        ("1.00", "0.49", -49, 0),
    ],
)
def test_of_an_imported_refund_it_is_told_what_was_for_goods(
    paid_back: str, kept: str, other: int, tax: int
) -> None:
    shop = shop_of(ShopRow(shop="a.myshopify.com", publishable_key="pk", currency="USD", installed_at=NOW))
    then = "2026-11-01T10:00:00Z"
    given = {"id": "6", "createdAt": then, "totalRefundedSet": {"shopMoney": {"amount": paid_back}}}
    order = {"id": "5", "currencyCode": "USD", "createdAt": then, "updatedAt": then}
    node = Payload(order | {"refunds": [given], "refundDiscrepancySet": {"shopMoney": {"amount": kept}}})
    sold = {"quantity": 2, "originalUnitPriceSet": {"shopMoney": {"amount": "3.49"}}}
    lines = [Payload({"id": "7", "currentQuantity": 1} | sold), Payload({"id": "8"} | sold)]
    (told,) = imported_refunds(shop, node, read_order(shop.shop, node, lines), lines)
    assert told.lines == (RefundLine(line_id=7, quantity=1, amount_minor=349),)
    assert (told.other_minor, told.tax_minor) == (other, tax)


@pytest.mark.parametrize(
    ("paid_back", "shipping", "kept", "left", "goods", "other", "tax"),
    [
        ("5.00", "5.00", "0.00", 2, (), 0, 0),  # all of it was shipping
        ("8.49", "5.00", "0.00", 1, (349,), 0, 0),
        ("8.00", "5.00", "0.49", 1, (349,), -49, 0),  # a fee was kept of the goods, not of the shipping
        ("8.77", "5.00", "0.00", 1, (349,), 0, 28),
        ("5.40", "5.00", "0.00", 2, (), 0, 40),  # and its tax
        ("7.00", "5.00", "-2.00", 2, (), 200, 0),  # and something for the trouble
        ("7.40", "5.00", "-2.00", 2, (), 200, 40),
        ("10.77", "5.00", "-2.00", 1, (349,), 200, 28),
    ],
)
def test_of_an_imported_refund_what_was_for_shipping_is_of_no_goods(
    paid_back: str, shipping: str, kept: str, left: int, goods: tuple[int, ...], other: int, tax: int
) -> None:
    shop = shop_of(ShopRow(shop="a.myshopify.com", publishable_key="pk", currency="USD", installed_at=NOW))
    then = "2026-11-01T10:00:00Z"
    sums = {"totalRefundedShippingSet": shipping, "refundDiscrepancySet": kept}
    given = {"id": "6", "createdAt": then, "totalRefundedSet": {"shopMoney": {"amount": paid_back}}}
    order = {"id": "5", "currencyCode": "USD", "createdAt": then, "updatedAt": then, "refunds": [given]}
    node = Payload(order | {name: {"shopMoney": {"amount": amount}} for name, amount in sums.items()})
    sold = {"quantity": 2, "originalUnitPriceSet": {"shopMoney": {"amount": "3.49"}}, "currentQuantity": left}
    lines = [Payload({"id": "7", "product": {"id": "1"}} | sold)]
    (told,) = imported_refunds(shop, node, read_order(shop.shop, node, lines), lines)
    assert tuple(line.amount_minor for line in told.lines) == goods
    assert (told.other_minor, told.tax_minor, told.shipping_minor) == (other, tax, 500)


@pytest.mark.parametrize("paid_back", [("3.49", "5.00"), ("5.00", "3.49")])
def test_of_several_imported_refunds_the_one_of_just_the_shipping_is_of_no_goods(
    paid_back: tuple[str, str],
) -> None:
    shop = shop_of(ShopRow(shop="a.myshopify.com", publishable_key="pk", currency="USD", installed_at=NOW))
    given = [
        {"id": f"{day}", "createdAt": f"2026-11-0{day}T10:00:00Z", "totalRefundedSet": money(amount)}
        for day, amount in enumerate(paid_back, start=1)
    ]
    then = "2026-11-01T10:00:00Z"
    order = {"id": "5", "currencyCode": "USD", "createdAt": then, "updatedAt": then, "refunds": given}
    node = Payload(order | {"totalRefundedShippingSet": money("5.00"), "refundDiscrepancySet": money("0.00")})
    sold = {"quantity": 2, "originalUnitPriceSet": money("3.49"), "currentQuantity": 1}
    lines = [Payload({"id": "7", "product": {"id": "1"}} | sold)]
    told = imported_refunds(shop, node, read_order(shop.shop, node, lines), lines)
    goods = [sum(line.amount_minor for line in each.lines) + each.other_minor for each in told]
    assert goods == [0 if amount == "5.00" else 349 for amount in paid_back]


async def test_a_refund_that_was_told_stays_as_told_when_its_order_is_imported(front: Shopfront) -> None:
    connections, shop, sold = front.connections, front.installed.shop, next(iter(front.shop.orders.values()))
    made = refund(front.shop, sold, {sold.lines[0].id: 1}, NOW)
    told = RefundCreated(
        shop=shop, event_id="r", happened_at=NOW, refund_id=made.id, order_id=sold.id, created_at=NOW,
        lines=(RefundLine(line_id=sold.lines[0].id, quantity=1, amount_minor=349),),
    )  # fmt: skip
    await record_refund(connections, told)
    await run_backfill(connections, shop)
    (kept,) = await rows(connections, RefundRow)
    assert (kept.line_id, kept.quantity, kept.amount_minor) == (sold.lines[0].id, 1, 349)


async def test_a_refund_made_while_the_app_was_gone_is_imported_when_it_is_back(front: Shopfront) -> None:
    connections, shop, sold = front.connections, front.installed.shop, next(iter(front.shop.orders.values()))
    await run_backfill(connections, shop)
    async with connections.write() as db:
        await db.exec(delete(BackfillRow))  # as with the app
    refund(front.shop, sold, {sold.lines[0].id: 1}, NOW)
    await run_backfill(connections, shop)
    (kept,) = await rows(connections, RefundRow)
    assert (kept.order_id, kept.line_id, kept.quantity) == (sold.id, sold.lines[0].id, 1)


async def test_a_shop_is_not_erased_between_the_look_at_its_orders_and_their_refunds(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections, shop, sold = front.connections, front.installed.shop, next(iter(front.shop.orders.values()))
    refund(front.shop, sold, {sold.lines[0].id: 1}, NOW)
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await open_request(connections, shop, "r", Kind.SHOP, datetime.now(UTC))

    async def look_then_erase(*about: Any) -> list[RefundCreated]:
        found = await unknown_refunds(*about)
        with pytest.raises(RequestIncomplete):
            await erase_shop(connections, shop, "r")
        return found

    monkeypatch.setattr(backfill, "unknown_refunds", look_then_erase)
    with pytest.raises(ShopifyRefused, match="does not have the app any more"):
        await run_backfill(connections, shop)
    await erase_shop(connections, shop, "r")
    assert await rows(connections, RefundRow) == []


async def test_a_refund_that_is_told_after_its_import_is_counted_once(front: Shopfront) -> None:
    connections, shop, sold = front.connections, front.installed.shop, next(iter(front.shop.orders.values()))
    made = refund(front.shop, sold, {sold.lines[0].id: 1}, NOW)
    await run_backfill(connections, shop)
    told = RefundCreated(
        shop=shop, event_id="r", happened_at=NOW, refund_id=made.id, order_id=sold.id, created_at=NOW,
        lines=(RefundLine(line_id=sold.lines[0].id, quantity=1, amount_minor=349),),
    )  # fmt: skip
    await record_refund(connections, told)
    assert [row.amount_minor for row in await rows(connections, RefundRow)] == [349]
