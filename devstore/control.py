"""Routes by which a demo, a test or a developer makes things happen in the shop."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstore import checkout as checkouts
from devstore import order_payloads, payloads
from devstore.deliver import Faults
from devstore.events import Unknown, fire, place_next
from devstore.records import number
from devstore.scopes import regrant
from devstore.shop import Shop
from devstore.store import Store
from devstore.tokens import admin_id_token, checkout_session_token
from devstore.wire import BadBody, read_json, rest_when

Body = Mapping[str, Any]
Handler = Callable[[Store, Shop, Body], Awaitable[Any]]


def route(path: str, handler: Handler, method: str = "POST") -> Route:
    """Return a route that hands the JSON body to the handler; what is wrong with it is 400 in JSON."""

    async def answer(request: Request) -> Response:
        store: Store = request.app.state.store
        try:
            shop = store.shop_of(request.headers.get("host", ""))
            return JSONResponse(
                await handler(store, shop, await read_json(request) | dict(request.query_params))
            )
        except (BadBody, Unknown) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        except checkouts.Refused as refused:
            return JSONResponse({"type": "error", "message": str(refused)}, status_code=422)

    return Route(path, answer, methods=[method])


async def replay(store: Store, shop: Shop, body: Body) -> Any:
    """Place the next live orders, each with its webhooks, in the order they were made."""
    wanted = whole(body, "orders", 1)
    placed = [order for _ in range(wanted) if (order := await place_next(store, shop)) is not None]
    return {"placed": [order.id for order in placed], "left": len(shop.upcoming)}


async def faults(store: Store, _shop: Shop, body: Body) -> Any:
    """Set what goes wrong with webhooks from here on; what is not named is nought."""
    unknown = body.keys() - {f.name for f in fields(Faults)}
    if unknown:
        raise BadBody(f"there is no fault {', '.join(sorted(unknown))}")
    store.deliverer.set_faults(Faults(**body))
    return asdict(store.deliverer.faults)


async def webhook(store: Store, shop: Shop, body: Body) -> Any:
    """Fire a topic about a record: {"topic": "products/update", "id": 1}."""
    topic = body.get("topic")
    if not isinstance(topic, str):
        raise BadBody("topic is missing: name one, such as orders/updated")
    return {"topic": topic, "subscriptions": await fire(store, shop, topic, whole(body, "id", 0) or None)}


async def install(store: Store, shop: Shop, _body: Body) -> Any:
    """Install the app, as a merchant does by opening it."""
    return {"scopes": sorted(store.install(shop).scopes)}


async def uninstall(store: Store, shop: Shop, _body: Body) -> Any:
    await fire(store, shop, "app/uninstalled", None)
    return {"installed": shop.installation is not None}


async def scopes(store: Store, shop: Shop, body: Body) -> Any:
    """Grant these scopes and no others, and tell the app: {"scopes": ["read_products"]}."""
    given = body.get("scopes")
    if not isinstance(given, list):
        raise BadBody("scopes is missing: a list of scopes")
    return {"scopes": sorted((await regrant(store, shop, list(map(str, given)))).scopes)}


async def stock(store: Store, shop: Shop, body: Body) -> Any:
    """Set what is left of a variant: {"variant_id": 1, "available": 0} sells it out."""
    variant = shop.variants.get(whole(body, "variant_id", 0))
    if variant is None:
        raise BadBody(f"there is no variant {body.get('variant_id')}")
    variant.inventory = whole(body, "available", 0)
    shop.product_of(variant.id).updated_at = store.clock()
    await store.announce(shop, "inventory_levels/update", payloads.inventory_level(variant, store.clock()))
    return {"variant_id": variant.id, "available": variant.inventory}


async def cost(store: Store, shop: Shop, body: Body) -> Any:
    """Set what a variant costs the shop, in cents: {"variant_id": 1, "cost_minor": 250}; null for unknown."""
    variant = shop.variants.get(whole(body, "variant_id", 0))
    if variant is None:
        raise BadBody(f"there is no variant {body.get('variant_id')}")
    unknown = body.get("cost_minor") in (None, "")
    variant.cost_minor = None if unknown else whole(body, "cost_minor", 0)
    variant.cost_at = store.clock()
    await fire(store, shop, "inventory_items/update", variant.id)
    return {"variant_id": variant.id, "cost_minor": variant.cost_minor}


async def bulk_failure(store: Store, _shop: Shop, body: Body) -> Any:
    """Let the next bulk operation fail after so many lines."""
    store.fail_next_bulk_after = whole(body, "after_lines", 0)
    return {"after_lines": store.fail_next_bulk_after}


async def deliveries(store: Store, shop: Shop, body: Body) -> Any:
    """Return the log of deliveries, of one topic if asked."""
    topic = body.get("topic")
    found = [d for d in store.deliverer.log if d.shop == shop.domain and topic in (None, d.topic)]
    return {"deliveries": [asdict(d) | {"triggered_at": rest_when(d.triggered_at)} for d in found]}


async def settle(store: Store, _shop: Shop, _body: Body) -> Any:
    """Answer when every delivery and bulk operation has ended."""
    await store.settle()
    return {"settled": True}


async def id_token(store: Store, shop: Shop, _body: Body) -> Any:
    """Return an id token as the admin mints one, for a test without a browser."""
    return {"token": admin_id_token(shop.domain, store.app.key, store.app.secret, store.clock())}


async def state(store: Store, shop: Shop, _body: Body) -> Any:
    """Return what the shop holds, in numbers."""
    return {
        "shop": shop.domain,
        "installed": shop.installation is not None,
        "products": len(shop.products),
        "customers": len(shop.customers),
        "orders": len(shop.orders),
        "upcoming": len(shop.upcoming),
        "checkouts": len(shop.checkouts),
        "discounts": len(shop.discounts),
        "deliveries": len(store.deliverer.log),
    }


async def new_checkout(store: Store, shop: Shop, body: Body) -> Any:
    """Return the token of a checkout: {"lines": [{"variant_id": 1, "quantity": 1}], "customer_id": null}."""
    wanted = body.get("lines")
    if not isinstance(wanted, list) or not wanted:
        raise BadBody("lines is missing: a list of {variant_id, quantity}")
    lines = [(_variant(line), whole(line, "quantity", 1), ()) for line in wanted if isinstance(line, dict)]
    now = store.clock()
    made = checkouts.start(shop, store.new_token(), now, lines, whole(body, "customer_id", 0) or None)
    await store.announce(shop, "checkouts/create", order_payloads.checkout(shop, made, now))
    return {"token": made.token, "checkout": f"{store.base_url}/checkout/{made.token}"}


async def session_token(store: Store, shop: Shop, body: Body) -> Any:
    """Return a session token of a checkout extension: GET /host/session-token?checkout=TOKEN."""
    found = shop.checkouts.get(str(body.get("checkout", "")))
    if found is None:
        raise BadBody("checkout is missing, or there is none with this token")
    key, secret = store.app.key, store.app.secret
    return {"token": checkout_session_token(shop.domain, key, secret, store.clock(), found.customer_id)}


def whole(body: Body, name: str, default: int) -> int:
    """Return a whole number of the body that is not negative. Raises BadBody, which names it."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not str(value).isdecimal():
        raise BadBody(f"{name} is not a whole number")
    return int(value)


def _variant(line: Body) -> int:
    try:
        return number(line["variant_id"])
    except (KeyError, ValueError):
        raise BadBody("variant_id is missing in a line, or is no id") from None


routes = [
    route("/host/checkouts", new_checkout),
    route("/host/session-token", session_token, "GET"),
    route("/control/replay", replay),
    route("/control/faults", faults),
    route("/control/webhook", webhook),
    route("/control/install", install),
    route("/control/uninstall", uninstall),
    route("/control/scopes", scopes),
    route("/control/stock", stock),
    route("/control/cost", cost),
    route("/control/bulk-failure", bulk_failure),
    route("/control/settle", settle),
    route("/control/id-token", id_token),
    route("/control/deliveries", deliveries, "GET"),
    route("/control/state", state, "GET"),
]
