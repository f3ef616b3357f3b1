"""Orders, refunds, carts and checkouts, as Shopify's webhooks write them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from app.coupons.signed import ATTRIBUTE, number_in
from app.events.kinds import (
    CartUpdated,
    CheckoutDeleted,
    CheckoutUpdated,
    CodeUsed,
    GrantUsed,
    Line,
    OrderCancelled,
    OrderDeleted,
    OrderFacts,
    OrderPaid,
    OrderPlaced,
    OrderUpdated,
    RefundCreated,
    RefundLine,
)
from app.orders.placed import is_renewal
from webhooks.delivery import Delivery
from webhooks.payload import Payload

DECISION_PROPERTY = "_tillwise_decision"
OFFER_PROPERTY = "_tillwise_offer"
PAID = {"paid", "partially_refunded", "refunded"}
AUTOMATIC = "automatic"  # as webhooks name what needs no code
_FAILED = {"failure", "error"}
_SHOP, _PAID = "shop_money", "presentment_money"
_MAX_REFERENCE = 100

Order = TypeVar("Order", bound=OrderFacts)


def read_order_placed(payload: Payload, delivery: Delivery) -> OrderPlaced:
    return _order(OrderPlaced, payload, delivery)


def read_order_updated(payload: Payload, delivery: Delivery) -> OrderUpdated:
    return _order(OrderUpdated, payload, delivery)


def read_order_paid(payload: Payload, delivery: Delivery) -> OrderPaid:
    return _order(OrderPaid, payload, delivery, paid=True)


def read_order_cancelled(payload: Payload, delivery: Delivery) -> OrderCancelled:
    return _order(OrderCancelled, payload, delivery)


def read_order_deleted(payload: Payload, delivery: Delivery) -> OrderDeleted:
    return OrderDeleted(**delivery.envelope, order_id=payload.id("id"), currency=delivery.currency)


def _order(kind: type[Order], payload: Payload, delivery: Delivery, *, paid: bool = False) -> Order:
    currency = payload.text_or_none("currency") or delivery.currency
    created_at = payload.time("created_at")
    sold = payload.children("line_items")
    read = [_order_line(line, currency) for line in sold]
    cards = {line.id("id") for line in sold if line.flag_or_none("gift_card")}
    gift_minor = sum(paid_minor(line) for line in read if line.line_id in cards)
    tip_minor = payload.money("total_tip_received", currency)
    facts: dict[str, Any] = {
        "order_id": payload.id("id"),
        "customer_id": payload.id_of("customer"),
        "checkout_token": payload.text_or_none("checkout_token"),
        "currency": currency,
        "subtotal_minor": max(0, payload.money("subtotal_price", currency) - gift_minor),
        "discount_minor": payload.money("total_discounts", currency),
        "total_minor": max(0, payload.money("total_price", currency) - gift_minor),
        "paid": paid or payload.text_or_none("financial_status") in PAID,
        "created_at": placed_at(created_at, payload.time_or_none("processed_at")),
        "updated_at": payload.time_or_none("updated_at") or created_at,
        "cancelled_at": payload.time_or_none("cancelled_at"),
        "lines": goods_of(read, cards, tip_minor),
        "codes": tuple(_code(used, currency) for used in payload.children("discount_codes")),
        "grant": _grant(payload, created_at),
        "test": payload.flag_or_none("test") or False,
        "renewal": is_renewal(payload.text_or_none("source_name")),
    }
    return kind(**delivery.envelope, **facts)


def placed_at(created_at: datetime, processed_at: datetime | None) -> datetime:
    """Return when an order was placed: one that a merchant brought along from another system, long before."""
    return min(created_at, processed_at or created_at)


def goods_of(lines: Sequence[Line], cards: Collection[int], tip_minor: int) -> tuple[Line, ...]:
    """Return the lines of goods: no gift card and no tip is any.

    cards: the ids of gift cards' lines. tip_minor: of the order. A line of no product that costs just that
    is the tip: the Admin API marks none.
    """
    sold = [line for line in lines if line.line_id not in cards]
    made_up = (line for line in sold if line.product_id is None and line.variant_id is None)
    tip = next((line for line in made_up if tip_minor and paid_minor(line) == tip_minor), None)
    return tuple(line for line in sold if line is not tip)


def paid_minor(line: Line) -> int:
    """Return what was paid for all units of a line."""
    return line.quantity * line.price_minor - line.discount_minor


def _code(used: Payload, currency: str) -> CodeUsed:
    return CodeUsed(code=used.text("code"), amount_minor=used.money("amount", currency))


def _grant(payload: Payload, at: datetime) -> GrantUsed | None:
    """Return the grant that the order carries, where something was taken off it without a code."""
    applied = payload.children("discount_applications")
    applied = [each for each in applied if each.text_or_none("type") == AUTOMATIC]
    attributes = payload.pairs("note_attributes") if applied else {}
    return grant_used(attributes, at, applied, "target_type")


def grant_used(
    attributes: Mapping[str, str], at: datetime, applied: Sequence[Payload], target: str
) -> GrantUsed | None:
    """Return the grant among an order's attributes, None where there is none of ours that held then.

    applied: discounts without a code. target: where each tells what it took something off.
    """
    named = number_in(attributes.get(ATTRIBUTE), at) if applied else None
    if named is None:
        return None
    off, titles = (_of_all(applied, name) for name in (target, "title"))
    return GrantUsed(
        terms_id=named[0], number=named[1], off=tuple(sorted({each.lower() for each in off})), titles=titles
    )


def _of_all(applied: Sequence[Payload], name: str) -> tuple[str, ...]:
    """Return what they tell under the name, sorted; nothing where one of them does not tell it."""
    told = [each.text_or_none(name) for each in applied]
    return () if None in told else tuple(sorted({each for each in told if each}))


def read_refund(payload: Payload, delivery: Delivery) -> RefundCreated:
    refund = without_lines(_with_their_tax(payload, delivery), _gift_cards(payload))
    return with_tips_apart(refund, _of_items(payload, _is_tip))


def without_lines(refund: RefundCreated, line_ids: Collection[int]) -> RefundCreated:
    """Return the refund without what it gave back of these lines.

    Where less was paid back than lines were worth, these were: of a gift card, what is spent already.
    """
    rest = tuple(line for line in refund.lines if line.line_id not in line_ids)
    without = sum(line.amount_minor for line in refund.lines if line.line_id in line_ids)
    not_paid = min(max(0, -refund.other_minor), without)
    return replace(refund, lines=rest, other_minor=refund.other_minor + not_paid)


def _gift_cards(payload: Payload) -> set[int]:
    """Return the lines of gift cards among those that went back: they were never counted as sold."""
    return _of_items(payload, lambda item: bool(item.flag_or_none("gift_card")))


def _is_tip(item: Payload) -> bool:
    return item.names("tip_payment_gateway") or item.names("tip_payment_method")


def _of_items(payload: Payload, holds: Callable[[Payload], bool]) -> set[int]:
    """Return the lines among those that went back whose item is told and is such a one."""
    lines = payload.children("refund_line_items")
    of = {line.id("line_item_id"): line.child_or_none("line_item") for line in lines}
    return {line_id for line_id, item in of.items() if item and holds(item)}


def with_tips_apart(refund: RefundCreated, tips: Collection[int]) -> RefundCreated:
    """Return the refund with what it gave back of tips beside the goods, as shipping is.

    What was kept or not paid, beyond what the goods are worth, was of tips.
    """
    rest = tuple(line for line in refund.lines if line.line_id not in tips)
    tip_minor = sum(line.amount_minor for line in refund.lines if line.line_id in tips)
    goods_minor = sum(line.amount_minor for line in rest) + refund.other_minor
    not_paid = min(max(0, -goods_minor), tip_minor)
    other_minor, shipping_minor = refund.other_minor + not_paid, refund.shipping_minor + tip_minor - not_paid
    return replace(refund, lines=rest, other_minor=other_minor, shipping_minor=shipping_minor)


def _with_their_tax(payload: Payload, delivery: Delivery) -> RefundCreated:
    refund, tax_minor = _refund(payload, delivery, _SHOP, delivery.currency)
    paid_in = _paid_in(payload) or delivery.currency
    paid_minor = _paid_back(payload, paid_in)
    if paid_in == delivery.currency:
        refund = with_tax(refund, paid_minor, tax_minor)
    else:  # the same share went back in either currency; what was paid tells it in its own
        theirs, their_tax = _refund(payload, delivery, _PAID, paid_in)
        if their_tax and any(line.amount_minor for line in theirs.lines):
            back = with_tax(theirs, paid_minor, their_tax).tax_minor
            refund = replace(refund, tax_minor=round(tax_minor * back / their_tax))
        paid_minor = round(_told_minor(refund) * paid_minor / max(_told_minor(theirs), 1))
    failed = any(each.text_or_none("status") in _FAILED for each in _payments(payload))
    return without_unpaid(refund, paid_minor) if failed else refund


def _refund(payload: Payload, delivery: Delivery, side: str, currency: str) -> tuple[RefundCreated, int]:
    """Return the refund in one of the currencies it is told in, and the tax and duties of its lines."""
    other_minor, shipping_minor = _refunded_beside(payload, side, currency)
    lines = payload.children("refund_line_items")
    refund = RefundCreated(
        **delivery.envelope,
        refund_id=payload.id("id"),
        order_id=payload.id("order_id"),
        created_at=payload.time_or_none("created_at") or delivery.triggered_at,
        lines=tuple(_refund_line(line, side, currency) for line in lines),
        other_minor=other_minor,
        shipping_minor=shipping_minor,
    )
    tax_minor = sum(line.side("total_tax_set", side, currency) or 0 for line in lines)
    return kept_of_goods(refund), tax_minor + (payload.side("total_duties_set", side, currency) or 0)


def kept_of_goods(refund: RefundCreated) -> RefundCreated:
    """Return the refund with no more kept of goods that came back than these had brought.

    Shopify tells in one sum what the shop kept of all that it might have paid back: what is more than the
    goods was kept of their shipping and tax.
    """
    goods_minor = sum(line.amount_minor for line in refund.lines)
    beyond = max(0, -refund.other_minor - goods_minor) if refund.lines else 0
    shipping_minor = refund.shipping_minor - min(beyond, max(0, refund.shipping_minor))
    return replace(refund, other_minor=refund.other_minor + beyond, shipping_minor=shipping_minor)


def with_tax(refund: RefundCreated, paid_minor: int, tax_minor: int) -> RefundCreated:
    """Return the refund with what it gave back of its lines' tax and duties, tax_minor at most.

    paid_minor: all that was paid back. It tells whether the lines' amounts hold their tax already, as they do
    where prices include it.
    """
    return replace(refund, tax_minor=max(0, min(paid_minor - _told_minor(refund), tax_minor)))


def without_unpaid(refund: RefundCreated, paid_minor: int) -> RefundCreated:
    """Return the refund with no more given back than was paid: what failed was for goods before all else."""
    unpaid = max(0, _told_minor(refund) - paid_minor)
    goods_minor = sum(line.amount_minor for line in refund.lines) + refund.other_minor
    of_goods = min(unpaid, max(0, goods_minor))
    shipping_minor = refund.shipping_minor - (unpaid - of_goods)
    return replace(refund, other_minor=refund.other_minor - of_goods, shipping_minor=shipping_minor)


def _told_minor(refund: RefundCreated) -> int:
    """Return what the refund is worth by all but its payments, without tax and duties beside it."""
    return sum(line.amount_minor for line in refund.lines) + refund.other_minor + refund.shipping_minor


def _paid_in(payload: Payload) -> str | None:
    """Return the currency that was paid back, None where no payment names one."""
    named = (each.text_or_none("currency") for each in payload.children("transactions"))
    return next(filter(None, named), None)


def _paid_back(payload: Payload, currency: str) -> int:
    """Return what was paid back in this currency: an amount alone is in it too."""
    return sum(
        each.money("amount", currency)
        for each in _payments(payload)
        if each.text_or_none("status") not in _FAILED
        and (each.text_or_none("currency") or currency) == currency
    )


def _payments(payload: Payload) -> list[Payload]:
    return [each for each in payload.children("transactions") if each.text_or_none("kind") == "refund"]


def _refund_line(line: Payload, side: str, currency: str) -> RefundLine:
    amount = line.side("subtotal_set", side, currency)
    return RefundLine(
        line_id=line.id("line_item_id"),
        quantity=line.count("quantity"),
        amount_minor=_alone(line, "subtotal", side, currency) if amount is None else amount,
    )


def _refunded_beside(payload: Payload, side: str, currency: str) -> tuple[int, int]:
    """Return what was given back beside the lines: of none in particular, and of shipping.

    Adjustments are negative when money goes to the customer. Shipping is written as an adjustment
    by older API versions, as its own list by newer ones.
    """
    listed = [
        line.side("subtotal_amount_set", side, currency) or 0
        for line in payload.children("refund_shipping_lines")
    ]
    other, shipping = 0, 0
    for adjustment in payload.children("order_adjustments"):
        told = adjustment.side("amount_set", side, currency)
        amount = -(_alone(adjustment, "amount", side, currency) if told is None else told)
        if adjustment.text_or_none("kind") == "shipping_refund":
            shipping += amount
        else:
            other += amount
    return other, sum(listed) if listed else shipping


def _alone(payload: Payload, name: str, side: str, currency: str) -> int:
    """Return an amount that is told of the shop's currency alone."""
    return payload.money(name, currency) if side == _SHOP else 0


def read_cart(payload: Payload, delivery: Delivery) -> CartUpdated:
    token = "token" if "token" in payload else "id"
    return CartUpdated(
        **delivery.envelope,
        cart_token=payload.text(token),
        lines=_lines(payload, delivery.currency),
    )


def read_checkout(payload: Payload, delivery: Delivery) -> CheckoutUpdated:
    # A checkout's `currency` is the shop's, but its amounts are in what the shopper pays in.
    paid_in = payload.text_or_none("presentment_currency") or payload.text_or_none("currency")
    currency = paid_in or delivery.currency
    return CheckoutUpdated(
        **delivery.envelope,
        checkout_token=payload.text("token"),
        cart_token=payload.text_or_none("cart_token"),
        customer_id=payload.id_of("customer"),
        currency=currency,
        subtotal_minor=payload.money("subtotal_price", currency),
        completed=payload.time_or_none("completed_at") is not None,
        lines=_lines(payload, currency),
    )


def read_checkout_deleted(payload: Payload, delivery: Delivery) -> CheckoutDeleted:
    return CheckoutDeleted(
        **delivery.envelope,
        checkout_id=payload.id_or_none("id"),
        checkout_token=payload.text_or_none("token"),
        cart_token=payload.text_or_none("cart_token"),
    )


def _lines(payload: Payload, currency: str) -> tuple[Line, ...]:
    """Return a cart's or checkout's lines, which have no id of their own: numbered from 1."""
    lines = enumerate(payload.children("line_items"), start=1)
    return tuple(_line(line, position, currency) for position, line in lines)


def _order_line(line: Payload, currency: str) -> Line:
    found = _line(line, line.id("id"), currency)
    return replace(found, bundle_id=line.id_or_none("sales_line_item_group_id"))


def _line(line: Payload, line_id: int, currency: str) -> Line:
    properties = line.pairs("properties")
    return Line(
        line_id=line_id,
        product_id=line.id_or_none("product_id"),
        variant_id=line.id_or_none("variant_id"),
        quantity=line.count("quantity"),
        price_minor=line.money("original_price" if "original_price" in line else "price", currency),
        discount_minor=_line_discount(line, currency),
        decision_id=reference(properties, DECISION_PROPERTY),
        offer_id=reference(properties, OFFER_PROPERTY),
    )


def _line_discount(line: Payload, currency: str) -> int:
    """Return what was taken off the line; `total_discount` leaves out the order's own discounts."""
    allocated = line.children("discount_allocations")
    if allocated:
        return sum(part.money("amount", currency) for part in allocated)
    return line.money("total_discount", currency)


def reference(properties: dict[str, str], name: str) -> str | None:
    """Return an id of ours that came back through the shopper's hands; None for a mangled one."""
    value = properties.get(name, "")
    return value if 0 < len(value) <= _MAX_REFERENCE and value.isprintable() else None
