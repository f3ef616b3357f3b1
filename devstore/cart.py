"""A storefront's cart: what a visitor can do with it before checking out."""

from dataclasses import replace
from datetime import datetime

from devstore.records import Cart, ItemLine, Pair
from devstore.shop import Shop


class NotForSale(Exception):
    """The cart can't take this; the message says why, in words for the buyer."""


def start(shop: Shop, token: str, now: datetime, customer_id: int | None = None) -> Cart:
    """Return a new, empty cart, kept in the shop."""
    cart = Cart(token, now, now, customer_id=customer_id)
    shop.carts[token] = cart
    return cart


def add(
    shop: Shop,
    cart: Cart,
    variant_id: int,
    quantity: int,
    now: datetime,
    attributes: tuple[Pair, ...] = (),
    plan_id: int | None = None,
) -> ItemLine:
    """Return the line that holds the variant with these attributes and this selling plan now."""
    _check(shop, variant_id, quantity + _held(cart, variant_id), plan_id)
    wanted = (variant_id, attributes, plan_id)
    line = next((x for x in cart.lines if (x.variant_id, x.attributes, x.plan_id) == wanted), None)
    if line is None:
        line = ItemLine(shop.next_id(), variant_id, 0, attributes, plan_id)
        cart.lines.append(line)
    line.quantity += quantity
    cart.updated_at = now
    return line


def change(shop: Shop, cart: Cart, line_id: int, quantity: int, now: datetime) -> ItemLine | None:
    """Return the line as it was before, or None when there is no such line; nought removes it."""
    line = next((x for x in cart.lines if x.id == line_id), None)
    if line is None:
        return None
    if quantity > 0:
        _check(shop, line.variant_id, quantity, line.plan_id)
    before = replace(line)
    line.quantity = max(0, quantity)
    cart.lines = [x for x in cart.lines if x.quantity]
    cart.updated_at = now
    return before


def _held(cart: Cart, variant_id: int) -> int:
    return sum(line.quantity for line in cart.lines if line.variant_id == variant_id)


def _check(shop: Shop, variant_id: int, quantity: int, plan_id: int | None) -> None:
    variant = shop.variants.get(variant_id)
    if variant is None or not shop.products[variant.product_id].published:
        raise NotForSale("This product is no longer sold here.")
    if shop.products[variant.product_id].requires_selling_plan and plan_id is None:
        raise NotForSale("This product can only be purchased with a selling plan.")
    if variant.tracked and quantity > variant.inventory:
        title = shop.products[variant.product_id].title
        left = f"Only {variant.inventory} left" if variant.available else "Sold out"
        raise NotForSale(f"{left}: {title}")
