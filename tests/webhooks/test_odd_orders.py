"""Orders that nobody placed, gift cards and bundles: told alike by webhooks, imports and what was missed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.events.kinds import RefundCreated
from app.shops.store import Shop
from app.values import ShopDomain
from tests.webhooks.test_translate import SHOP, order, refund, translated
from webhooks.minimise import minimised
from webhooks.missed_refunds import imported_refunds, read_refund
from webhooks.payload import Payload
from webhooks.read_admin import read_customer, read_order

AT = "2026-11-01T15:00:00Z"
CARD, TEA = 8, 1


def money(minor: int) -> dict[str, Any]:
    return {"shopMoney": {"amount": f"{minor / 100:.2f}"}}


def repaid(minor: int) -> dict[str, Any]:
    return {"nodes": [{"kind": "REFUND", "status": "SUCCESS", "amountSet": money(minor)}]}


def node(**fields: Any) -> Payload:
    told = {"id": "gid://shopify/Order/11", "createdAt": AT, "updatedAt": AT, "currencyCode": "USD"}
    return Payload(told | fields)


def the_shop() -> Shop:
    return Shop(
        shop=ShopDomain(SHOP), name="A", currency="USD", publishable_key="k", scopes=frozenset(),
        settings={}, installed_at=datetime(2026, 1, 1, tzinfo=UTC), uninstalled_at=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "renewal"),
    [
        ("subscription_contract", True),
        ("subscription_contract_checkout_one", True),
        ("web", False),  # what begins a subscription comes from a checkout
        ("pos", False),
        ("shopify_draft_order", False),
        ("580111", False),
        ("amazon", False),
        (None, None),
    ],
)
def test_what_a_subscription_charges_by_itself_was_placed_by_nobody(
    source: str | None, renewal: bool | None
) -> None:
    assert translated("orders/create", order(source_name=source)).renewal is renewal
    assert read_order(SHOP, node(sourceName=source), []).renewal is renewal


@dataclass(frozen=True)
class Sold:
    """A line as somebody bought it, of which some units went back."""

    line_id: int
    price: int
    quantity: int
    off: int
    back: int
    gift_card: bool

    @property
    def paid(self) -> int:
        return self.quantity * self.price - self.off

    @property
    def paid_back(self) -> int:
        return round(self.paid * self.back / self.quantity)

    @property
    def of_webhook(self) -> dict[str, Any]:
        return {
            "id": self.line_id, "product_id": self.line_id, "quantity": self.quantity,
            "price": f"{self.price / 100:.2f}", "gift_card": self.gift_card,
            "discount_allocations": [{"amount": f"{self.off / 100:.2f}"}],
        }  # fmt: skip

    @property
    def of_admin(self) -> Payload:
        return Payload({
            "id": f"gid://shopify/LineItem/{self.line_id}", "quantity": self.quantity,
            "currentQuantity": self.quantity - self.back, "isGiftCard": self.gift_card,
            "product": {"id": f"gid://shopify/Product/{self.line_id}"},
            "originalUnitPriceSet": money(self.price),
            "discountAllocations": [{"allocatedAmountSet": money(self.off)}],
        })  # fmt: skip


@st.composite
def lines_sold(draw: st.DrawFn) -> list[Sold]:
    found = []
    for line_id in range(1, draw(st.integers(1, 4)) + 1):
        price, quantity = draw(st.integers(1, 99_999)), draw(st.integers(1, 5))
        off, back = draw(st.integers(0, price * quantity)), draw(st.integers(0, quantity))
        found.append(Sold(line_id, price, quantity, off, back, draw(st.booleans())))
    return found


BESIDE = st.tuples(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 3_000))


def kept(subtotal_minor: int, refunds: list[RefundCreated]) -> int:
    """Return what is left of an order's goods, as every figure works it out."""
    goods = sum(line.amount_minor for each in refunds for line in each.lines)
    return subtotal_minor - goods - sum(each.other_minor for each in refunds)


def as_kept(topic: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the body as it waits in the database."""
    told: dict[str, Any] = msgspec.json.decode(minimised(msgspec.json.encode(body), topic, str))
    return told


def tip_of(minor: int, left: int = 1) -> tuple[list[dict[str, Any]], list[Payload]]:
    """Return the line that a tip is in an order, as a webhook and as the Admin API write it; none of none."""
    if not minor:
        return [], []
    told = {"id": 99, "product_id": None, "quantity": 1, "price": f"{minor / 100:.2f}", "title": "Tip"}
    line = {"id": "gid://shopify/LineItem/99", "quantity": 1, "currentQuantity": left, "product": None}
    return [told], [Payload(line | {"originalUnitPriceSet": money(minor)})]


@settings(max_examples=150, deadline=None)
@given(lines_sold(), BESIDE)
def test_what_is_left_of_goods_is_what_shopify_says_less_its_gift_cards(
    sold: list[Sold], beside: tuple[int, int, int]
) -> None:
    shipping, tip, tax = beside
    subtotal = sum(each.paid for each in sold)
    total, back = subtotal + shipping + tip + tax, [each for each in sold if each.back]
    current_subtotal = subtotal - sum(each.paid_back for each in back)
    cards_left = sum(each.paid - each.paid_back for each in sold if each.gift_card)
    told = order(
        line_items=[*(each.of_webhook for each in sold), *tip_of(tip)[0]], total_price=f"{total / 100:.2f}",
        total_tip_received=f"{tip / 100:.2f}",
        subtotal_price=f"{subtotal / 100:.2f}", current_subtotal_price=f"{current_subtotal / 100:.2f}",
    )  # fmt: skip
    event = translated("orders/create", told)
    went_back = translated("refunds/create", refund(
        refund_line_items=[
            {"line_item_id": each.line_id, "quantity": each.back, "subtotal": f"{each.paid_back / 100:.2f}",
             "line_item": {"gift_card": each.gift_card}}
            for each in back
        ],
        transactions=[{
            "kind": "refund", "status": "success", "currency": "USD",
            "amount": f"{sum(each.paid_back for each in back) / 100:.2f}",
        }],
    ))  # fmt: skip
    left = current_subtotal - cards_left
    assert kept(event.subtotal_minor, [went_back]) == left
    assert event.total_minor - event.subtotal_minor == shipping + tip + tax
    assert [line.line_id for line in event.lines] == [each.line_id for each in sold if not each.gift_card]

    refunds = [{
        "id": "gid://shopify/Refund/7", "createdAt": AT,
        "totalRefundedSet": money(sum(each.paid_back for each in back)),
    }] if back else []  # fmt: skip
    whole = node(
        subtotalPriceSet=money(subtotal), totalPriceSet=money(total), refunds=refunds,
        refundDiscrepancySet=money(0),
        totalTipReceivedSet=money(tip),
    )  # fmt: skip
    nodes = [*(each.of_admin for each in sold), *tip_of(tip)[1]]
    imported = read_order(SHOP, whole, nodes)
    assert imported.lines == event.lines
    assert (imported.subtotal_minor, imported.total_minor) == (event.subtotal_minor, event.total_minor)
    assert kept(imported.subtotal_minor, imported_refunds(the_shop(), whole, imported, nodes)) == left


@pytest.mark.parametrize(("gift_card", "line_ids"), [(True, [TEA]), (False, [TEA, CARD])])
def test_a_missed_refund_of_a_gift_card_is_of_no_goods(gift_card: bool, line_ids: list[int]) -> None:
    def back(line_id: int, card: bool) -> dict[str, Any]:
        item = {"id": f"gid://shopify/LineItem/{line_id}", "isGiftCard": card}
        return {
            "quantity": 1, "lineItem": item, "subtotalSet": money(1_000), "totalTaxSet": money(0),
        }  # fmt: skip

    told = {
        "id": "gid://shopify/Refund/7", "createdAt": AT, "transactions": repaid(2_000),
        "refundLineItems": {
            "nodes": [back(TEA, False), back(CARD, gift_card)], "pageInfo": {"hasNextPage": False},
        },
        "refundShippingLines": {"nodes": []}, "orderAdjustments": {"nodes": []},
    }  # fmt: skip
    found = read_refund(the_shop(), "gid://shopify/Order/11", Payload(told))
    assert ([line.line_id for line in found.lines], found.tax_minor) == (line_ids, 0)


@pytest.mark.parametrize(
    ("tea", "mark"),
    [
        (0, {"tip_payment_gateway": "shopify_payments"}),
        (0, {"tip_payment_method": "Visa"}),
        (0, {"tip_payment_gateway": None, "tip_payment_method": None}),  # as Shopify writes it of many
        (2_000, {"tip_payment_gateway": "shopify_payments", "tip_payment_method": "Visa"}),
    ],
)
def test_a_tip_that_is_given_back_is_money_and_no_goods(tea: int, mark: dict[str, str | None]) -> None:
    tip, whole = 500, tea + 500
    back = [(99, tip, mark), *([(TEA, tea, {})] if tea else [])]
    body = refund(
        refund_line_items=[
            {"line_item_id": line_id, "quantity": 1, "subtotal": f"{minor / 100:.2f}", "line_item": item}
            for line_id, minor, item in back
        ],
        transactions=[{
            "kind": "refund", "status": "success", "currency": "USD", "amount": f"{whole / 100:.2f}",
        }],
    )  # fmt: skip
    event = translated("refunds/create", as_kept("refunds/create", body))
    assert ([line.amount_minor for line in event.lines], event.shipping_minor) == ([tea] if tea else [], tip)
    assert (kept(5_000, [event]), event.tax_minor) == (5_000 - tea, 0)

    told = node(
        subtotalPriceSet=money(5_000), totalTipReceivedSet=money(tip), refundDiscrepancySet=money(0),
        refunds=[{"id": "gid://shopify/Refund/7", "createdAt": AT, "totalRefundedSet": money(whole)}],
    )  # fmt: skip
    nodes = [Sold(TEA, 2_000, 2, 0, tea // 2_000, gift_card=False).of_admin, *tip_of(tip, left=0)[1]]
    imported = imported_refunds(the_shop(), told, read_order(SHOP, told, nodes), nodes)
    assert kept(5_000, imported) == 5_000 - tea
    assert sum(each.other_minor + each.shipping_minor + each.tax_minor for each in imported) == whole - (
        sum(line.amount_minor for each in imported for line in each.lines)
    )


@pytest.mark.parametrize(
    ("tip", "price", "vendor", "beside"),
    [
        (500, 500, None, 500),
        (500, 600, None, 0),  # what the shop made up for the order, at another price
        (500, 500, "The tea house", 0),
    ],
)
def test_a_missed_refund_of_a_tip_is_of_no_goods(
    tip: int, price: int, vendor: str | None, beside: int
) -> None:
    item = {"id": "gid://shopify/LineItem/99", "isGiftCard": False, "vendor": vendor}
    back = {"quantity": 1, "lineItem": item, "totalTaxSet": money(0)}
    told = {
        "id": "gid://shopify/Refund/7", "createdAt": AT, "transactions": repaid(price),
        "refundLineItems": {
            "nodes": [back | {"subtotalSet": money(price)}], "pageInfo": {"hasNextPage": False},
        },
        "refundShippingLines": {"nodes": []}, "orderAdjustments": {"nodes": []},
    }  # fmt: skip
    found = read_refund(the_shop(), "gid://shopify/Order/11", Payload(told), tip)
    assert (found.shipping_minor, sum(line.amount_minor for line in found.lines)) == (beside, price - beside)


@pytest.mark.parametrize(
    ("tea", "card", "paid_back", "kept_back"),
    [
        (0, 10_000, 6_000, 0),  # of the card 40.00 were spent already
        (1_000, 10_000, 7_000, 1_000),
        (5_000, 10_000, 11_000, 5_000),
        (1_000, 0, 800, 800),  # 2.00 to put it back on the shelf
    ],
)
def test_what_is_kept_of_a_spent_gift_card_is_earned_with_no_goods(
    tea: int, card: int, paid_back: int, kept_back: int
) -> None:
    lines, kept_minor = {TEA: tea, CARD: card}, tea + card - paid_back
    event = translated("refunds/create", refund(
        refund_line_items=[
            {"line_item_id": line_id, "quantity": 1, "subtotal": f"{minor / 100:.2f}",
             "line_item": {"gift_card": line_id == CARD}}
            for line_id, minor in lines.items() if minor
        ],
        order_adjustments=[{"amount": f"{kept_minor / 100:.2f}", "kind": "refund_discrepancy"}],
        transactions=[{
            "kind": "refund", "status": "success", "currency": "USD", "amount": f"{paid_back / 100:.2f}",
        }],
    ))  # fmt: skip
    by_admin = {
        "id": "gid://shopify/Refund/7", "createdAt": AT, "transactions": repaid(paid_back),
        "refundLineItems": {"pageInfo": {"hasNextPage": False}, "nodes": [
            {"quantity": 1, "subtotalSet": money(minor), "totalTaxSet": money(0),
             "lineItem": {"id": f"gid://shopify/LineItem/{line_id}", "isGiftCard": line_id == CARD}}
            for line_id, minor in lines.items() if minor
        ]},
        "refundShippingLines": {"nodes": []},
        "orderAdjustments": {"nodes": [
            {"reason": "REFUND_DISCREPANCY", "amountSet": money(kept_minor), "taxAmountSet": money(0)},
        ]},
    }  # fmt: skip
    missed = read_refund(the_shop(), "gid://shopify/Order/11", Payload(by_admin))
    sold = [
        Sold(line_id, minor, 1, 0, 1, line_id == CARD).of_admin for line_id, minor in lines.items() if minor
    ]
    whole = node(
        subtotalPriceSet=money(tea + card),
        refundDiscrepancySet=money(kept_minor),
        refunds=[{"id": "gid://shopify/Refund/7", "createdAt": AT, "totalRefundedSet": money(paid_back)}],
    )
    imported = imported_refunds(the_shop(), whole, read_order(SHOP, whole, sold), sold)
    for told in ([event], [missed], imported):
        assert kept(tea, told) == tea - kept_back


@pytest.mark.parametrize(("kept_minor", "left"), [(1_590, 1_000), (1_100, 1_000), (1_000, 1_000), (200, 200)])
def test_tax_and_shipping_that_were_kept_of_a_return_are_of_no_goods(kept_minor: int, left: int) -> None:
    """Of 10.00 of tea with 1.00 of tax, sent for 4.90."""
    paid_back = 1_590 - kept_minor
    event = translated("refunds/create", refund(
        refund_line_items=[{
            "line_item_id": TEA, "quantity": 1, "subtotal": "10.00",
            "total_tax_set": {"shop_money": {"amount": "1.00"}},
        }],
        refund_shipping_lines=[{"subtotal_amount_set": {"shop_money": {"amount": "4.90"}}}],
        order_adjustments=[{"amount": f"{kept_minor / 100:.2f}", "kind": "refund_discrepancy"}],
        transactions=[{
            "kind": "refund", "status": "success", "currency": "USD", "amount": f"{paid_back / 100:.2f}",
        }],
    ))  # fmt: skip
    line = {"quantity": 1, "lineItem": {"id": f"gid://shopify/LineItem/{TEA}", "isGiftCard": False}}
    missed = read_refund(the_shop(), "gid://shopify/Order/11", Payload({
        "id": "gid://shopify/Refund/7", "createdAt": AT, "transactions": repaid(paid_back),
        "refundLineItems": {"pageInfo": {"hasNextPage": False}, "nodes": [
            line | {"subtotalSet": money(1_000), "totalTaxSet": money(100)},
        ]},
        "refundShippingLines": {"nodes": [{"subtotalAmountSet": money(490)}]},
        "orderAdjustments": {"nodes": [{"amountSet": money(kept_minor)}]},
    }))  # fmt: skip
    for each in (event, missed):
        assert kept(1_000, [each]) == left
        goods_minor = sum(line.amount_minor for line in each.lines) + each.other_minor
        assert goods_minor + each.shipping_minor + each.tax_minor == paid_back


def test_a_bundle_is_named_by_the_admin_api_and_numbered_by_a_webhook() -> None:
    line = {"id": 1, "product_id": 2, "quantity": 1, "price": "5", "sales_line_item_group_id": 142831562}
    (told,) = translated("orders/create", order(line_items=[line])).lines
    assert (told.bundle_id, told.bundle_product_id) == (142831562, None)
    group = {
        "id": "gid://shopify/LineItemGroup/142831562", "productId": "gid://shopify/Product/90",
        "customAttributes": [{"key": "_tillwise_offer", "value": "o-1"}],
    }  # fmt: skip
    whole = Payload({"id": "gid://shopify/LineItem/1", "quantity": 1, "lineItemGroup": group})
    (read,) = read_order(SHOP, node(), [whole]).lines
    assert (read.bundle_id, read.bundle_product_id, read.offer_id) == (142831562, 90, "o-1")


@pytest.mark.parametrize(("currency", "spent_minor"), [("USD", 12_345), ("EUR", None)])
def test_what_a_customer_ever_spent_is_in_the_shops_currency(currency: str, spent_minor: int | None) -> None:
    told = {
        "id": "gid://shopify/Customer/5", "updatedAt": AT, "numberOfOrders": "9",
        "amountSpent": {"amount": "123.45", "currencyCode": currency}, "lastOrder": {"createdAt": AT},
    }  # fmt: skip
    read = read_customer(SHOP, Payload(told), "USD")
    last = datetime(2026, 11, 1, 15, tzinfo=UTC)
    assert (read.orders_count, read.spent_minor, read.last_order_at) == (9, spent_minor, last)
