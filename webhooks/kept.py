"""What is kept of each topic's body: these fields and no others. Pure.

It is what the readers read; a test holds the two to each other. A field that is not here never
reaches the database. Addresses are read only to be replaced by their digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

Plain = str | int | float | bool | None


class Kept(msgspec.Struct, omit_defaults=True):
    """Fields of one object; null is written down as little as what is missing."""


class Mailed(Kept):
    """Somebody with an address. Its digest is kept: by it what waits here is found, and erased."""

    email: Any = None
    email_digest: str | None = None


class Amount(Kept):
    amount: Plain = None


class BothMoney(Kept):
    """An amount in the shop's currency, and in the one that was paid in."""

    shop_money: Amount | None = None
    presentment_money: Amount | None = None


class Person(Mailed):
    """The customer an order, a checkout or a privacy request is of."""

    id: Plain = None


class CartLine(Kept):
    """A line of a cart or checkout. properties: ours only, whatever else was written there."""

    product_id: Plain = None
    variant_id: Plain = None
    quantity: Plain = None
    price: Plain = None
    original_price: Plain = None
    total_discount: Plain = None
    discount_allocations: list[Amount] | None = None
    properties: Any = None


class Line(CartLine):
    """A line of an order. sales_line_item_group_id: of the bundle that it is a part of."""

    id: Plain = None
    gift_card: Plain = None
    sales_line_item_group_id: Plain = None


class CodeUsed(Kept):
    """A discount code of an order and what it took off."""

    code: Plain = None
    amount: Plain = None


class Application(Kept):
    """What took something off an order, `discount_code`, `automatic`, …, and off what of it.

    title: beside a grant of ours only, of what needed no code.
    """

    type: Plain = None
    target_type: Plain = None
    title: Plain = None


class Order(Mailed):
    """An order. note_attributes: a grant of ours only, as it can't be used."""

    id: Plain = None
    customer: Person | None = None
    checkout_token: Plain = None
    currency: Plain = None
    subtotal_price: Plain = None
    total_discounts: Plain = None
    total_price: Plain = None
    total_tip_received: Plain = None
    financial_status: Plain = None
    created_at: Plain = None
    processed_at: Plain = None
    updated_at: Plain = None
    cancelled_at: Plain = None
    source_name: Plain = None
    test: Plain = None
    discount_codes: list[CodeUsed] | None = None
    discount_applications: list[Application] | None = None
    note_attributes: Any = None
    line_items: list[Line] | None = None


class RefundedItem(Kept):
    """What a line that went back is. tip_payment_…: a tip alone has them, of many with null."""

    gift_card: Plain = None
    tip_payment_gateway: Plain | UnsetType = UNSET
    tip_payment_method: Plain | UnsetType = UNSET


class RefundLine(Kept):
    line_item_id: Plain = None
    line_item: RefundedItem | None = None
    quantity: Plain = None
    subtotal: Plain = None
    subtotal_set: BothMoney | None = None
    total_tax_set: BothMoney | None = None


class RefundShipping(Kept):
    subtotal_amount_set: BothMoney | None = None


class Adjustment(Amount):
    kind: Plain = None
    amount_set: BothMoney | None = None


class Transaction(Amount):
    """Money that moved."""

    kind: Plain = None
    status: Plain = None
    currency: Plain = None


class Refund(Kept):
    id: Plain = None
    order_id: Plain = None
    created_at: Plain = None
    refund_line_items: list[RefundLine] | None = None
    refund_shipping_lines: list[RefundShipping] | None = None
    order_adjustments: list[Adjustment] | None = None
    total_duties_set: BothMoney | None = None
    transactions: list[Transaction] | None = None


class Cart(Kept):
    id: Plain = None
    token: Plain = None
    line_items: list[CartLine] | None = None


class Checkout(Kept):
    token: Plain = None
    cart_token: Plain = None
    customer: Person | None = None
    currency: Plain = None
    presentment_currency: Plain = None
    subtotal_price: Plain = None
    completed_at: Plain = None
    line_items: list[CartLine] | None = None


class DeletedCheckout(Kept):
    id: Plain = None
    token: Plain = None
    cart_token: Plain = None


class Image(Kept):
    src: Plain = None


class Variant(Kept):
    id: Plain = None
    title: Plain = None
    price: Plain = None
    position: Plain = None
    inventory_item_id: Plain = None
    inventory_quantity: Plain = None
    inventory_policy: Plain = None
    inventory_management: Plain = None


class VariantGid(Kept):
    admin_graphql_api_id: Plain = None


class Product(Kept):
    id: Plain = None
    title: Plain = None
    vendor: Plain = None
    product_type: Plain = None
    handle: Plain = None
    tags: list[Plain] | Plain = None
    status: Plain = None
    image: Image | None = None
    images: list[Image] | None = None
    published_at: Plain = None
    created_at: Plain = None
    updated_at: Plain = None
    variants: list[Variant] | None = None
    variant_gids: list[VariantGid] | None = None


class Numbered(Kept):
    """What is only named."""

    id: Plain = None


class Item(Kept):
    """What a unit costs the shop."""

    id: Plain = None
    cost: Plain = None
    updated_at: Plain = None


class Level(Kept):
    inventory_item_id: Plain = None
    location_id: Plain = None
    available: Plain = None
    updated_at: Plain = None


class State(Kept):
    """What somebody answered for a channel."""

    state: Plain = None


class Answer(State):
    """The same, and when."""

    consent_updated_at: Plain = None


class Customer(Mailed):
    id: Plain = None
    orders_count: Plain = None
    email_marketing_consent: State | None = None
    sms_marketing_consent: State | None = None
    data_sale_opt_out: Plain = None
    created_at: Plain = None
    updated_at: Plain = None


class EmailConsent(Kept):
    id: Plain = None
    customer_id: Plain = None
    email_marketing_consent: Answer | None = None


class SmsConsent(Kept):
    id: Plain = None
    customer_id: Plain = None
    sms_marketing_consent: Answer | None = None


class Nothing(Kept):
    """The topic says it all."""


class Scopes(Kept):
    current: list[Plain] | Plain = None


class BulkOperation(Kept):
    admin_graphql_api_id: Plain = None
    status: Plain = None
    error_code: Plain = None


class DataRequest(Kept):
    data_request: Numbered | None = None
    customer: Person | None = None
    orders_requested: list[Plain] | None = None


class Redaction(Kept):
    customer: Person | None = None
    orders_to_redact: list[Plain] | None = None


BODIES: Mapping[str, type[Kept]] = {
    "orders/create": Order,
    "orders/updated": Order,
    "orders/paid": Order,
    "orders/cancelled": Order,
    "orders/delete": Numbered,
    "refunds/create": Refund,
    "carts/create": Cart,
    "carts/update": Cart,
    "checkouts/create": Checkout,
    "checkouts/update": Checkout,
    "checkouts/delete": DeletedCheckout,
    "products/create": Product,
    "products/update": Product,
    "products/delete": Numbered,
    "collections/create": Numbered,
    "collections/update": Numbered,
    "collections/delete": Numbered,
    "inventory_items/create": Item,
    "inventory_items/update": Item,
    "inventory_levels/update": Level,
    "customers/create": Customer,
    "customers/update": Customer,
    "customers/delete": Numbered,
    "customers_email_marketing_consent/update": EmailConsent,
    "customers_marketing_consent/update": SmsConsent,
    "app/uninstalled": Nothing,
    "app/scopes_update": Scopes,
    "bulk_operations/finish": BulkOperation,
    "customers/data_request": DataRequest,
    "customers/redact": Redaction,
    "shop/redact": Nothing,
}
