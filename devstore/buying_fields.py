"""What each field of customers, orders, line items and refunds reads. By type, then field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devstore.fields import metafields
from devstore.records import Customer, LineItem, Order, Refund, RefundLine, Taken
from devstore.resolve import Context, Reader
from devstore.shop import refunded_quantity

Args = Mapping[str, Any]


def seen_orders(context: Context) -> list[Order]:
    """Return the orders that the app may see: those of 60 days, or all with read_all_orders."""
    orders = list(context.shop.orders.values())
    if "read_all_orders" in context.scopes:
        return orders
    return [order for order in orders if (context.now - order.created_at).days < 60]


def _orders_of(context: Context, customer: Customer) -> list[Order]:
    return context.shop.orders_of(customer.id)


def _consent(customer: Customer) -> dict[str, Any]:
    level = "single_opt_in" if customer.email_consent_at else None
    return {
        "marketingState": customer.email_consent,
        "marketingOptInLevel": level,
        "consentUpdatedAt": customer.email_consent_at,
        "marketingUpdatedAt": customer.email_consent_at,
    }


def _email(context: Context, customer: Customer) -> dict[str, Any]:
    return _consent(customer) | {
        "emailAddress": customer.email,
        "validFormat": True,
        "openTrackingLevel": "unknown",
        "marketingUnsubscribeUrl": f"https://{context.shop.domain}/account/unsubscribe",
        "openTrackingUrl": f"https://{context.shop.domain}/tools/emails",
    }


CUSTOMER: dict[str, Reader] = metafields("Customer") | {
    "displayName": lambda c, p, a: p.name,
    "defaultEmailAddress": lambda c, p, a: _email(c, p),
    "emailMarketingConsent": lambda c, p, a: _consent(p),
    "numberOfOrders": lambda c, p, a: len(_orders_of(c, p)),
    "amountSpent": lambda c, p, a: sum(order.total_minor for order in _orders_of(c, p)),
    "orders": lambda c, p, a: [o for o in _orders_of(c, p) if o in seen_orders(c)],
    "lastOrder": lambda c, p, a: max(_orders_of(c, p), key=lambda each: each.created_at, default=None),
    "state": lambda c, p, a: "disabled",
    "statistics": lambda c, p, a: {"rfmGroup": p.rfm_group, "predictedSpendTier": None},
    "verifiedEmail": lambda c, p, a: True,
    "validEmailAddress": lambda c, p, a: True,
    "locale": lambda c, p, a: "en",
    "taxExempt": lambda c, p, a: False,
    "addresses": lambda c, p, a: [],
    "addressesV2": lambda c, p, a: [],
    "canDelete": lambda c, p, a: not _orders_of(c, p),
}


def _attributes(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs]


def _application(order: Order, taken: Taken) -> dict[str, Any]:
    named = {"__typename": "DiscountCodeApplication", "code": taken.name}
    if taken.automatic:
        named = {"__typename": "AutomaticDiscountApplication", "title": taken.name}
    return {
        **named,
        "index": list(order.discounts).index(taken),
        "allocationMethod": "ACROSS",
        "targetSelection": "ALL",
        "targetType": "LINE_ITEM",
        "amount": order.discounts[taken],
    }


def _refunded(order: Order) -> int:
    return sum(made.total_minor for made in order.refunds)


def _current(order: Order) -> int:
    return 0 if order.cancelled_at else order.total_minor - _refunded(order)


ORDER: dict[str, Reader] = metafields("Order") | {
    "processedAt": lambda c, o, a: o.created_at,
    "closedAt": lambda c, o, a: None,
    "closed": lambda c, o, a: False,
    "confirmed": lambda c, o, a: True,
    "test": lambda c, o, a: True,
    "sourceName": lambda c, o, a: "web",
    "customerLocale": lambda c, o, a: "en",
    "currencyCode": lambda c, o, a: c.shop.currency,
    "presentmentCurrencyCode": lambda c, o, a: c.shop.currency,
    "displayFinancialStatus": lambda c, o, a: o.financial_status,
    "displayFulfillmentStatus": lambda c, o, a: "unfulfilled",
    "returnStatus": lambda c, o, a: "no_return",
    "customer": lambda c, o, a: c.shop.customers.get(o.customer_id),
    "lineItems": lambda c, o, a: [Sold(o, line) for line in o.lines],
    "subtotalLineItemsQuantity": lambda c, o, a: sum(line.quantity for line in o.lines),
    "currentSubtotalLineItemsQuantity": lambda c, o, a: sum(
        line.quantity - refunded_quantity(o, line.id) for line in o.lines
    ),
    "totalPriceSet": lambda c, o, a: o.total_minor,
    "originalTotalPriceSet": lambda c, o, a: o.total_minor,
    "subtotalPriceSet": lambda c, o, a: o.subtotal_minor,
    "totalDiscountsSet": lambda c, o, a: o.discount_minor,
    "totalTaxSet": lambda c, o, a: c.shop.tax_in(o.total_minor),
    "totalShippingPriceSet": lambda c, o, a: o.shipping_minor,
    "totalRefundedSet": lambda c, o, a: _refunded(o),
    "totalRefundedShippingSet": lambda c, o, a: 0,
    "refundDiscrepancySet": lambda c, o, a: 0,
    "totalReceivedSet": lambda c, o, a: o.total_minor,
    "totalTipReceivedSet": lambda c, o, a: 0,
    "netPaymentSet": lambda c, o, a: _current(o),
    "currentTotalPriceSet": lambda c, o, a: _current(o),
    "currentSubtotalPriceSet": lambda c, o, a: max(0, _current(o) - o.shipping_minor),
    "currentTotalDiscountsSet": lambda c, o, a: o.discount_minor,
    "currentTotalTaxSet": lambda c, o, a: c.shop.tax_in(_current(o)),
    "discountCode": lambda c, o, a: next(iter(o.discounts_by_code), None),
    "discountCodes": lambda c, o, a: list(o.discounts_by_code),
    "discountApplications": lambda c, o, a: [_application(o, each) for each in o.discounts],
    "customAttributes": lambda c, o, a: _attributes(o.attributes),
    "customerAcceptsMarketing": lambda c, o, a: _accepts(c, o),
    "statusPageUrl": lambda c, o, a: f"https://{c.shop.domain}/orders/{o.token}",
    "paymentGatewayNames": lambda c, o, a: ["bogus"],
    "fullyPaid": lambda c, o, a: o.financial_status != "pending",
    "taxesIncluded": lambda c, o, a: c.shop.tax_rate > 0,
    "refunds": lambda c, o, a: o.refunds[: a.get("first")],
}


def _accepts(context: Context, order: Order) -> bool:
    buyer = context.shop.customers.get(order.customer_id or 0)
    return buyer is not None and buyer.email_consent == "subscribed"


@dataclass(frozen=True, slots=True)
class Sold:
    """A line item with its order at hand."""

    order: Order
    line: LineItem

    @property
    def id(self) -> int:
        return self.line.id


def _left(sold: Sold) -> int:
    return sold.line.quantity - refunded_quantity(sold.order, sold.line.id)


LINE_ITEM: dict[str, Reader] = {
    "name": lambda c, s, a: s.line.title,
    "title": lambda c, s, a: s.line.title,
    "variantTitle": lambda c, s, a: s.line.variant_title,
    "vendor": lambda c, s, a: s.line.vendor,
    "sku": lambda c, s, a: s.line.sku,
    "quantity": lambda c, s, a: s.line.quantity,
    "currentQuantity": lambda c, s, a: _left(s),
    "refundableQuantity": lambda c, s, a: _left(s),
    "unfulfilledQuantity": lambda c, s, a: _left(s),
    "product": lambda c, s, a: c.shop.products.get(s.line.product_id),
    "variant": lambda c, s, a: c.shop.variants.get(s.line.variant_id),
    "originalUnitPriceSet": lambda c, s, a: s.line.price_minor,
    "discountedUnitPriceSet": lambda c, s, a: s.line.price_minor,
    "discountedUnitPriceAfterAllDiscountsSet": lambda c, s, a: s.line.total_minor // s.line.quantity,
    "originalTotalSet": lambda c, s, a: s.line.price_minor * s.line.quantity,
    "discountedTotalSet": lambda c, s, a: (
        s.line.total_minor if a.get("withCodeDiscounts") else s.line.price_minor * s.line.quantity
    ),
    "totalDiscountSet": lambda c, s, a: s.line.discount_minor,
    "customAttributes": lambda c, s, a: _attributes(s.line.properties),
    "discountAllocations": lambda c, s, a: [
        {
            "allocatedAmountSet": x.amount_minor,
            "discountApplication": _application(s.order, x.taken),
        }
        for x in s.line.allocations
    ],
    "requiresShipping": lambda c, s, a: True,
    "isGiftCard": lambda c, s, a: (
        s.line.product_id in c.shop.products and c.shop.products[s.line.product_id].gift_card
    ),
    "lineItemGroup": lambda c, s, a: None,
    "taxable": lambda c, s, a: True,
}

REFUND: dict[str, Reader] = {
    "legacyResourceId": lambda c, r, a: r.id,
    "processedAt": lambda c, r, a: r.created_at,
    "updatedAt": lambda c, r, a: r.created_at,
    "order": lambda c, r, a: c.shop.orders[r.order_id],
    "totalRefundedSet": lambda c, r, a: 0 if r.failed else r.total_minor,
    "duties": lambda c, r, a: [],
    "transactions": lambda c, r, a: [{"of": r}],
    "refundShippingLines": lambda c, r, a: [],
    "orderAdjustments": lambda c, r, a: [],
    "refundLineItems": lambda c, r, a: [{"line": x, "order": c.shop.orders[r.order_id]} for x in r.lines],
}


def _sold(source: dict[str, Any]) -> Sold:
    line: RefundLine = source["line"]
    return Sold(source["order"], next(x for x in source["order"].lines if x.id == line.line_item_id))


REFUND_LINE: dict[str, Reader] = {
    "id": lambda c, s, a: s["line"].id,
    "quantity": lambda c, s, a: s["line"].quantity,
    "lineItem": lambda c, s, a: _sold(s),
    "subtotalSet": lambda c, s, a: s["line"].subtotal_minor,
    "priceSet": lambda c, s, a: _sold(s).line.price_minor,
    "totalTaxSet": lambda c, s, a: 0,
    "restockType": lambda c, s, a: "no_restock",
    "restocked": lambda c, s, a: False,
}

REFUND_PAYMENT: dict[str, Reader] = {
    "kind": lambda c, s, a: "REFUND",
    "status": lambda c, s, a: "FAILURE" if s["of"].failed else "SUCCESS",
    "amountSet": lambda c, s, a: s["of"].total_minor,
}

TABLES: dict[str, dict[str, Reader]] = {
    "Customer": CUSTOMER,
    "Order": ORDER,
    "LineItem": LINE_ITEM,
    "Refund": REFUND,
    "RefundLineItem": REFUND_LINE,
    "OrderTransaction": REFUND_PAYMENT,
}
NAMES: dict[type, str] = {Customer: "Customer", Order: "Order", Sold: "LineItem", Refund: "Refund"}
