"""GET /proxy/offers: what to offer on a page of the storefront, asked through the shop's app proxy.

Shopify signs what passes the proxy, and names the customer who is logged in; a browser's own word for
either is worth nothing here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter_ns

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.decide import DecisionDependencies, respond
from app.errors import InputError, NotAuthentic
from app.events.surfaces import STOREFRONT
from app.offers.wire import read_question
from app.shops.sessions import ProxyClaims, verify_app_proxy


async def offers(request: Request) -> Response:
    """Return the answer of `POST /api/personalize` to the query's `question`, which is that body.

    400 for a signature or a question that is no good, or of another page, 429 for a visitor who asks too
    often. No cache keeps what was answered to one visitor.
    """
    started = perf_counter_ns()
    claims = _proven(request)
    question = read_question(request.query_params.get("question", "").encode())
    if question.surface != STOREFRONT:  # anybody may ask here, and is not met in a checkout
        raise InputError(f"the app proxy is asked for the {STOREFRONT} only", "surface")
    deps: DecisionDependencies = request.app.state.deps
    if visitor := claims.customer_id or question.client_id:
        deps.limiter.check("visitor", (claims.shop, visitor))
    response = await respond(request, claims, question, started)
    response.headers["Cache-Control"] = "no-store"
    return response


def _proven(request: Request) -> ProxyClaims:
    """Return whose storefront it is. Raises InputError: Shopify's own apps answer 400 here, not 401."""
    settings = request.app.state.connections.settings
    try:
        return verify_app_proxy(request.url.query, settings, datetime.now(UTC))
    except NotAuthentic as error:
        raise InputError(str(error), "signature") from None


routes = [Route("/proxy/offers", offers, methods=["GET"])]
