"""The authorization-code install: to the merchant's agreement, and back with a code."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.connections import Connections
from app.errors import InputError
from app.shops.addresses import app_in_admin, for_browser
from app.shops.arrival import install_with_code
from app.shops.oauth import new_state, permission_url, read_callback, requested_shop, signed_state

_COOKIE = "tillwise_install"
_COOKIE_LIVES_S = 600


async def begin(request: Request) -> Response:
    """Send the merchant to agree to the app's scopes, with a nonce kept in their browser."""
    connections: Connections = request.app.state.connections
    settings = connections.settings
    shop, state = requested_shop(request.query_params.get("shop", "")), new_state()
    answer = RedirectResponse(for_browser(settings, permission_url(settings, shop, state)), 302)
    answer.set_cookie(
        _COOKIE,
        signed_state(settings, shop, state),
        max_age=_COOKIE_LIVES_S,
        path="/auth",
        secure=settings.app_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


async def finish(request: Request) -> Response:
    """Exchange the code, install the shop and send the merchant to the app in their admin."""
    connections: Connections = request.app.state.connections
    settings = connections.settings
    pairs = request.query_params.multi_items()
    if len({name for name, _value in pairs}) != len(pairs):
        raise InputError("the callback carries a parameter twice")
    callback = read_callback(dict(pairs), request.cookies.get(_COOKIE), settings, datetime.now(UTC))
    await install_with_code(connections, callback.shop, callback.code)
    answer = RedirectResponse(app_in_admin(settings, callback.shop), 302)
    answer.delete_cookie(_COOKIE, path="/auth")
    return answer


routes: list[BaseRoute] = [Route("/auth", begin), Route("/auth/callback", finish)]
