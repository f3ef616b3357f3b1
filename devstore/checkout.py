"""A checkout: what a buyer and an extension can do with it, up to the order it becomes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from devstore.automatic import applied
from devstore.markets import Market
from devstore.pricing import Cost, PricedLine, price, takes_off
from devstore.records import Checkout, ItemLine, LineItem, Order, Pair
from devstore.shop import Shop

__all__ = [
    "Checkout",
    "Refused",
    "add_line",
    "apply_code",
    "complete",
    "cost",
    "enter",
    "remove_code",
    "remove_line",
    "set_attribute",
    "set_email",
    "start",
    "update_line",
]


class Refused(Exception):
    """The change is not possible; the message says why, in words for the buyer."""


def start(
    shop: Shop,
    token: str,
    now: datetime,
    lines: Iterable[tuple[int, int, tuple[Pair, ...]]] = (),
    customer_id: int | None = None,
    cart_token: str | None = None,
    attributes: Mapping[str, str] | None = None,
    country: str = "",
    cart_lines: Iterable[ItemLine] = (),
) -> Checkout:
    """Return a new checkout of (variant id, quantity, attributes) lines and a cart's, kept in the shop.

    country: where the buyer is, home unless told.
    """
    customer = shop.customers.get(customer_id) if customer_id is not None else None
    if customer_id is not None and customer is None:
        raise Refused(f"There is no customer {customer_id} in this shop.")
    checkout = Checkout(
        id=shop.next_id(),
        token=token,
        currency=shop.market_of(country).currency,
        created_at=now,
        updated_at=now,
        country=country,
        customer_id=customer_id,
        email=customer.email if customer else None,
        cart_token=cart_token,
        attributes=dict(attributes or {}),
    )
    for variant_id, quantity, properties in lines:
        add_line(shop, checkout, variant_id, quantity, now, properties)
    for line in cart_lines:
        add_line(shop, checkout, line.variant_id, line.quantity, now, line.attributes, line.plan_id)
    shop.checkouts[token] = checkout
    return checkout


def cost(shop: Shop, checkout: Checkout, now: datetime) -> Cost:
    """Return what the checkout costs now, or cost when it was ordered, in the currency of its market."""
    if checkout.sold_for is not None:
        return Cost(tuple(x for x in checkout.sold_for.lines if x.line.variant_id in shop.variants))
    automatic = applied(shop, checkout, now)
    return price(shop, checkout.lines, checkout.codes, now, automatic, checkout.country)


def enter(shop: Shop, checkout: Checkout, country: str) -> None:
    """Let the buyer be in this country: what is in the checkout costs what its market asks."""
    _open(checkout)
    checkout.country, checkout.currency = country, shop.market_of(country).currency


def add_line(
    shop: Shop,
    checkout: Checkout,
    variant_id: int,
    quantity: int,
    now: datetime,
    attributes: tuple[Pair, ...] = (),
    plan_id: int | None = None,
) -> ItemLine:
    """Return the line that now holds the variant: its own, or one with the same attributes and plan."""
    _open(checkout)
    _in_stock(shop, checkout, variant_id, quantity, plan_id)
    wanted = (variant_id, attributes, plan_id)
    line = next((x for x in checkout.lines if (x.variant_id, x.attributes, x.plan_id) == wanted), None)
    if line is None:
        line = ItemLine(shop.next_id(), variant_id, 0, attributes, plan_id)
        checkout.lines.append(line)
    line.quantity += quantity
    checkout.updated_at = now
    return line


def update_line(
    shop: Shop,
    checkout: Checkout,
    line_id: int,
    now: datetime,
    *,
    quantity: int | None = None,
    variant_id: int | None = None,
    attributes: tuple[Pair, ...] | None = None,
) -> None:
    """Change a line; a quantity of nought removes it."""
    _open(checkout)
    line = _line(checkout, line_id)
    if quantity == 0:
        remove_line(checkout, line_id, now)
        return
    wanted_variant = line.variant_id if variant_id is None else variant_id
    wanted = line.quantity if quantity is None else quantity
    _in_stock(shop, checkout, wanted_variant, wanted, line.plan_id, beside=line)
    line.variant_id, line.quantity = wanted_variant, wanted
    line.attributes = line.attributes if attributes is None else attributes
    checkout.updated_at = now


def remove_line(checkout: Checkout, line_id: int, now: datetime, quantity: int | None = None) -> None:
    """Take a line out, or only so many of it."""
    _open(checkout)
    line = _line(checkout, line_id)
    line.quantity -= line.quantity if quantity is None else min(quantity, line.quantity)
    checkout.lines = [x for x in checkout.lines if x.quantity > 0]
    checkout.updated_at = now


def apply_code(shop: Shop, checkout: Checkout, code: str, now: datetime) -> None:
    """Apply a discount code once, spelt as the shop spells it."""
    _open(checkout)
    discount = shop.discount_of(code)
    if discount is None or not discount.is_open(now):
        raise Refused(f"{code} is not a code of this shop, or no longer.")
    spelt = next(c for c in discount.codes if c.upper() == code.upper())
    if discount.usage_limit is not None and discount.codes[spelt] >= discount.usage_limit:
        raise Refused(f"{spelt} was used as often as it can be.")
    if not any(takes_off(shop, discount, line) for line in checkout.lines):
        raise Refused(f"{spelt} is for other products than these.")
    if _worth(shop, checkout) < shop.market_of(checkout.country).converted(discount.minimum_minor):
        raise Refused(f"{spelt} is for larger orders.")
    others = [each for each in checkout.codes if each != spelt]
    if any((other := shop.discount_of(each)) and not discount.combines(other) for each in others):
        raise Refused(f"{spelt} can't be used with your existing discounts.")
    if spelt not in checkout.codes:
        checkout.codes.append(spelt)
    checkout.updated_at = now


def _worth(shop: Shop, checkout: Checkout) -> int:
    price = shop.market_of(checkout.country).price
    return sum(price(shop.variants[line.variant_id].price_minor) * line.quantity for line in checkout.lines)


def remove_code(checkout: Checkout, code: str, now: datetime) -> None:
    _open(checkout)
    checkout.codes = [c for c in checkout.codes if c.upper() != code.upper()]
    checkout.updated_at = now


def set_attribute(checkout: Checkout, key: str, value: str, now: datetime) -> None:
    """Keep an attribute of the whole order; an empty value takes it away."""
    _open(checkout)
    checkout.attributes[key] = value
    if not value:
        del checkout.attributes[key]
    checkout.updated_at = now


def set_email(checkout: Checkout, email: str, now: datetime) -> None:
    _open(checkout)
    checkout.email, checkout.updated_at = email, now


def complete(shop: Shop, checkout: Checkout, now: datetime) -> Order:
    """Return the paid order; completing again returns the same one."""
    if checkout.order_id is not None:
        return shop.orders[checkout.order_id]
    if not checkout.lines:
        raise Refused("The checkout is empty.")
    for line in checkout.lines:
        _in_stock(shop, checkout, line.variant_id, line.quantity, line.plan_id, beside=line)
    sold_for, market = cost(shop, checkout, now), shop.market_of(checkout.country)
    order = Order(
        id=shop.next_id(),
        number=shop.next_order_number(),
        created_at=now,
        updated_at=now,
        lines=tuple(_sold(shop, market, line) for line in sold_for.lines),
        token=f"order-{checkout.token}",
        customer_id=checkout.customer_id,
        email=checkout.email,
        checkout_token=checkout.token,
        cart_token=checkout.cart_token,
        attributes=tuple(checkout.attributes.items()),
        country=checkout.country,
    )
    shop.take(order)
    checkout.sold_for = sold_for
    checkout.order_id, checkout.completed_at, checkout.updated_at = order.id, now, now
    return shop.place(order)


def _sold(shop: Shop, market: Market, priced: PricedLine) -> LineItem:
    """Return the line as an order has it, in the shop's currency."""
    variant = shop.variants[priced.line.variant_id]
    product = shop.products[variant.product_id]
    return LineItem(
        id=shop.next_id(),
        product_id=product.id,
        variant_id=variant.id,
        title=product.title,
        variant_title=variant.title,
        vendor=product.vendor,
        sku=variant.sku,
        quantity=priced.line.quantity,
        price_minor=market.at_home(market.price(variant.price_minor)),
        properties=priced.line.attributes,
        allocations=tuple(
            replace(x, amount_minor=market.at_home(x.amount_minor)) for x in priced.allocations
        ),
    )


def _open(checkout: Checkout) -> None:
    if checkout.order_id is not None:
        raise Refused("This checkout is already an order.")


def _line(checkout: Checkout, line_id: int) -> ItemLine:
    for line in checkout.lines:
        if line.id == line_id:
            return line
    raise Refused(f"The checkout has no line {line_id}.")


def _in_stock(
    shop: Shop,
    checkout: Checkout,
    variant_id: int,
    quantity: int,
    plan_id: int | None,
    beside: ItemLine | None = None,
) -> None:
    """Refuse what can't be sold; a line being changed does not count against itself."""
    variant = shop.variants.get(variant_id)
    if quantity < 1:
        raise Refused("A quantity is at least 1.")
    if variant is None or not shop.products[variant.product_id].published:
        raise Refused(f"The merchandise {variant_id} does not exist.")
    title = shop.products[variant.product_id].title
    if shop.products[variant.product_id].requires_selling_plan and plan_id is None:
        raise Refused(f"{title} can only be purchased with a selling plan.")
    if not variant.available:
        raise Refused(f"{title} is sold out.")
    if variant.product_id in shop.market_of(checkout.country).left_out:
        raise Refused(f"{title} is not available in this market.")
    held = sum(x.quantity for x in checkout.lines if x.variant_id == variant_id and x is not beside)
    if variant.tracked and held + quantity > variant.inventory:
        raise Refused(f"Only {variant.inventory} of {title} are available.")
