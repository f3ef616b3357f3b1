"""The embedded admin: its documents, the calls of its scripts, and how a browser gets in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from app.admin import (
    campaigns,
    campaigns_calls,
    campaigns_editor,
    campaigns_learnt,
    decisions,
    decisions_calls,
    elsewhere,
    elsewhere_calls,
    experiments,
    experiments_calls,
    home,
    models,
    models_calls,
    onboarding_calls,
    pages,
    pausing,
    privacy,
    privacy_calls,
    products,
    products_calls,
    segments,
    segments_calls,
    settings_calls,
    store,
    view,
)
from app.admin import settings as settings_page
from app.admin.access import authenticate_or_redirect, bounce_shop, request_slot, staff_only
from app.admin.calls import read_call
from app.admin.figures import keep_time
from app.admin.files import OwnFiles
from app.admin.language import speak
from app.admin.outage import OUTAGES, outage_words, patience, shopify_words
from app.admin.policy import headers_for
from app.connections import Connections
from app.errors import ShopifyError
from app.jobs import request_job
from app.shops.arrival import ensure_installed
from app.shops.store import Shop
from app.values import zone_of

Read = Callable[[Connections, Shop, QueryParams], Awaitable[Mapping[str, Any]]]

_MAX_BODY = 4096


class Exclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant's wish to keep a product out of offers, or to let it in again."""

    product_id: Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
    excluded: bool


def document(template: str, read: Read) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a page: who is asking, then what it shows."""

    async def endpoint(request: Request) -> Response:
        connections: Connections = request.app.state.connections
        settings, query = connections.settings, request.query_params
        speak(request)
        if "shop" not in query:
            return HTMLResponse(pages.draw(settings, "outside.html"), headers=headers_for(settings, None))
        found = authenticate_or_redirect(request.url.path, query, settings, datetime.now(UTC))
        if isinstance(found, Response):
            return found
        headers = headers_for(settings, found.shop)
        try:
            async with patience(settings), request_slot(connections, found.shop):
                shop = await ensure_installed(connections, found.shop, found.token)
                keep_time(zone_of(shop.time_zone))
                shown = await read(connections, shop, query)
        except ShopifyError as error:
            page = pages.draw(settings, "unreachable.html", reason=shopify_words(error, found.shop))
            return HTMLResponse(page, error.status, headers)
        except OUTAGES as error:
            page = pages.draw(settings, "outage.html", reason=outage_words(error, found.shop))
            return HTMLResponse(page, 503, headers)
        return HTMLResponse(pages.draw_page(settings, template, shop, query, shown), headers=headers)

    return endpoint


async def bounce(request: Request) -> Response:
    """Return the page on which App Bridge gets a new id token and goes where it says."""
    connections: Connections = request.app.state.connections
    speak(request)
    settings, shop = connections.settings, bounce_shop(request.query_params)
    return HTMLResponse(pages.draw(settings, "bounce.html"), headers=headers_for(settings, shop))


@staff_only
async def progress(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Return how far the import of each kind is."""
    imports = await store.imports(connections, shop)
    shown = [
        {
            "kind": one.kind,
            "status": one.status,
            "percent": view.percent_done(one),
            "says": view.import_words(one),
        }
        for one in imports
    ]
    done = all(one.status == "done" for one in imports)
    return JSONResponse({"imports": shown, "done": done})


@staff_only
async def import_again(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Ask for the import to go on. 202: the worker does it."""
    await request_job(connections, "backfill", shop.shop)
    return JSONResponse({"requested": True}, 202)


@staff_only
async def exclude(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep a product out of offers or let it in again; return its title."""
    wish = await read_call(request, Exclusion, _MAX_BODY)
    title = await store.set_excluded(connections, shop, wish.product_id, excluded=wish.excluded)
    return JSONResponse({"title": title, "excluded": wish.excluded})


_home = document("home.html", pages.home_page)

routes: list[BaseRoute] = [
    Route("/", _home),
    Route("/admin", _home),
    Route("/admin/definitions", document("definitions.html", pages.definitions)),
    *home.routes,
    *onboarding_calls.routes,
    *pausing.routes,
    Route(decisions.PATH, document("decisions.html", decisions.overview)),
    Route(f"{decisions.PATH}/one", document("decisions_one.html", decisions.one)),
    *decisions_calls.routes,
    Route(products.PATH, document("products.html", products.overview)),
    *products_calls.routes,
    Route(campaigns.PATH, document("campaigns.html", campaigns.overview)),
    Route(f"{campaigns.PATH}/new", document("campaigns_new.html", campaigns_editor.begin)),
    Route(f"{campaigns.PATH}/edit", document("campaigns_edit.html", campaigns_editor.editor)),
    Route(f"{campaigns.PATH}/learnt", document("campaigns_learnt.html", campaigns_learnt.learnt)),
    *campaigns_calls.routes,
    Route(experiments.PATH, document("experiments.html", experiments.overview)),
    Route(f"{experiments.PATH}/new", document("experiments_new.html", experiments.plan)),
    Route(f"{experiments.PATH}/read", document("experiments_read.html", experiments.reading)),
    Route(f"{experiments.PATH}/earned", document("experiments_earned.html", experiments.earned)),
    *experiments_calls.routes,
    Route("/admin/model", document("model.html", models.overview)),
    *models_calls.routes,
    Route("/admin/privacy", document("privacy.html", privacy.overview)),
    Route("/admin/privacy/people", document("privacy_people.html", privacy.people)),
    Route("/admin/privacy/rules", document("privacy_rules.html", privacy.rules)),
    Route("/admin/privacy/audit", document("privacy_audit.html", privacy.audited)),
    *privacy_calls.routes,
    Route(settings_page.PATH, document("settings.html", settings_page.overview)),
    *settings_calls.routes,
    Route("/admin/segments", document("segments.html", segments.overview)),
    Route("/admin/segments/meanings", document("segments_meanings.html", segments.meant)),
    Route("/admin/segments/own", document("segments_own.html", segments.own)),
    Route("/admin/segments/approach", document("segments_approach.html", segments.approach)),
    Route("/admin/segments/shopify", document("segments_shopify.html", segments.beside)),
    Route("/admin/segments/review", document("segments_review.html", segments.queue)),
    Route("/admin/customer", document("segments_customer.html", segments.customer)),
    Route(elsewhere.PATH, document("segments_elsewhere.html", elsewhere.elsewhere)),
    *segments_calls.routes,
    *elsewhere_calls.routes,
    Route("/admin/api/progress", progress),
    Route("/admin/api/import", import_again, methods=["POST"]),
    Route("/admin/api/exclusions", exclude, methods=["POST"]),
    Route("/auth/bounce", bounce),
    Mount("/admin/static", OwnFiles(directory=Path(__file__).parent / "static")),
]
