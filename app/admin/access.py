"""Authentication in the embedded admin: id tokens, the bounce page, retries with a new session token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from urllib.parse import urlencode
from weakref import WeakKeyDictionary, WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.admin.figures import keep_time
from app.admin.language import _, speak
from app.admin.outage import OUTAGES, outage_words, patience, shopify_words
from app.admin.sentences import told
from app.admin.view import first_upper
from app.config import Settings
from app.connections import Connections
from app.errors import InputError, NotAllowed, NotAuthentic, ShopifyError, TillwiseError
from app.shops.addresses import app_in_admin
from app.shops.changes import begin_telling, is_untold
from app.shops.sessions import AdminClaims, bearer_token, verify_admin_token
from app.shops.store import Shop, get_shop
from app.values import ShopDomain, shop_domain, zone_of

BOUNCE = "/auth/bounce"
_RELOAD = "shopify-reload"  # App Bridge goes where it says, with an id token, on whatever page it is
LATER = "X-Tillwise-Later"
MOST_AT_ONCE = 8  # calls and pages of one shop in a process; the others wait, and take no connection
_seats: WeakKeyDictionary[AsyncEngine, WeakValueDictionary[str, asyncio.Semaphore]] = WeakKeyDictionary()
_log = logging.getLogger(__name__)

Call = Callable[[Request, Connections, Shop], Awaitable[Response]]


def authenticate_or_redirect(
    path: str, query: QueryParams, settings: Settings, now: datetime
) -> AdminClaims | Response:
    """Return who asks for a document of the admin, else where the browser has to go first.

    Outside the admin: into it. Without a good id token, or told where to take it: to the page where App
    Bridge gets one.
    Raises InputError for a shop that is none, NotAuthentic for a token of another shop.
    """
    shop = shop_domain(query.get("shop", ""))
    if query.get("embedded") != "1":
        return RedirectResponse(app_in_admin(settings, shop), 302)
    claims = None
    with suppress(NotAuthentic):
        claims = verify_admin_token(query.get("id_token", ""), settings, now)
    if claims is None or _RELOAD in query:
        return RedirectResponse(f"{settings.app_url}{bounce_address(path, query)}", 302)
    if claims.shop != shop:
        raise NotAuthentic("the id token is of another shop")
    return claims


def bounce_address(path: str, query: QueryParams) -> str:
    """Return the bounce page's address, which says where to come back to with a new token."""
    kept = [(name, value) for name, value in query.multi_items() if name not in ("id_token", _RELOAD)]
    back = f"{path}?{urlencode(kept)}"
    return f"{BOUNCE}?{urlencode([*kept, (_RELOAD, back)])}"


def bounce_shop(query: QueryParams) -> ShopDomain:
    """Return the shop of a bounce page. Raises InputError when it leads out of the app."""
    told = query.getlist(_RELOAD)  # which of several App Bridge takes is its own affair
    back = told[0] if len(told) == 1 else ""
    # Browsers drop tabs and line feeds and read a backslash as a slash: `/\t/evil.com`.
    if not back.startswith("/") or back[1:2] in ("/", "\\") or set(back) & set("\t\r\n"):
        raise InputError(f"{_RELOAD} is not an address of this app", _RELOAD)
    return shop_domain(query.get("shop", ""))


def staff_only(call: Call) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that lets the shop's staff in and asks App Bridge for a better token.

    Who asks is in `request.state.staff_id`. 503, with what can't be reached or is too slow, while the
    database or Redis is away; every error says in the language of who asks what is wrong.
    """

    @wraps(call)
    async def endpoint(request: Request) -> Response:
        connections: Connections = request.app.state.connections
        speak(request)
        begin_telling()
        try:
            token = bearer_token(request.headers.get("authorization"))
            claims = verify_admin_token(token, connections.settings, datetime.now(UTC))
            request.state.staff_id = claims.user_id
        except NotAuthentic as error:
            retry = {"X-Shopify-Retry-Invalid-Session-Request": "1"}
            _log.info("a call without a good session token", extra={"reason": str(error)})
            return JSONResponse(
                {"error": _("Your session in Shopify's admin has ended. Reload the page.")}, 401, retry
            )
        try:
            async with patience(connections.settings), request_slot(connections, claims.shop):
                shop = await get_shop(connections, claims.shop)
                if shop is None or shop.uninstalled_at:
                    raise NotAllowed(_("This shop has not installed Tillwise."))
                keep_time(zone_of(shop.time_zone))
                return _with_delay(await call(request, connections, shop))
        except OUTAGES as error:
            return JSONResponse({"error": outage_words(error, claims.shop)}, 503)
        except ShopifyError as error:
            return JSONResponse({"error": shopify_words(error, claims.shop)}, error.status)
        except TillwiseError as error:
            error.args = (first_upper(told(str(error))),)
            raise

    return endpoint


def request_slot(connections: Connections, shop: ShopDomain) -> asyncio.Semaphore:
    """Return what is held while the shop's staff are served: beyond a few at once they wait their turn."""
    seats = _seats.setdefault(connections.engine, WeakValueDictionary())
    if (found := seats.get(shop)) is None:
        found = seats[shop] = asyncio.Semaphore(MOST_AT_ONCE)
    return found


def _with_delay(answer: Response) -> Response:
    """Return the answer, marked where what was kept reaches checkouts a little later than at once."""
    if is_untold():
        answer.headers[LATER] = "1"
    return answer
