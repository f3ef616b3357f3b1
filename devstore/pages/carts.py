"""The cart page, and changes of the cart with a script or without one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from devstore import cart as carts
from devstore import order_payloads
from devstore.pages import pixel_data
from devstore.pages.render import event, fragment, page, store_of
from devstore.pages.storefront import frame
from devstore.pages.visitor import CART_COOKIE, Visitor, keep, visitor_of
from devstore.records import Cart, ItemLine
from devstore.shop import Shop
from devstore.store import Store
from devstore.wire import read_form

Event = dict[str, Any]


async def view(request: Request) -> Response:
    """Answer the cart."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    visitor = visitor_of(request, shop)
    found, country = visitor.cart, visitor.country
    seen = pixel_data.cart(shop, found.token, found.lines, country) if found else None
    context = frame(request, shop, [event("cart_viewed", cart=seen)]) | lines_of(shop, found, country)
    return page(request, "cart.html", title="Your cart", **context)


async def change(request: Request) -> Response:
    """Answer POST /cart/add and /cart/change; webhooks tell the app of either."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    form, now = await read_form(request), store.clock()
    visitor = visitor_of(request, shop)
    found, is_new = opened(store, shop, visitor, now)
    try:
        message, events = _apply(request.path_params["change"], shop, found, visitor.country, form, now)
    except carts.NotForSale as refusal:
        message, events = str(refusal), []
    if events:
        await announce(store, shop, found, is_new)
    return _answer(request, shop, found, visitor.country, message, events)


def opened(store: Store, shop: Shop, visitor: Visitor, now: datetime) -> tuple[Cart, bool]:
    """Return the visitor's cart, and whether it was made for this."""
    if visitor.cart is not None:
        return visitor.cart, False
    return carts.start(shop, store.new_token(), now, visitor.customer.id if visitor.customer else None), True


async def announce(store: Store, shop: Shop, cart: Cart, is_new: bool) -> None:
    """Tell the app what is in a cart now."""
    await store.announce(shop, "carts/create" if is_new else "carts/update", order_payloads.cart(shop, cart))


def lines_of(shop: Shop, cart: Cart | None, country: str) -> dict[str, Any]:
    """Return the template's view of a cart: (line, variant, product) rows and their sum."""
    market = shop.market_of(country)
    lines = [x for x in cart.lines if x.variant_id in shop.variants] if cart else []
    rows = [(x, shop.variants[x.variant_id], shop.product_of(x.variant_id)) for x in lines]
    return {
        "market": market,
        "rows": rows,
        "total_minor": sum(line.quantity * market.price(variant.price_minor) for line, variant, _ in rows),
    }


def _apply(
    what: str, shop: Shop, cart: Cart, country: str, form: Mapping[str, str], now: datetime
) -> tuple[str, Sequence[Event]]:
    quantity = _whole(form.get("quantity", "1"))
    if what == "add":
        line = carts.add(shop, cart, _whole(form.get("variant", "")), max(1, quantity), now)
        added = ItemLine(line.id, line.variant_id, max(1, quantity))
        title = shop.product_of(line.variant_id).title
        return f"Added: {title}", [_event("product_added_to_cart", shop, added, country)]
    before = carts.change(shop, cart, _whole(form.get("line", "")), quantity, now)
    if before is None or before.quantity == quantity:
        return "Nothing changed", []
    name = "product_added_to_cart" if quantity > before.quantity else "product_removed_from_cart"
    moved = ItemLine(before.id, before.variant_id, abs(before.quantity - quantity))
    return "Cart updated", [_event(name, shop, moved, country)]


def _event(name: str, shop: Shop, line: ItemLine, country: str) -> Event:
    return event(name, cartLine=pixel_data.cart_line(shop, line, country))


def _answer(
    request: Request, shop: Shop, cart: Cart, country: str, message: str, events: Sequence[Event]
) -> Response:
    answer: Response = RedirectResponse("/cart", status_code=303)
    if "application/json" in request.headers.get("accept", ""):
        html = fragment("cart_lines.html", shop=shop, **lines_of(shop, cart, country))
        count = sum(line.quantity for line in cart.lines)
        answer = JSONResponse({"message": message, "events": events, "count": count, "html": html})
    keep(answer, CART_COOKIE, cart.token)
    return answer


def _whole(text: str) -> int:
    """Return the number in a form's field; nought when there is none."""
    return int(text) if text.isdecimal() else 0
