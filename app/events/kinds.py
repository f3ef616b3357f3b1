"""Past-tense facts. Webhooks and browsers are translated into these, and into nothing else.

None carries a name, an e-mail or postal address. Money is minor units of the shop's currency.
`happened_at` is the sender's clock; `event_id` is unique in a shop and the same on a repeat.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every event carries."""

    shop: str
    event_id: str
    happened_at: datetime


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order, cart or checkout. price_minor: of one unit, before discounts.

    bundle_id: of the bundle that it came in, numbered within its order, None where it was chosen by itself.
    bundle_product_id: the bundle as a product, None where that is not told.
    """

    line_id: int
    product_id: int | None
    variant_id: int | None
    quantity: int
    price_minor: int
    discount_minor: int = 0
    decision_id: str | None = None
    offer_id: str | None = None
    bundle_id: int | None = None
    bundle_product_id: int | None = None


class CodeUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A discount code that an order used. amount_minor: what it took off, None where that is not told."""

    code: str
    amount_minor: int | None = None


class GrantUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A grant of ours that an order carried which had something off without a code: its terms and number.

    off: what became cheaper so, `line_item` or `shipping_line`; titles: what that was called. Nothing where
    it was not told.
    """

    terms_id: str
    number: str
    off: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()


class OrderFacts(Event, frozen=True, kw_only=True):
    """An order as it stood at `updated_at`, which decides between two that arrive out of order.

    created_at: when it was placed, also in another system before this one. test: nobody paid for it.
    renewal: whether it is a subscription's charge, which nobody placed; None where that is not told.
    Gift cards that were bought are in no amount and no line: they are paid ahead, and count when spent.
    """

    order_id: int
    customer_id: int | None
    checkout_token: str | None
    currency: str
    subtotal_minor: int
    discount_minor: int
    total_minor: int
    paid: bool
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    lines: tuple[Line, ...]
    codes: tuple[CodeUsed, ...] = ()
    grant: GrantUsed | None = None
    test: bool = False
    renewal: bool | None = None


class OrderPlaced(OrderFacts, frozen=True, kw_only=True, tag=True): ...


class OrderUpdated(OrderFacts, frozen=True, kw_only=True, tag=True): ...


class OrderPaid(OrderFacts, frozen=True, kw_only=True, tag=True): ...


class OrderCancelled(OrderFacts, frozen=True, kw_only=True, tag=True): ...


class OrderDeleted(Event, frozen=True, kw_only=True, tag=True):
    """An order that the merchant deleted. currency: the shop's."""

    order_id: int
    currency: str


class RefundLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a refund gave back of one line."""

    line_id: int
    quantity: int
    amount_minor: int


class RefundCreated(Event, frozen=True, kw_only=True, tag=True):
    """Money given back. What belongs to no line (goodwill) is `other_minor`; shipping and tips are no goods.

    other_minor is negative when less was given back than the lines are worth. shipping_minor: of shipping and
    of tips. tax_minor: the lines' duties that went back beside them, and their tax where prices don't include
    it.
    """

    refund_id: int
    order_id: int
    created_at: datetime
    lines: tuple[RefundLine, ...]
    other_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0


class CartUpdated(Event, frozen=True, kw_only=True, tag=True):
    """An online-store cart, created or changed. cart_token: None where it is nobody's in particular."""

    cart_token: str | None
    lines: tuple[Line, ...]


class CheckoutUpdated(Event, frozen=True, kw_only=True, tag=True):
    """A checkout, started or changed. Its names are None where its visitor has not allowed them."""

    checkout_token: str | None
    cart_token: str | None
    customer_id: int | None
    currency: str
    subtotal_minor: int
    completed: bool
    lines: tuple[Line, ...]


class CheckoutDeleted(Event, frozen=True, kw_only=True, tag=True):
    """A checkout that Shopify dropped. Its token is not always told."""

    checkout_id: int | None
    checkout_token: str | None
    cart_token: str | None


class VariantFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A variant. available: units in stock at all locations; None when untracked or not told.

    tracked: whether the shop counts its stock; None when not told.
    """

    variant_id: int
    title: str
    price_minor: int
    position: int
    inventory_item_id: int | None
    available: int | None
    tracked: bool | None
    sells_when_out: bool


class ProductChanged(Event, frozen=True, kw_only=True, tag=True):
    """A product, created or changed, as it stood at `updated_at`.

    other_variant_ids: variants it has beside the ones described; Shopify describes a hundred. handle: what
    its page is called. requires_selling_plan: whether it sells with one only; gift_card: whether it is one.
    None where that is not told.
    """

    product_id: int
    title: str
    vendor: str
    product_type: str
    tags: tuple[str, ...]
    image_url: str | None
    published: bool
    created_at: datetime
    updated_at: datetime
    variants: tuple[VariantFacts, ...]
    other_variant_ids: tuple[int, ...] = ()
    handle: str | None = None
    requires_selling_plan: bool | None = None
    gift_card: bool | None = None


class ProductDeleted(Event, frozen=True, kw_only=True, tag=True):
    """A product that is gone for good."""

    product_id: int


class InventoryChanged(Event, frozen=True, kw_only=True, tag=True):
    """Units available of an inventory item at one location; None when it is not tracked."""

    inventory_item_id: int
    location_id: int
    available: int | None
    updated_at: datetime


class CostChanged(Event, frozen=True, kw_only=True, tag=True):
    """What a unit of an inventory item costs the shop, in its currency; None where that is not told."""

    inventory_item_id: int
    cost_minor: int | None
    updated_at: datetime


class CollectionsChanged(Event, frozen=True, kw_only=True, tag=True):
    """A collection was made, changed or deleted. What is in it now is not told."""

    collection_id: int


class CustomerChanged(Event, frozen=True, kw_only=True, tag=True):
    """A customer, created or changed. Marketing states are Shopify's words, lower case.

    email_digest: keyed hash of the address, None when not told. spent_minor, last_order_at: of the orders
    that orders_count counts, in the shop's currency.
    """

    customer_id: int
    orders_count: int | None
    email_marketing: str | None
    sms_marketing: str | None
    data_sale_opt_out: bool | None
    created_at: datetime | None
    updated_at: datetime
    email_digest: str | None = None
    spent_minor: int | None = None
    last_order_at: datetime | None = None


class CustomerDeleted(Event, frozen=True, kw_only=True, tag=True):
    """A customer the merchant deleted."""

    customer_id: int


class MarketingConsentChanged(Event, frozen=True, kw_only=True, tag=True):
    """A customer's answer for one channel (`email`, `sms`), in Shopify's words, lower case."""

    customer_id: int
    channel: str
    state: str
    updated_at: datetime


class AppUninstalled(Event, frozen=True, kw_only=True, tag=True):
    """The merchant removed the app."""


class ScopesChanged(Event, frozen=True, kw_only=True, tag=True):
    """The scopes the merchant now grants."""

    scopes: tuple[str, ...]


class BulkOperationFinished(Event, frozen=True, kw_only=True, tag=True):
    """Shopify finished a bulk operation. operation_id: its GID."""

    operation_id: str
    status: str
    error_code: str | None


class CustomerDataRequested(Event, frozen=True, kw_only=True, tag=True):
    """A customer asked the merchant for their data. Shopify allows 30 days.

    email_digest: keyed hash of the address, which may be all that names them.
    """

    request_id: int | None
    customer_id: int | None
    order_ids: tuple[int, ...]
    email_digest: str | None = None


class CustomerRedactionRequested(Event, frozen=True, kw_only=True, tag=True):
    """Erase what is held about a customer.

    email_digest: keyed hash of the address, which may be all that names them.
    """

    customer_id: int | None
    order_ids: tuple[int, ...]
    email_digest: str | None = None


class ShopRedactionRequested(Event, frozen=True, kw_only=True, tag=True):
    """Erase the shop: sent 48 hours after the app is uninstalled."""


# Of ours: that a checkout is a browser's, which its cart named; that a shopper sent an offer away.
CHECKOUT_MET = "tillwise:checkout_met"
OFFER_DISMISSED = "tillwise:offer_dismissed"


class BrowserEvent(Event, frozen=True, kw_only=True, tag=True):
    """What a visitor did, sent under their consent. name: Shopify's, or `tillwise:…` of ours.

    permitted: the purposes the visitor allowed when it happened.
    """

    name: str
    client_id: str | None
    checkout_token: str | None
    customer_id: int | None
    permitted: tuple[str, ...]
    data: dict[str, Any]


class ConsentTold(Event, frozen=True, kw_only=True, tag=True):
    """Answers that differ from what one of these names had told before.

    source: checkout, pixel, storefront, customer_record or merchant. withdrawn: the purposes that
    were allowed and are not any more. The names are those that may be written down or already are.
    """

    source: str
    client_id: str | None
    checkout_token: str | None
    customer_id: int | None
    answers: dict[str, bool | None]
    permitted: tuple[str, ...]
    withdrawn: tuple[str, ...]
    region: str | None
    policy_version: str


class DecisionMade(Event, frozen=True, kw_only=True, tag=True):
    """An answer that was given to a checkout; `event_id` is the decision's id.

    permitted: the purposes it was made under. region: `US-CA`, where the visitor may be remembered.
    """

    surface: str
    rung: str
    arm: str
    fallback: str | None
    model_version: str | None
    checkout_token: str | None
    customer_id: int | None
    permitted: tuple[str, ...] = ()
    region: str | None = None
    duration_us: int
    inputs: dict[str, Any]
    answer: dict[str, Any]


AnyEvent = (
    OrderPlaced
    | OrderUpdated
    | OrderPaid
    | OrderCancelled
    | OrderDeleted
    | RefundCreated
    | CartUpdated
    | CheckoutUpdated
    | CheckoutDeleted
    | ProductChanged
    | ProductDeleted
    | InventoryChanged
    | CostChanged
    | CollectionsChanged
    | CustomerChanged
    | CustomerDeleted
    | MarketingConsentChanged
    | AppUninstalled
    | ScopesChanged
    | BulkOperationFinished
    | CustomerDataRequested
    | CustomerRedactionRequested
    | ShopRedactionRequested
    | BrowserEvent
    | ConsentTold
    | DecisionMade
)

# As events are told apart by name where they are kept: none of them is for a browser to tell.
KINDS: frozenset[str] = frozenset(kind.__name__ for kind in get_args(AnyEvent))
