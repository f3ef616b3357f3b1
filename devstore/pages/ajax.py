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
from devstore.records import Cart, ItemLine, Pair
from devstore.shop import Shop
from devstore.wire import hundredths, read_json

Json = dict[str, Any]


async def read(request: Request) -> Response:
    """Answer GET /cart.js; amounts are in hundredths."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    visitor = visitor_of(request, shop)
    codes = _codes(request, shop, store.clock())
    return JSONResponse(cart_json(shop, visitor.cart, visitor.country, codes))


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
    answer = JSONResponse({"items": [line_json(shop, line, visitor.country) for line in lines]})
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
    codes = _codes(request, shop, store.clock())
    answer = JSONResponse(cart_json(shop, found, visitor.country, codes))
    keep(answer, CART_COOKIE, found.token)
    return answer


async def discount(request: Request) -> Response:
    """Answer GET /discount/{code}: the checkout that follows has the code; on to the `redirect`."""
    wanted = request.query_params.get("redirect", "/")
    within = wanted.startswith("/") and not wanted.startswith("//")
    answer = RedirectResponse(wanted if within else "/", status_code=302)
    keep(answer, DISCOUNT_COOKIE, request.path_params["code"])
    return answer


def cart_json(shop: Shop, cart: Cart | None, country: str, codes: Sequence[Json] = ()) -> Json:
    """Return the cart as the Ajax API has it in a country; without one, an empty cart.

    Codes take off at checkout only.
    """
    lines = [x for x in cart.lines if x.variant_id in shop.variants] if cart else []
    items = [line_json(shop, line, country) for line in lines]
    total = sum(item["final_line_price"] for item in items)
    return {
        "token": cart.token if cart else "",
        "note": None,
        "attributes": dict(cart.attributes) if cart else {},
        "currency": shop.market_of(country).currency,
        "item_count": sum(line.quantity for line in lines),
        "items": items,
        "items_subtotal_price": total,
        "original_total_price": total,
        "total_price": total,
        "total_discount": 0,
        "requires_shipping": bool(items),
        "cart_level_discount_applications": [],
        "discount_codes": [*codes],
    }


def _codes(request: Request, shop: Shop, now: datetime) -> list[Json]:
    """Return the code that the visitor's checkout will have, if it will have any."""
    code = request.cookies.get(DISCOUNT_COOKIE)
    discount = shop.discount_of(code) if code else None
    return [{"code": code, "applicable": discount is not None and discount.is_open(now)}] if code else []


def line_json(shop: Shop, line: ItemLine, country: str) -> Json:
    variant, product = shop.variants[line.variant_id], shop.product_of(line.variant_id)
    market = shop.market_of(country)
    price = hundredths(market.price(variant.price_minor), market.currency)
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
        "price": price,
        "final_price": price,
        "line_price": price * line.quantity,
        "final_line_price": price * line.quantity,
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
