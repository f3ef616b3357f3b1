"""The admin: a frame around the embedded app, and the tokens it hands in."""

from base64 import b64encode
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from devstore.pages.render import page, store_of
from devstore.scopes import grant_optional
from devstore.shop import Shop
from devstore.store import Store
from devstore.tokens import admin_id_token, signed_query
from devstore.wire import BadBody, read_json

SCRIPT = Path(__file__).parents[1] / "browser" / "dist" / "app-bridge.js"


async def view(request: Request) -> Response:
    """Answer the admin with the app inside, opened as Shopify opens an embedded app."""
    store = store_of(request)
    shop = _shop(request)
    store.install(shop)
    path = request.query_params.get("path", "/")
    return page(
        request,
        "admin.html",
        shop=shop,
        app=store.app,
        src=app_url(store, shop, path),
        title=f"{store.app.name} · {shop.name}",
    )


async def id_token(request: Request) -> Response:
    """Answer a fresh id token, as App Bridge asks the admin for one."""
    store = store_of(request)
    return JSONResponse({"token": _token(store, _shop(request))})


async def scopes(request: Request) -> Response:
    """Let the app do what the merchant just agreed to: {"scopes": ["write_customers"]}."""
    store, wanted = store_of(request), (await read_json(request)).get("scopes")
    if not isinstance(wanted, list):
        return JSONResponse({"error": "scopes is missing: a list of scopes"}, 400)
    try:
        installation = await grant_optional(store, _shop(request), list(map(str, wanted)))
    except BadBody as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({"granted": sorted(installation.scopes)})


async def products(request: Request) -> Response:
    """Answer the products there are, for the admin's picker."""
    sold = sorted(_shop(request).products.values(), key=lambda each: each.title)
    return JSONResponse([{"id": f"gid://shopify/Product/{each.id}", "title": each.title} for each in sold])


async def app_bridge(request: Request) -> Response:
    """Answer the stand-in for Shopify's App Bridge script."""
    return FileResponse(SCRIPT, media_type="text/javascript")


def app_url(store: Store, shop: Shop, path: str) -> str:
    """Return the address that the admin gives the frame: who, which shop, proven by the hmac."""
    admin = f"admin.shopify.com/store/{shop.domain.removesuffix('.myshopify.com')}"
    proven = {
        "embedded": "1",
        "host": b64encode(admin.encode()).decode().rstrip("="),
        "id_token": _token(store, shop),
        "locale": "en-US",
        "session": "",
        "shop": shop.domain,
        "timestamp": str(int(store.clock().timestamp())),
    }
    joint = "&" if "?" in path else "?"
    return f"{store.app.url}{path}{joint}{signed_query(proven, store.app.secret)}"


def admin_address(shop: Shop) -> str:
    return f"/admin?{urlencode({'shop': shop.domain})}"


def _token(store: Store, shop: Shop) -> str:
    return admin_id_token(shop.domain, store.app.key, store.app.secret, store.clock())


def _shop(request: Request) -> Shop:
    wanted = request.query_params.get("shop") or request.headers.get("host", "")
    return store_of(request).shop_of(wanted)
