"""The checkout, thank-you and order-status pages, with the extension and the pixel running in them."""

from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from devstore import checkout as checkouts
from devstore import order_payloads
from devstore.host_state import state
from devstore.pages import pixel_data
from devstore.pages.extension import extension, targets
from devstore.pages.render import boot, event, fragment, page, store_of
from devstore.pages.visitor import DISCOUNT_COOKIE, remember, visitor_of
from devstore.records import Checkout
from devstore.shop import Shop
from devstore.store import Store


async def begin(request: Request) -> Response:
    """Answer POST /checkouts/new: a checkout of the cart, and on to its page."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    visitor = visitor_of(request, shop)
    if visitor.cart is None or not visitor.cart.lines:
        return RedirectResponse("/cart", status_code=303)
    found = checkouts.start(
        shop,
        store.new_token(),
        store.clock(),
        customer_id=visitor.customer.id if visitor.customer else None,
        cart_token=visitor.cart.token,
        attributes=visitor.cart.attributes,
        country=visitor.country,
        cart_lines=visitor.cart.lines,
    )
    _discounted(request, shop, found, store)
    await store.announce(shop, "checkouts/create", order_payloads.checkout(shop, found, store.clock()))
    return RedirectResponse(f"/checkout/{found.token}", status_code=303)


def _discounted(request: Request, shop: Shop, found: Checkout, store: Store) -> None:
    """Apply the code that a link brought along; one that does not fit is passed over."""
    if code := request.cookies.get(DISCOUNT_COOKIE):
        with suppress(checkouts.Refused):
            checkouts.apply_code(shop, found, code, store.clock())


async def view(request: Request) -> Response:
    """Answer the checkout. The query chooses the visitor, as visitor.py reads them, and settings."""
    store, shop, found = _find(request)
    if found is None:
        return _missing(request, shop)
    if found.order_id is not None:
        return RedirectResponse(f"/checkout/{found.token}/thank-you", status_code=303)
    _adjust(request, shop, found)
    return _page(request, store, shop, found, "checkout.html", "checkout_started")


async def thank_you(request: Request) -> Response:
    """Answer the page after the order."""
    store, shop, found = _find(request)
    if found is None or found.order_id is None:
        return _missing(request, shop)
    answer = _page(request, store, shop, found, "thank_you.html", "checkout_completed")
    answer.delete_cookie("cart")
    return answer


async def order_status(request: Request) -> Response:
    """Answer the order's page in the customer's account."""
    store, shop, found = _find(request)
    if found is None or found.order_id is None:
        return _missing(request, shop)
    return _page(request, store, shop, found, "order_status.html")


async def summary(request: Request) -> Response:
    """Answer the parts of the page that change with the checkout, and the checkout for events."""
    store, shop, found = _find(request)
    if found is None:
        return JSONResponse({"error": "there is no such checkout"}, status_code=404)
    parts = _summary(store, shop, found)
    html = {name: fragment(f"summary_{name}.html", **parts) for name in ("lines", "sums")}
    cost = checkouts.cost(shop, found, store.clock())
    return JSONResponse({"html": html, "event": pixel_data.checkout(shop, found, cost)})


def _page(
    request: Request, store: Store, shop: Shop, found: Checkout, template: str, happened: str | None = None
) -> Response:
    visitor = visitor_of(request, shop)
    seen = pixel_data.checkout(shop, found, checkouts.cost(shop, found, store.clock()))
    events = [event(happened, checkout=seen)] if happened else []
    started = boot(request, shop, visitor, events) | {
        "checkout": {
            "event": seen,
            "state": state(shop, found, store.clock(), store.base_url),
            "extension": extension(request, visitor),
        }
    }
    context = _summary(store, shop, found) | {
        "boot": started,
        "visitor": visitor,
        "customer": shop.customers.get(found.customer_id or 0),
        "order": shop.orders.get(found.order_id or 0),
        "targets": targets(request.query_params),
        "query": request.url.query,
    }
    return remember(page(request, template, **context), request.query_params)


def _summary(store: Store, shop: Shop, found: Checkout) -> dict[str, Any]:
    cost = checkouts.cost(shop, found, store.clock())
    rows = [(x, shop.variants[x.line.variant_id], shop.product_of(x.line.variant_id)) for x in cost.lines]
    return {
        "shop": shop,
        "checkout": found,
        "cost": cost,
        "rows": rows,
    }


def _adjust(request: Request, shop: Shop, found: Checkout) -> None:
    """Give the checkout to the buyer that the query names, and let it be where the visitor is."""
    visitor = visitor_of(request, shop)
    checkouts.enter(shop, found, visitor.country)
    if "customer" in request.query_params:
        customer = visitor.customer
        found.customer_id = customer.id if customer else None
        found.email = customer.email if customer else None


def _find(request: Request) -> tuple[Store, Shop, Checkout | None]:
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    return store, shop, shop.checkouts.get(request.path_params["token"])


def _missing(request: Request, shop: Shop) -> Response:
    why = "This checkout does not exist, or not any more."
    return page(request, "plain.html", status=404, title="Not found", why=why, shop=shop)
