"""One shop in memory: its records by id, and the few changes that touch more than one of them."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from devstore.markets import Market
from devstore.records import (
    AutomaticDiscount,
    Cart,
    Checkout,
    Collection,
    Customer,
    Discount,
    Installation,
    Order,
    Product,
    Refund,
    RefundLine,
    Variant,
)

LOCATION_ID = 1
FIRST_FREE_ID = 900_000_000_001  # above every id that a data set brings along


def counter() -> Iterator[int]:
    return itertools.count(FIRST_FREE_ID)


@dataclass(frozen=True, slots=True)
class Function:
    """A discount Function of the app's. query: the file that says what it is told of a checkout."""

    wasm: Path
    export: str
    query: Path


@dataclass(slots=True)
class Shop:
    domain: str
    name: str
    currency: str
    created_at: datetime
    id: int = 1
    email: str = "owner@example.com"  # invented
    country: str = "US"
    timezone: str = "America/New_York"
    markets: tuple[Market, ...] = ()  # beside its home
    tax_rate: float = 0.0  # of the tax that its prices hold
    products: dict[int, Product] = field(default_factory=dict)
    variants: dict[int, Variant] = field(default_factory=dict)
    collections: dict[int, Collection] = field(default_factory=dict)
    customers: dict[int, Customer] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    upcoming: list[Order] = field(default_factory=list)  # live orders still to be replayed
    discounts: dict[int, Discount] = field(default_factory=dict)
    automatic: dict[int, AutomaticDiscount] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict, repr=False)  # by handle
    carts: dict[str, Cart] = field(default_factory=dict)
    checkouts: dict[str, Checkout] = field(default_factory=dict)
    has_flow: bool = True
    sells_online: bool = True  # what is in stock at its one location
    location_is_open: bool = True
    told_flow: list[dict[str, object]] = field(default_factory=list)  # what triggers were told, by handle
    installation: Installation | None = None
    ids: Iterator[int] = field(default_factory=counter, repr=False)
    by_code: dict[str, Discount] = field(default_factory=dict, repr=False)
    by_customer: dict[int, list[Order]] = field(default_factory=dict, repr=False)

    def next_id(self) -> int:
        return next(self.ids)

    def market_of(self, country: str) -> Market:
        """Return the market that sells to a country."""
        found = (market for market in self.markets if country in market.countries)
        return replace(next(found, Market(frozenset(), self.currency)), home=self.currency)

    def tax_in(self, minor: int) -> int:
        """Return the tax that an amount holds."""
        return round(minor * self.tax_rate / (1 + self.tax_rate))

    @property
    def currencies(self) -> list[str]:
        """Return what the shop can be paid in, its own currency first."""
        return list(dict.fromkeys([self.currency, *(market.currency for market in self.markets)]))

    def add_product(self, product: Product) -> Product:
        self.products[product.id] = product
        self.variants |= {variant.id: variant for variant in product.variants}
        return product

    def remove_product(self, product_id: int) -> Product:
        product = self.products.pop(product_id)
        for variant in product.variants:
            del self.variants[variant.id]
        for collection in self.collections_of(product_id):
            collection.product_ids.remove(product_id)
        return product

    def collections_of(self, product_id: int) -> list[Collection]:
        """Return the collections that a product is in."""
        return [each for each in self.collections.values() if product_id in each.product_ids]

    def add_collection(self, collection: Collection) -> Collection:
        self.collections[collection.id] = collection
        return collection

    def add_customer(self, customer: Customer) -> Customer:
        self.customers[customer.id] = customer
        return customer

    def add_discount(self, discount: Discount) -> Discount:
        """Return the discount, now found by each of its codes in any case of letters."""
        self.discounts[discount.id] = discount
        self.add_codes(discount, discount.codes)
        return discount

    def add_codes(self, discount: Discount, codes: Iterable[str]) -> None:
        for code in tuple(codes):
            discount.codes.setdefault(code, 0)
            discount.code_ids.setdefault(code, self.next_id())
            self.by_code[code.upper()] = discount

    def discount_of(self, code: str) -> Discount | None:
        return self.by_code.get(code.upper())

    def product_of(self, variant_id: int) -> Product:
        return self.products[self.variants[variant_id].product_id]

    def next_order_number(self) -> int:
        taken = (order.number for order in (*self.orders.values(), *self.upcoming))
        return max(taken, default=1000) + 1

    def place(self, order: Order) -> Order:
        """Return the order, now in the shop, its codes counted as used."""
        self.orders[order.id] = order
        if order.customer_id is not None:
            self.by_customer.setdefault(order.customer_id, []).append(order)
        for code in order.discounts_by_code:
            if discount := self.discount_of(code):
                spelt = next(c for c in discount.codes if c.upper() == code.upper())
                discount.codes[spelt] += 1
        return order

    def remove_order(self, order: Order) -> None:
        """Let the shop have no such order any more, nor its checkout; what it took stays sold."""
        del self.orders[order.id]
        if order.customer_id is not None:
            self.by_customer[order.customer_id].remove(order)
        self.checkouts = {token: each for token, each in self.checkouts.items() if each.order_id != order.id}

    def take(self, order: Order) -> list[Variant]:
        """Return the variants whose stock this order lowered, which is a change of their products too."""
        sold = [(self.variants[x.variant_id], x) for x in order.lines if x.variant_id in self.variants]
        for variant, line in sold:
            variant.inventory = max(0, variant.inventory - line.quantity)
            product = self.products[variant.product_id]
            product.updated_at = max(product.updated_at, order.created_at)
        return [variant for variant, _ in sold]

    def orders_of(self, customer_id: int) -> list[Order]:
        """Return a customer's orders, oldest first."""
        return self.by_customer.get(customer_id, [])


def next_live_order(shop: Shop, now: datetime) -> Order | None:
    """Return the next order of the recorded future, placed as of now, or None when all are placed."""
    if not shop.upcoming:
        return None
    order = replace(shop.upcoming.pop(0), created_at=now, updated_at=now)
    shop.take(order)
    return shop.place(order)


def cancel(order: Order, now: datetime, reason: str = "customer") -> Order:
    """Return the order, cancelled and voided; a second cancellation changes nothing."""
    if order.cancelled_at is None:
        order.cancelled_at, order.cancel_reason = now, reason
        order.financial_status, order.updated_at = "voided", now
    return order


def refund(shop: Shop, order: Order, quantities: dict[int, int], now: datetime, note: str = "") -> Refund:
    """Return the refund of these quantities by line item id.

    Raises ValueError when a line is not in the order or less of it is left.
    """
    lines = tuple(_refund_line(shop, order, line_id, n) for line_id, n in quantities.items())
    made = Refund(shop.next_id(), order.id, now, note, lines)
    order.refunds.append(made)
    order.updated_at = now
    whole = sum(r.total_minor for r in order.refunds) >= order.subtotal_minor
    order.financial_status = "refunded" if whole else "partially_refunded"
    return made


def refunded_quantity(order: Order, line_item_id: int) -> int:
    """Return how many units of a line were refunded so far."""
    lines = (line for made in order.refunds for line in made.lines)
    return sum(line.quantity for line in lines if line.line_item_id == line_item_id)


def _refund_line(shop: Shop, order: Order, line_item_id: int, quantity: int) -> RefundLine:
    line = next((x for x in order.lines if x.id == line_item_id), None)
    if line is None:
        raise ValueError(f"order {order.name} has no line item {line_item_id}")
    left = line.quantity - refunded_quantity(order, line_item_id)
    if not 0 < quantity <= left:
        raise ValueError(f"line item {line_item_id} of {order.name} has {left} left to refund")
    return RefundLine(shop.next_id(), line.id, quantity, line.total_minor * quantity // line.quantity)
