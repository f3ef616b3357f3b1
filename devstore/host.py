"""Routes the checkout page calls for an extension: its changes, and its session token."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstore import checkout as checkouts
from devstore import order_payloads
from devstore.checkout import Checkout, Refused
from devstore.events import announce_order
from devstore.host_state import state
from devstore.records import Pair, number
from devstore.shop import Shop
from devstore.store import Store
from devstore.tokens import checkout_session_token
from devstore.wire import read_json

Change = Mapping[str, Any]
Apply = Callable[[Shop, Checkout, Change, datetime], None]


def lines(shop: Shop, checkout: Checkout, change: Change, now: datetime) -> None:
    """Apply addCartLine, removeCartLine or updateCartLine."""
    match change.get("type"):
        case "addCartLine":
            variant, quantity = number(change["merchandiseId"]), int(change["quantity"])
            checkouts.add_line(shop, checkout, variant, quantity, now, _pairs(change) or ())
        case "removeCartLine":
            checkouts.remove_line(checkout, number(change["id"]), now, change.get("quantity"))
        case "updateCartLine":
            variant_id = number(change["merchandiseId"]) if change.get("merchandiseId") else None
            checkouts.update_line(
                shop,
                checkout,
                number(change["id"]),
                now,
                quantity=change.get("quantity"),
                variant_id=variant_id,
                attributes=_pairs(change),
            )
        case unknown:
            raise Refused(f"There is no cart line change {unknown}.")


def discount_codes(shop: Shop, checkout: Checkout, change: Change, now: datetime) -> None:
    """Apply addDiscountCode or removeDiscountCode."""
    match change.get("type"):
        case "addDiscountCode":
            checkouts.apply_code(shop, checkout, str(change["code"]), now)
        case "removeDiscountCode":
            checkouts.remove_code(checkout, str(change["code"]), now)
        case unknown:
            raise Refused(f"There is no discount code change {unknown}.")


def attributes(shop: Shop, checkout: Checkout, change: Change, now: datetime) -> None:
    """Apply updateAttribute or removeAttribute."""
    value = str(change["value"]) if change.get("type") == "updateAttribute" else ""
    checkouts.set_attribute(checkout, str(change["key"]), value, now)


def complete(shop: Shop, checkout: Checkout, change: Change, now: datetime) -> None:
    """Place the order, under the e-mail address that the buyer typed."""
    if change.get("email") and checkout.order_id is None:
        checkouts.set_email(checkout, str(change["email"]), now)
    checkouts.complete(shop, checkout, now)


CHANGES: Mapping[str, Apply] = {
    "lines": lines,
    "discount-codes": discount_codes,
    "attributes": attributes,
    "complete": complete,
}


async def show(request: Request) -> Response:
    """Answer the checkout's state."""
    store, shop, checkout = _find(request)
    if checkout is None:
        return JSONResponse({"error": "there is no such checkout"}, status_code=404)
    return JSONResponse(state(shop, checkout, store.clock(), store.base_url))


async def change(request: Request) -> Response:
    """Apply a change and answer how it went, with the state after it; webhooks tell the app."""
    store, shop, checkout = _find(request)
    apply = CHANGES.get(request.path_params["change"])
    if checkout is None or apply is None:
        return JSONResponse({"error": "there is no such checkout or change"}, status_code=404)
    wanted, now = await read_json(request), store.clock()
    was_open = checkout.order_id is None
    result = _apply(apply, shop, checkout, wanted, now)
    if result["type"] == "success":
        _renew(shop, checkout)
        await _announce(store, shop, checkout, now, was_open)
    return JSONResponse({"result": result, "state": state(shop, checkout, now, store.base_url)})


async def session_token(request: Request) -> Response:
    """Answer a fresh session token of this checkout."""
    store, shop, checkout = _find(request)
    if checkout is None:
        return JSONResponse({"error": "there is no such checkout"}, status_code=404)
    key, secret = store.app.key, store.app.secret
    return JSONResponse(
        {"token": checkout_session_token(shop.domain, key, secret, store.clock(), checkout.customer_id)}
    )


ROUTES = (
    Route("/host/{token}", show),
    Route("/host/{token}/session-token", session_token, methods=["POST"]),
    Route("/host/{token}/{change}", change, methods=["POST"]),
)


def _apply(apply: Apply, shop: Shop, checkout: Checkout, wanted: Change, now: datetime) -> dict[str, str]:
    try:
        apply(shop, checkout, wanted, now)
    except Refused as refused:
        return {"type": "error", "message": str(refused)}
    except (KeyError, ValueError, TypeError) as error:
        return {"type": "error", "message": f"The change is not one of the API's: {error!r}."}
    return {"type": "success"}


def _renew(shop: Shop, checkout: Checkout) -> None:
    """Give each line another id, as Shopify may with any change: who keeps one loses its line."""
    if checkout.order_id is None:
        checkout.lines = [replace(line, id=shop.next_id()) for line in checkout.lines]


async def _announce(store: Store, shop: Shop, checkout: Checkout, now: datetime, was_open: bool) -> None:
    await store.announce(shop, "checkouts/update", order_payloads.checkout(shop, checkout, now))
    order = shop.orders.get(checkout.order_id or 0)
    if order is not None and was_open:
        await announce_order(store, shop, order)


def _pairs(change: Change) -> tuple[Pair, ...] | None:
    """Return the change's attributes, or None when it leaves them as they are."""
    if "attributes" not in change:
        return None
    return tuple((str(pair["key"]), str(pair["value"])) for pair in change["attributes"])


def _find(request: Request) -> tuple[Store, Shop, Checkout | None]:
    store: Store = request.app.state.store
    shop = store.shop_of(request.headers.get("host", ""))
    return store, shop, shop.checkouts.get(request.path_params["token"])
