"""Routes of Shopify's OAuth: token exchange, refresh, authorization code, authorize."""

import hmac
from base64 import b64encode
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from devstore.app_config import split_scopes, with_implied
from devstore.shop import Shop
from devstore.store import Store
from devstore.tokens import Grant, GrantRefused, check_id_token, signed_query
from devstore.wire import read_form

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"


async def access_token(request: Request) -> Response:
    """Answer POST /admin/oauth/access_token, in Shopify's words for each refusal."""
    store: Store = request.app.state.store
    shop = store.shop_of(request.headers.get("host", ""))
    form = await read_form(request)
    try:
        grant = _grant(store, shop, form)
    except GrantRefused as refused:
        body = {"error": refused.code, "error_description": refused.description}
        return JSONResponse(body, status_code=400)
    return JSONResponse(grant.as_json(store.clock()))


def _grant(store: Store, shop: Shop, form: Mapping[str, str]) -> Grant:
    _check_client(store, form)
    now, expiring = store.clock(), form.get("expiring") == "1"
    match form.get("grant_type", ""):
        case kind if kind == EXCHANGE:
            return _exchange(store, shop, form)
        case "refresh_token":
            return store.tokens.refresh(shop.domain, form.get("refresh_token", ""), now)
        case "" | "authorization_code" if "code" in form:
            grant = store.tokens.redeem(shop.domain, form["code"], now, expiring=expiring)
            store.install(shop).scopes = grant.scopes
            return grant
        case kind:
            raise GrantRefused("invalid_request", f"The grant type {kind!r} is not one of Shopify's.")


def _exchange(store: Store, shop: Shop, form: Mapping[str, str]) -> Grant:
    now = store.clock()
    if form.get("subject_token_type", ID_TOKEN) != ID_TOKEN:
        raise GrantRefused("invalid_request", "subject_token_type is not an id token's.")
    check_id_token(form.get("subject_token", ""), shop.domain, store.app.key, store.app.secret, now)
    if shop.installation is None:
        raise GrantRefused(
            "invalid_subject_token",
            "The app is not installed: open it in the admin, or POST /control/install.",
        )
    kind = form.get("requested_token_type", ONLINE)
    if kind not in (OFFLINE, ONLINE):
        raise GrantRefused(
            "invalid_requested_token_type", f"The token type {kind!r} is not one of Shopify's."
        )
    expiring = form.get("expiring") == "1"
    return store.tokens.issue(
        shop.domain, shop.installation.scopes, now, expiring=expiring, online=kind == ONLINE
    )


def _check_client(store: Store, form: Mapping[str, str]) -> None:
    same_key = hmac.compare_digest(form.get("client_id", "").encode(), store.app.key.encode())
    same_secret = hmac.compare_digest(form.get("client_secret", "").encode(), store.app.secret.encode())
    if not (same_key and same_secret):
        raise GrantRefused("invalid_client", "The client id or the client secret is not this app's.")


async def authorize(request: Request) -> Response:
    """Answer GET /admin/oauth/authorize: the merchant agrees at once and is sent to the callback."""
    store: Store = request.app.state.store
    shop = store.shop_of(request.headers.get("host", ""))
    asked = request.query_params
    target = asked.get("redirect_uri", "")
    if asked.get("client_id") != store.app.key:
        return PlainTextResponse("Oauth error invalid_client: no such app", status_code=400)
    if target not in store.app.redirect_urls:
        return PlainTextResponse(
            f"Oauth error invalid_request: {target} is not in redirect_urls of shopify.app.toml",
            status_code=400,
        )
    now = store.clock()
    scopes = with_implied(split_scopes(asked.get("scope", "")) or store.app.scopes)
    params = {
        "code": store.tokens.authorize(shop.domain, scopes, now),
        "host": host_param(shop.domain),
        "shop": shop.domain,
        "timestamp": str(int(now.timestamp())),
    }
    if "state" in asked:
        params["state"] = asked["state"]
    return RedirectResponse(f"{target}?{signed_query(params, store.app.secret)}", status_code=302)


def host_param(domain: str) -> str:
    """Return the host parameter of an embedded app: the admin's address in base64."""
    handle = domain.removesuffix(".myshopify.com")
    return b64encode(f"admin.shopify.com/store/{handle}".encode()).decode().rstrip("=")


routes = [
    Route("/admin/oauth/access_token", access_token, methods=["POST"]),
    Route("/admin/oauth/authorize", authorize, methods=["GET"]),
]
