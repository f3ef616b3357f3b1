"""Products, customers and orders as the Admin API writes them, as the events webhooks become. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from app.events.kinds import (
    CodeUsed,
    CostChanged,
    CustomerChanged,
    GrantUsed,
    InventoryChanged,
    Line,
    OrderUpdated,
    ProductChanged,
    VariantFacts,
)
from app.orders.placed import is_renewal
from app.values import shopify_id
from webhooks.delivery import Envelope
from webhooks.payload import Payload
from webhooks.read_catalog import cost_minor
from webhooks.read_orders import (
    DECISION_PROPERTY,
    OFFER_PROPERTY,
    PAID,
    goods_of,
    grant_used,
    paid_minor,
    placed_at,
    reference,
)

AUTOMATIC = "AutomaticDiscountApplication"


def read_product(
    shop: str, node: Payload, variants: Sequence[Payload], currency: str, now: datetime
) -> ProductChanged:
    """Return the product as it is now; variants: all that it has."""
    updated_at = node.time("updatedAt")
    return ProductChanged(
        **_envelope(shop, node, updated_at),
        product_id=node.id("id"),
        title=node.text("title"),
        vendor=node.text_or_none("vendor") or "",
        product_type=node.text_or_none("productType") or "",
        tags=node.texts("tags"),
        image_url=_image(node),
        published=is_published(node, now),
        created_at=node.time("createdAt"),
        updated_at=updated_at,
        variants=tuple(_variant(variant, currency) for variant in variants),
        handle=node.text_or_none("handle"),
        requires_selling_plan=node.flag_or_none("requiresSellingPlan"),
        gift_card=node.flag_or_none("isGiftCard"),
    )


def is_published(node: Payload, now: datetime) -> bool:
    """Return whether the product is in the online store, where one that is scheduled is to be later."""
    published_at = node.time_or_none("publishedAt")
    return node.text("status").lower() == "active" and published_at is not None and published_at <= now


def read_level(shop: str, level: Payload) -> InventoryChanged:
    """Return the stock at a location; the level's own id names the item it is of.

    There is a number of what the shop does not count as well: see uncounted.
    """
    updated_at = level.time("updatedAt")
    quantity = next(iter(level.children("quantities")), None)
    return InventoryChanged(
        **_envelope(shop, level, updated_at),
        inventory_item_id=shopify_id(level.text("id").rpartition("=")[2], level.at("id")),
        location_id=level.child("location").id("id"),
        available=quantity.count_or_none("quantity") if quantity else None,
        updated_at=updated_at,
    )


def uncounted(level: InventoryChanged) -> InventoryChanged:
    """Return the level of an item that the shop does not count, as its webhook tells it: without a number."""
    return replace(level, available=None)


def read_cost(shop: str, item: Payload, currency: str) -> CostChanged | None:
    """Return what a unit of the item costs; None where that is told in another currency than the shop's."""
    cost, updated_at = item.child_or_none("unitCost"), item.time("updatedAt")
    if cost is not None and cost.text("currencyCode") != currency:
        return None
    return CostChanged(
        **_envelope(shop, item, updated_at),
        inventory_item_id=item.id("id"),
        cost_minor=cost_minor(cost, "amount", currency) if cost else None,
        updated_at=updated_at,
    )


def read_customer(shop: str, node: Payload, currency: str) -> CustomerChanged:
    """Return the customer; what they spent is not told where that is in another currency than the shop's."""
    updated_at = node.time("updatedAt")
    spent, last = node.child_or_none("amountSpent"), node.child_or_none("lastOrder")
    own = spent is not None and spent.text_or_none("currencyCode") == currency
    return CustomerChanged(
        **_envelope(shop, node, updated_at),
        customer_id=node.id("id"),
        orders_count=int(node.text("numberOfOrders")) if "numberOfOrders" in node else None,
        email_marketing=_marketing(node, "defaultEmailAddress"),
        sms_marketing=_marketing(node, "defaultPhoneNumber"),
        data_sale_opt_out=node.flag_or_none("dataSaleOptOut"),
        created_at=node.time_or_none("createdAt"),
        updated_at=updated_at,
        spent_minor=spent.money("amount", currency) if spent and own else None,
        last_order_at=last.time_or_none("createdAt") if last else None,
    )


def read_order(shop: str, node: Payload, lines: Sequence[Payload]) -> OrderUpdated:
    """Return the order; lines: all that it has."""
    updated_at, currency = node.time("updatedAt"), node.text("currencyCode")
    read = [read_line(line, currency) for line in lines]
    cards = {line.id("id") for line in lines if line.flag_or_none("isGiftCard")}
    gift_minor = sum(paid_minor(line) for line in read if line.line_id in cards)
    return OrderUpdated(
        **_envelope(shop, node, updated_at),
        order_id=node.id("id"),
        customer_id=node.id_of("customer"),
        checkout_token=node.text_or_none("checkoutToken"),
        currency=currency,
        subtotal_minor=max(0, _money(node, "subtotalPriceSet", currency) - gift_minor),
        discount_minor=_money(node, "totalDiscountsSet", currency),
        total_minor=max(0, _money(node, "totalPriceSet", currency) - gift_minor),
        paid=(node.text_or_none("displayFinancialStatus") or "").lower() in PAID,
        created_at=placed_at(node.time("createdAt"), node.time_or_none("processedAt")),
        updated_at=updated_at,
        cancelled_at=node.time_or_none("cancelledAt"),
        lines=goods_of(read, cards, _money(node, "totalTipReceivedSet", currency)),
        codes=tuple(CodeUsed(code=code) for code in node.texts("discountCodes")),
        grant=_grant(node),
        test=node.flag_or_none("test") or False,
        renewal=is_renewal(node.text_or_none("sourceName")),
    )


def _envelope(shop: str, node: Payload, updated_at: datetime) -> Envelope:
    event_id = f"admin:{node.text('id')}:{updated_at.isoformat()}"
    return Envelope(shop=shop, event_id=event_id, happened_at=updated_at)


def _image(node: Payload) -> str | None:
    media = node.child_or_none("featuredMedia")
    preview = media.child_or_none("preview") if media else None
    image = preview.child_or_none("image") if preview else None
    return image.text_or_none("url") if image else None


def _variant(variant: Payload, currency: str) -> VariantFacts:
    item = variant.child_or_none("inventoryItem")
    return VariantFacts(
        variant_id=variant.id("id"),
        title=variant.text_or_none("title") or "",
        price_minor=variant.money("price", currency),
        position=variant.count_or_none("position") or 1,
        inventory_item_id=item.id_or_none("id") if item else None,
        available=variant.count_or_none("inventoryQuantity"),
        tracked=item.flag_or_none("tracked") if item else None,
        sells_when_out=(variant.text_or_none("inventoryPolicy") or "").lower() == "continue",
    )


def read_line(line: Payload, currency: str) -> Line:
    """Return the line; of a bundle's parts, the offer stands with the bundle."""
    bundle = line.child_or_none("lineItemGroup")
    properties = (_attributes(bundle) if bundle else {}) | _attributes(line)
    allocations = line.children("discountAllocations")
    return Line(
        line_id=line.id("id"),
        product_id=line.id_of("product"),
        variant_id=line.id_of("variant"),
        quantity=line.count("quantity"),
        price_minor=_money(line, "originalUnitPriceSet", currency),
        discount_minor=sum(_money(part, "allocatedAmountSet", currency) for part in allocations),
        decision_id=reference(properties, DECISION_PROPERTY),
        offer_id=reference(properties, OFFER_PROPERTY),
        bundle_id=bundle.id_or_none("id") if bundle else None,
        bundle_product_id=bundle.id_or_none("productId") if bundle else None,
    )


def _grant(node: Payload) -> GrantUsed | None:
    """Return the grant that the order carries, where something was taken off it without a code."""
    found = node.child_or_none("discountApplications")
    applied = found.children("nodes") if found else []
    applied = [each for each in applied if each.text_or_none("__typename") == AUTOMATIC]
    return grant_used(_attributes(node), node.time("createdAt"), applied, "targetType")


def _attributes(node: Payload) -> dict[str, str]:
    pairs = node.children("customAttributes")
    return {pair.text("key"): pair.text_or_none("value") or "" for pair in pairs}


def _money(node: Payload, name: str, currency: str) -> int:
    both = node.child_or_none(name)
    amount = both.child_or_none("shopMoney") if both else None
    return amount.money("amount", currency) if amount else 0


def _marketing(node: Payload, name: str) -> str | None:
    address = node.child_or_none(name)
    state = address.text_or_none("marketingState") if address else None
    return state.lower() if state else None
