"""The dev store as one ASGI app: OAuth, GraphQL APIs, bulk results, the browser's host, controls, pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from devstore import bulk, control, graphql, host, oauth, storefront_api
from devstore.app_config import AppConfig
from devstore.deliver import Deliverer
from devstore.shop import Shop
from devstore.store import Clock, Store, UnknownShop, utc_now
from devstore.wire import BadBody

LOCAL = "http://127.0.0.1:4700"


def create_store(
    config: AppConfig,
    shops: Iterable[Shop],
    *,
    base_url: str = LOCAL,
    clock: Clock = utc_now,
    client: httpx.AsyncClient | None = None,
    time_scale: float = 0.001,
) -> Store:
    """Return the state of a dev store with these shops; client carries its webhooks."""
    deliverer = Deliverer(config.secret, client or httpx.AsyncClient(), config.api_version, time_scale)
    return Store(config, {shop.domain: shop for shop in shops}, deliverer, base_url, clock)


def create_app(store: Store, pages: Sequence[BaseRoute] = (), **state: Any) -> Starlette:
    """Return the app. pages: the HTML routes; state: what they look for in app.state."""
    app = Starlette(
        routes=[
            Route("/healthz", health),
            *oauth.routes,
            *graphql.routes,
            *storefront_api.routes,
            *bulk.routes,
            *control.routes,
            *host.ROUTES,
            *pages,
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["GET", "POST", "OPTIONS"],
                allow_headers=["*"],
                expose_headers=["Content-Range", "Accept-Ranges"],
                max_age=7200,
            )
        ],
        exception_handlers={UnknownShop: _not_found, BadBody: _bad_request},
        lifespan=_lifespan(store),
    )
    app.state.store = store
    for name, value in state.items():
        setattr(app.state, name, value)
    return app


async def health(request: Request) -> Response:
    """Answer that the dev store is up, and which shops it has."""
    return JSONResponse({"status": "ok", "shops": list(request.app.state.store.shops)})


def _lifespan(store: Store) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sender = asyncio.create_task(store.deliverer.run())
        try:
            yield
        finally:
            sender.cancel()
            await store.close()
            await store.deliverer.client.aclose()

    return lifespan


def _not_found(_request: Request, error: Exception) -> Response:
    return JSONResponse({"errors": "Not Found", "detail": str(error)}, status_code=404)


def _bad_request(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)
