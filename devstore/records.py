"""What a shop holds. Money is integer minor units; times are aware UTC; ids are plain ints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devstore.pricing import Cost

Pair = tuple[str, str]


def gid(kind: str, number: int | str) -> str:
    """Return Shopify's global id, such as gid://shopify/Product/1."""
    return f"gid://shopify/{kind}/{number}"


def number(global_id: str | int) -> int:
    """Return the number at the end of a global id. Raises ValueError when there is none."""
    return int(str(global_id).rsplit("/", 1)[-1].split("?", 1)[0])


@dataclass(slots=True)
class Variant:
    id: int
    product_id: int
    title: str
    price_minor: int
    inventory: int
    inventory_item_id: int
    sku: str = ""
    weight_grams: int = 0
    tracked: bool = True
    cost_minor: int | None = None  # "Cost per item"; None where the merchant wrote none
    cost_at: datetime | None = None  # when that was changed last
    sells_when_out: bool = False  # "Continue selling when out of stock"
    measure: Measure | None = None  # "Unit price"; None where the merchant wrote none

    @property
    def available(self) -> bool:
        return self.inventory > 0 or not self.tracked or self.sells_when_out


@dataclass(frozen=True, slots=True)
class Measure:
    """How much is in a variant and what part of it is priced, both in `unit`, which is Shopify's name."""

    amount: int
    unit: str
    per: int


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """A variant seen as a thing in a warehouse."""

    id: int
    variant: Variant
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Product:
    id: int
    title: str
    handle: str
    vendor: str
    product_type: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    variants: list[Variant] = field(default_factory=list)
    image: str | None = None  # absolute, or a path on the dev store
    body_html: str = ""
    status: str = "active"  # active, draft or archived
    published: bool = True
    requires_selling_plan: bool = False
    gift_card: bool = False


@dataclass(slots=True)
class Collection:
    id: int
    title: str
    handle: str
    created_at: datetime
    updated_at: datetime
    product_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Customer:
    id: int
    first_name: str
    last_name: str
    email: str
    created_at: datetime
    updated_at: datetime
    email_consent: str = "not_subscribed"  # subscribed, not_subscribed, unsubscribed or pending
    email_consent_at: datetime | None = None
    data_sale_opt_out: bool = False
    tags: list[str] = field(default_factory=list)
    note: str = ""
    rfm_group: str | None = None  # as the schema spells it, such as AT_RISK
    sms_consent: str = "not_subscribed"
    sms_consent_at: datetime | None = None
    company: str = ""  # whom the customer buys for

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one discount took off one line, for its whole quantity.

    code: the discount's, or the title of one that needs none. across: its share of one on the whole order.
    """

    code: str
    amount_minor: int
    automatic: bool = False
    across: bool = False

    @property
    def taken(self) -> Taken:
        """Return which discount it was."""
        return Taken(self.code, self.automatic)


class Taken(NamedTuple):
    """Which discount took something off. name: its code, or the title of one that needs none."""

    name: str
    automatic: bool


def summed(allocations: Iterable[Allocation]) -> dict[Taken, int]:
    """Return the minor units each discount took off, in order of first use."""
    taken: dict[Taken, int] = {}
    for each in allocations:
        taken[each.taken] = taken.get(each.taken, 0) + each.amount_minor
    return taken


@dataclass(frozen=True, slots=True)
class LineItem:
    id: int
    product_id: int
    variant_id: int
    title: str
    variant_title: str
    vendor: str
    sku: str
    quantity: int
    price_minor: int  # of one unit, before discounts
    properties: tuple[Pair, ...] = ()
    allocations: tuple[Allocation, ...] = ()

    @property
    def discount_minor(self) -> int:
        return sum(a.amount_minor for a in self.allocations)

    @property
    def total_minor(self) -> int:
        return self.price_minor * self.quantity - self.discount_minor


@dataclass(frozen=True, slots=True)
class RefundLine:
    id: int
    line_item_id: int
    quantity: int
    subtotal_minor: int


@dataclass(frozen=True, slots=True)
class Refund:
    id: int
    order_id: int
    created_at: datetime
    note: str
    lines: tuple[RefundLine, ...]
    failed: bool = False  # whether its payment did, after it was made

    @property
    def total_minor(self) -> int:
        return sum(line.subtotal_minor for line in self.lines)


@dataclass(slots=True)
class Order:
    id: int
    number: int
    created_at: datetime
    updated_at: datetime
    lines: tuple[LineItem, ...]
    token: str
    customer_id: int | None = None
    email: str | None = None
    financial_status: str = "paid"  # pending, paid, partially_refunded, refunded or voided
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    checkout_token: str | None = None
    cart_token: str | None = None
    attributes: tuple[Pair, ...] = ()
    refunds: list[Refund] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    note: str = ""
    shipping_minor: int = 0
    country: str = (
        ""  # of the market that it was sold in; its amounts are in the shop's currency all the same
    )

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def gross_minor(self) -> int:
        return sum(line.price_minor * line.quantity for line in self.lines)

    @property
    def discount_minor(self) -> int:
        return sum(line.discount_minor for line in self.lines)

    @property
    def subtotal_minor(self) -> int:
        return self.gross_minor - self.discount_minor

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.shipping_minor

    @property
    def discounts(self) -> dict[Taken, int]:
        """Return the minor units each discount took off this order, in order of first use."""
        return summed(allocation for line in self.lines for allocation in line.allocations)

    @property
    def discounts_by_code(self) -> dict[str, int]:
        """Return the minor units each code took off this order, in order of first use."""
        return {taken.name: amount for taken, amount in self.discounts.items() if not taken.automatic}


@dataclass(slots=True)
class Discount:
    """A code discount: a percentage or an amount off, on all products or on some, or free shipping."""

    id: int
    title: str
    starts_at: datetime
    codes: dict[str, int] = field(default_factory=dict)  # code -> times used
    code_ids: dict[str, int] = field(default_factory=dict)
    percentage: float | None = None  # 0 < p <= 100
    amount_minor: int | None = None
    ends_at: datetime | None = None
    product_ids: frozenset[int] = frozenset()  # empty: every product
    usage_limit: int | None = None  # of each code
    once_per_customer: bool = False
    summary: str = ""
    free_shipping: bool = False
    minimum_minor: int = 0  # of the subtotal before discounts
    combines_with: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """Return Shopify's class of it."""
        return "shipping" if self.free_shipping else "product" if self.product_ids else "order"

    def combines(self, other: Discount) -> bool:
        return other.kind in self.combines_with and self.kind in other.combines_with

    def is_open(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)

    def covers(self, product_id: int) -> bool:
        return not self.product_ids or product_id in self.product_ids


@dataclass(slots=True)
class AutomaticDiscount:
    """A discount that needs no code: a Function of the app's says what it takes off."""

    id: int
    title: str
    function: str  # its handle
    starts_at: datetime
    ends_at: datetime | None = None
    classes: frozenset[str] = frozenset()  # order, product or shipping
    combines_with: frozenset[str] = frozenset()

    def combines(self, other: Discount) -> bool:
        """Return whether it may stand beside a code's discount."""
        return other.kind in self.combines_with and self.classes <= other.combines_with

    def is_open(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(slots=True)
class ItemLine:
    """One line of a cart or a checkout. plan_id: the selling plan's by which it comes again and again."""

    id: int
    variant_id: int
    quantity: int
    attributes: tuple[Pair, ...] = ()
    plan_id: int | None = None


@dataclass(slots=True)
class Cart:
    token: str
    created_at: datetime
    updated_at: datetime
    lines: list[ItemLine] = field(default_factory=list)
    customer_id: int | None = None
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Checkout:
    id: int
    token: str
    currency: str
    created_at: datetime
    updated_at: datetime
    lines: list[ItemLine] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    customer_id: int | None = None
    email: str | None = None
    cart_token: str | None = None
    order_id: int | None = None
    completed_at: datetime | None = None
    country: str = ""  # where the buyer is, which decides the market
    sold_for: Cost | None = None  # once it is an order


@dataclass(frozen=True, slots=True)
class Metafield:
    id: int
    owner: str  # a global id
    namespace: str
    key: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants which topic. topic is in the slash form, such as orders/create."""

    id: int
    topic: str
    uri: str  # absolute
    include_fields: tuple[str, ...] = ()
    from_configuration: bool = True  # False: made through the API


@dataclass(slots=True)
class Pixel:
    id: int
    settings: str  # JSON, as the app wrote it


@dataclass(slots=True)
class Installation:
    """One app in one shop."""

    id: int
    scopes: frozenset[str]
    installed_at: datetime
    pixel: Pixel | None = None
    subscriptions: list[Subscription] = field(default_factory=list)
    metafields: dict[tuple[str, str, str], Metafield] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """Return the app's own, which $app stands for."""
        return f"app--{self.id}"
