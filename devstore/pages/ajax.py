"""Shopify's Ajax API of a storefront's cart, and the link that applies a discount."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from devstore import cart as carts
from devstore.pages.carts import announce, opened
from devstore.pages.render import store_of
from devstore.pages.visitor import CART_COOKIE, DISCOUNT_COOKIE, keep, visitor_of
from devstore.pricing import PricedLine, price, takes_off
from devstore.records import Cart, ItemLine, Pair
from devstore.shop import Shop
from devstore.wire import hundredths, read_json

Json = dict[str, Any]


async def read(request: Request) -> Response:
    """Answer GET /cart.js; amounts are in hundredths."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    visitor = visitor_of(request, shop)
    code = request.cookies.get(DISCOUNT_COOKIE)
    return JSONResponse(cart_json(shop, visitor.cart, visitor.country, store.clock(), code))


async def add(request: Request) -> Response:
    """Answer POST /cart/add.js: {"items": [{"id", "quantity", "properties", "selling_plan"}]}, or one."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    body, now = await read_json(request), store.clock()
    wanted = body.get("items") or [body]
    visitor = visitor_of(request, shop)
    found, is_new = opened(store, shop, visitor, now)
    try:
        lines = [
            carts.add(
                shop, found, int(item["id"]), int(item.get("quantity", 1)), now, _pairs(item), _plan(item)
            )
            for item in wanted
        ]
    except (carts.NotForSale, KeyError, TypeError, ValueError) as refusal:
        told = {"status": 422, "message": "Cart Error", "description": str(refusal)}
        return JSONResponse(told, status_code=422)
    await announce(store, shop, found, is_new)
    priced = price(shop, lines, (), now, country=visitor.country).lines
    answer = JSONResponse({"items": [line_json(shop, line, visitor.country) for line in priced]})
    keep(answer, CART_COOKIE, found.token)
    return answer


async def update(request: Request) -> Response:
    """Answer POST /cart/update.js: {"attributes": {...}}; one that is empty is taken away."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    body = await read_json(request)
    visitor = visitor_of(request, shop)
    found, is_new = opened(store, shop, visitor, store.clock())
    given = body.get("attributes")
    for name, value in (given if isinstance(given, dict) else {}).items():
        found.attributes[str(name)] = "" if value is None else str(value)
    found.attributes = {name: value for name, value in found.attributes.items() if value}
    await announce(store, shop, found, is_new)
    code = request.cookies.get(DISCOUNT_COOKIE)
    answer = JSONResponse(cart_json(shop, found, visitor.country, store.clock(), code))
    keep(answer, CART_COOKIE, found.token)
    return answer


async def discount(request: Request) -> Response:
    """Answer GET /discount/{code}: the checkout that follows has the code; on to the `redirect`."""
    wanted = request.query_params.get("redirect", "/")
    within = wanted.startswith("/") and not wanted.startswith("//")
    answer = RedirectResponse(wanted if within else "/", status_code=302)
    keep(answer, DISCOUNT_COOKIE, request.path_params["code"])
    return answer


def cart_json(shop: Shop, cart: Cart | None, country: str, now: datetime, code: str | None = None) -> Json:
    """Return the cart as the Ajax API has it in a country; without one, an empty cart.

    code: what the visitor's checkout will have. What it takes off lines is in their final prices, what it
    takes off the order as a whole in the total alone.
    """
    lines = [x for x in cart.lines if x.variant_id in shop.variants] if cart else []
    applies = code is not None and _applies(shop, lines, country, now, code)
    cost = price(shop, lines, [code] if code and applies else [], now, country=country)
    market = shop.market_of(country)
    sums = {
        "items_subtotal_price": sum(line.before_order_minor for line in cost.lines),
        "original_total_price": cost.total_minor + cost.discount_minor,
        "total_price": cost.total_minor,
        "total_discount": cost.discount_minor,
    }
    return {
        "token": cart.token if cart else "",
        "note": None,
        "attributes": dict(cart.attributes) if cart else {},
        "currency": market.currency,
        "item_count": sum(line.quantity for line in lines),
        "items": [line_json(shop, line, country) for line in cost.lines],
        **{name: hundredths(minor, market.currency) for name, minor in sums.items()},
        "requires_shipping": bool(lines),
        "cart_level_discount_applications": [],
        "discount_codes": [{"code": code, "applicable": applies}] if code else [],
    }


def _applies(shop: Shop, lines: Sequence[ItemLine], country: str, now: datetime, code: str) -> bool:
    """Return whether the code would take something off these lines."""
    discount, market = shop.discount_of(code), shop.market_of(country)
    worth = sum(market.price(shop.variants[x.variant_id].price_minor) * x.quantity for x in lines)
    return (
        discount is not None
        and discount.is_open(now)
        and worth >= market.converted(discount.minimum_minor)
        and any(takes_off(shop, discount, line) for line in lines)
    )


def line_json(shop: Shop, priced: PricedLine, country: str) -> Json:
    """Return the line; final prices are after what is taken off it, though not off the order as a whole."""
    line = priced.line
    variant, product = shop.variants[line.variant_id], shop.product_of(line.variant_id)
    market = shop.market_of(country)
    asked = hundredths(market.price(variant.price_minor), market.currency)
    left = hundredths(priced.before_order_minor, market.currency)
    return {
        "id": variant.id,
        "key": f"{variant.id}:{line.id}",
        "variant_id": variant.id,
        "product_id": product.id,
        "title": product.title,
        "product_title": product.title,
        "variant_title": None if variant.title == "Default Title" else variant.title,
        "product_type": product.product_type,
        "vendor": product.vendor,
        "handle": product.handle,
        "url": f"/products/{product.handle}?variant={variant.id}",
        "image": f"/images/{product.id}.svg",
        "sku": variant.sku,
        "quantity": line.quantity,
        "properties": dict(line.attributes),
        "price": asked,
        "final_price": round(left / line.quantity),
        "line_price": asked * line.quantity,
        "final_line_price": left,
        "requires_shipping": True,
        "gift_card": product.gift_card,
        **({"selling_plan_allocation": _allocated(line.plan_id)} if line.plan_id else {}),
    }


def _allocated(plan_id: int) -> Json:
    return {"selling_plan": {"id": plan_id, "name": "Every month", "recurring_deliveries": True}}


def _plan(item: Mapping[str, Any]) -> int | None:
    return int(item["selling_plan"]) if item.get("selling_plan") else None


def _pairs(item: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Return the line's properties; a property without a value is none."""
    properties = item.get("properties") or {}
    return tuple((str(name), str(value)) for name, value in properties.items() if value not in (None, ""))
