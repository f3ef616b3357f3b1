"""Refunds of changed and of imported orders whose webhook did not arrive."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import Column, func, select

from app.connections import Connections
from app.errors import InputError
from app.events.kinds import AnyEvent, Line, OrderFacts, RefundCreated, RefundLine
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.tables import OrderRow, RefundRow
from app.upsert import chunks, table_of
from webhooks.documents import REFUNDS_OF_ORDER
from webhooks.payload import Payload
from webhooks.read_admin import read_line
from webhooks.read_orders import kept_of_goods, with_tax, with_tips_apart, without_lines, without_unpaid

_ORDERS, _REFUNDS = table_of(OrderRow), table_of(RefundRow)
# Longer after a refund no bank declines it. With an empty Redis all orders since the app came are looked at.
FAILS_WITHIN = timedelta(days=30)
_FAILED = {"FAILURE", "ERROR"}
_log = logging.getLogger(__name__)


async def missed_refunds(
    connections: Connections, shop: Shop, orders: Sequence[Payload], now: datetime
) -> list[AnyEvent]:
    """Return the refunds of these orders that we don't know, or whose payment failed since they were told.

    A refund of nothing has no row, so it is returned each time, which has no effect.
    """
    listed = [(order.text("id"), refund) for order in orders for refund in order.children("refunds")]
    known = await _known_sums(connections, shop, {refund.id("id") for _, refund in listed})

    def may_be_other(refund: Payload) -> bool:
        made_at = refund.time_or_none("createdAt") or now
        return refund.id("id") not in known or made_at > now - FAILS_WITHIN

    missed: list[AnyEvent] = []
    for gid in dict.fromkeys(gid for gid, refund in listed if may_be_other(refund)):
        found = await _refunds_of(connections, shop, gid)
        # Of imported ones, one tells of the units of those beside it: they are told anew together.
        anew = any(failed and known.get(each.refund_id, 0) != _given_minor(each) for each, failed in found)
        missed += [refund for refund, _ in found if anew or refund.refund_id not in known]
    return missed


async def unknown_refunds(
    connections: Connections, shop: Shop, refunds: Sequence[RefundCreated]
) -> list[RefundCreated]:
    """Return those that we don't know, of orders that are kept."""
    orders = await _known(connections, shop, _ORDERS.c.order_id, {each.order_id for each in refunds})
    known = await _known(connections, shop, _REFUNDS.c.refund_id, {each.refund_id for each in refunds})
    return [each for each in refunds if each.order_id in orders and each.refund_id not in known]


async def _known(connections: Connections, shop: Shop, column: Column[int], ids: Collection[int]) -> set[int]:
    """Return which of the ids are in the column for the shop."""
    found: set[int] = set()
    async with connections.read() as db:
        for part in chunks(sorted(ids)):
            query = select(column).where(column.table.c.shop == shop.shop, column.in_(part))
            found |= set(await (await db.connection()).scalars(query))
    return found


async def _known_sums(connections: Connections, shop: Shop, ids: Collection[int]) -> dict[int, int]:
    """Return what we know of each of these refunds to have been given back, in minor units."""
    found: dict[int, int] = {}
    for part in chunks(sorted(ids)):
        query = select(_REFUNDS.c.refund_id, func.sum(_REFUNDS.c.amount_minor))
        query = query.where(_REFUNDS.c.shop == shop.shop, _REFUNDS.c.refund_id.in_(part))
        rows = await connections.rows(query.group_by(_REFUNDS.c.refund_id))
        found |= {row[0]: int(row[1]) for row in rows}
    return found


def _given_minor(refund: RefundCreated) -> int:
    goods_minor = sum(line.amount_minor for line in refund.lines) + refund.other_minor
    return goods_minor + refund.shipping_minor + refund.tax_minor


async def _refunds_of(connections: Connections, shop: Shop, gid: str) -> list[tuple[RefundCreated, bool]]:
    """Return the order's refunds, and of each whether a payment failed."""
    answer = Payload(await ask_shop(connections, shop.shop, REFUNDS_OF_ORDER, {"id": gid}))
    order = answer.child_or_none("order")
    try:
        nodes = order.children("refunds") if order else ()
        tip_minor = _amount(order, "totalTipReceivedSet", shop.currency) if order else 0
        return [(read_refund(shop, gid, node, tip_minor), _has_failed(node)) for node in nodes]
    except InputError as error:
        facts = {"shop": shop.shop, "record": gid, "reason": str(error)}
        _log.warning("a missed change is left to its webhook", extra=facts)
        return []


def read_refund(shop: Shop, order_gid: str, node: Payload, tip_minor: int = 0) -> RefundCreated:
    """Return the refund as from its webhook. tip_minor: of the order. Pure."""
    lines = node.child("refundLineItems")
    if lines.child("pageInfo").flag_or_none("hasNextPage"):
        raise InputError("refundLineItems do not fit a page", "refundLineItems")
    shipping = _total(node, "refundShippingLines", "subtotalAmountSet", shop.currency)
    # Negative when money goes to the customer.
    adjusted = _total(node, "orderAdjustments", "amountSet", shop.currency)
    refund = kept_of_goods(
        replace(
            _refund(shop, order_gid, node),
            lines=tuple(_line(line, shop.currency) for line in lines.children("nodes")),
            other_minor=-adjusted,
            shipping_minor=shipping,
        )
    )
    tax_minor = _total(node, "refundLineItems", "totalTaxSet", shop.currency)
    tax_minor += sum(_amount(each, "amountSet", shop.currency) for each in node.children("duties"))
    paid_minor = _refunded(node, shop.currency)
    refund = with_tax(refund, paid_minor, tax_minor)
    if _has_failed(node):
        refund = without_unpaid(refund, paid_minor)
    items = [line.child("lineItem") for line in lines.children("nodes")]
    cards = {item.id("id") for item in items if item.flag_or_none("isGiftCard")}
    of_no_product = {item.id("id") for item in items if "vendor" not in item} - cards
    return with_tips_apart(without_lines(refund, cards), _tips(refund, of_no_product, tip_minor))


def _refunded(node: Payload, currency: str) -> int:
    """Return what was paid back or is on its way. Shopify's own sum leaves out what is pending."""
    paid = [each for each in _payments(node) if each.text("status") not in _FAILED]
    return sum(_amount(each, "amountSet", currency) for each in paid)


def _has_failed(node: Payload) -> bool:
    return any(each.text("status") in _FAILED for each in _payments(node))


def _payments(node: Payload) -> list[Payload]:
    payments = node.child("transactions").children("nodes")
    return [each for each in payments if each.text("kind") == "REFUND"]


def _tips(refund: RefundCreated, of_no_product: Collection[int], tip_minor: int) -> set[int]:
    """Return the lines of no product that gave back exactly the order's tip."""
    tips = {line.line_id for line in refund.lines if tip_minor and line.amount_minor == tip_minor}
    return tips.intersection(of_no_product)


def imported_refunds(
    shop: Shop, node: Payload, order: OrderFacts, lines: Sequence[Payload]
) -> list[RefundCreated]:
    """Return an imported order's refunds: each with the amount it gave back, the last one with all units.

    lines: with how many units are left of each. Money beyond what units and shipping are worth went with them
    as tax, but for what Shopify says was given on top. Where it was less, the shop kept what Shopify says
    that it did: the rest is what others were sent for instead, or was not paid yet when an edit removed it.
    What went back of gift cards was never counted as sold; shipping and tips stand beside the goods. Pure.
    """
    refunds = [_total_only(shop, node.text("id"), each) for each in node.children("refunds")]
    beside_minor = _shipping_refund(node, shop.currency) + _tips_refund(order, lines)
    refunds = _moved(
        refunds, beside_minor, "shipping_minor", first=lambda each: each.other_minor == beside_minor
    )
    left = {line.id("id"): line.count_or_none("currentQuantity") for line in lines}
    back = tuple(_returned_units(line, line.quantity - (left[line.line_id] or 0)) for line in order.lines)
    back = tuple(each for each in back if left[each.line_id] is not None and each.quantity > 0)
    goods_minor = sum(each.amount_minor for each in back)
    cards_minor = sum(_gift_card_refund(line, order.currency) for line in lines)
    # Of a card that is spent in part less was paid back than it cost: of goods all was.
    beside_goods = sum(each.other_minor for each in refunds) - goods_minor
    refunds = _less(refunds, min(cards_minor, max(0, beside_goods)))
    if not refunds or not (back or beside_minor):
        return refunds
    rest = sum(each.other_minor for each in refunds) - goods_minor
    # What was given without being owed, below 0 what was kept of what was owed.
    given_minor = max(min(rest, 0), min(max(rest, 0), -_amount(node, "refundDiscrepancySet", shop.currency)))
    tax_minor = max(0, rest - given_minor)
    if not back:
        return _moved(refunds, tax_minor, "tax_minor", first=lambda each: each.shipping_minor > 0)
    *before, last = sorted(refunds, key=lambda each: each.created_at)
    earlier_minor = sum(each.other_minor for each in before)  # for units that the last one lists
    return [*before, replace(last, lines=back, other_minor=given_minor - earlier_minor, tax_minor=tax_minor)]


def _gift_card_refund(line: Payload, currency: str) -> int:
    """Return what was given back for the line, in minor units; 0 where it is no gift card."""
    return _paid_back(line, currency) if line.flag_or_none("isGiftCard") else 0


def _shipping_refund(node: Payload, currency: str) -> int:
    """Return what was given back of the order's shipping, in all of its refunds."""
    name = "totalRefundedShippingSet"
    return _amount(node, name, currency) if name in node else 0


def _tips_refund(order: OrderFacts, lines: Sequence[Payload]) -> int:
    """Return what was given back of tips: of lines that are neither goods nor gift cards."""
    goods = {line.line_id for line in order.lines}
    tips = (line for line in lines if line.id("id") not in goods and not line.flag_or_none("isGiftCard"))
    return sum(_paid_back(line, order.currency) for line in tips)


def _paid_back(line: Payload, currency: str) -> int:
    """Return what was paid for the returned units of the line, 0 where their number is unknown."""
    sold, left = read_line(line, currency), line.count_or_none("currentQuantity")
    return 0 if left is None else _returned_units(sold, sold.quantity - left).amount_minor


def _moved(
    refunds: Iterable[RefundCreated], minor: int, place: str, first: Callable[[RefundCreated], bool]
) -> list[RefundCreated]:
    """Return the refunds with this amount of them moved to a place beside the goods, in minor units.

    first: holds of those that it is taken from before the others.
    """
    refunds = sorted(refunds, key=lambda each: not first(each))
    rest = _less(refunds, minor)
    return [
        replace(after, **{place: before.other_minor - after.other_minor})
        for before, after in zip(refunds, rest, strict=True)
    ]


def _less(refunds: Sequence[RefundCreated], minor: int) -> list[RefundCreated]:
    """Return the refunds less this amount in all, in minor units, taken from the first ones first."""
    rest = []
    for each in refunds:
        taken = min(minor, max(0, each.other_minor))
        minor -= taken
        rest.append(replace(each, other_minor=each.other_minor - taken))
    return rest


def _total_only(shop: Shop, order_gid: str, node: Payload) -> RefundCreated:
    total_minor = _amount(node, "totalRefundedSet", shop.currency)
    return replace(_refund(shop, order_gid, node), other_minor=total_minor)


def _returned_units(line: Line, units: int) -> RefundLine:
    """Return that many returned units of the line, at the price paid for them."""
    paid_minor = line.quantity * line.price_minor - line.discount_minor
    amount_minor = round(paid_minor * units / max(line.quantity, 1))
    return RefundLine(line_id=line.line_id, quantity=units, amount_minor=amount_minor)


def _refund(shop: Shop, order_gid: str, node: Payload) -> RefundCreated:
    """Return the refund without amounts and lines."""
    created_at = node.time("createdAt")
    return RefundCreated(
        shop=shop.shop,
        event_id=f"admin:{node.text('id')}",
        happened_at=created_at,
        refund_id=node.id("id"),
        order_id=Payload({"id": order_gid}).id("id"),
        created_at=created_at,
        lines=(),
    )


def _line(line: Payload, currency: str) -> RefundLine:
    return RefundLine(
        line_id=line.child("lineItem").id("id"),
        quantity=line.count("quantity"),
        amount_minor=_amount(line, "subtotalSet", currency),
    )


def _total(node: Payload, name: str, amount: str, currency: str) -> int:
    return sum(_amount(each, amount, currency) for each in node.child(name).children("nodes"))


def _amount(node: Payload, name: str, currency: str) -> int:
    return node.child(name).child("shopMoney").money("amount", currency)
