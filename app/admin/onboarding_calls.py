"""The calls of the list of first steps: a step marked as done, the list closed, a first offer shown."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.admin.access import staff_only
from app.admin.calls import read_call
from app.admin.figures import money
from app.admin.onboarding import PREVIEW, SETTING
from app.admin.view import reason_words
from app.ahead.form import AheadOffer
from app.ahead.rank import to_anyone, with_product
from app.connections import Connections
from app.offers.snapshot import ShopSnapshot
from app.shops.settings import change_setting
from app.shops.store import Shop
from app.snapshots import load_snapshot
from app.values import minor_units

_MOST_BYTES = 256
_MOST_CARTS = 25  # products tried as a cart, the bestsellers first


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step that the merchant says is done; `closed` puts the list away."""

    step: Literal["holdout", "closed"]


@staff_only
async def mark(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep that a step is done; return which."""
    body = await read_call(request, Mark, _MOST_BYTES)
    await _keep(connections, shop, body.step)
    return JSONResponse({"step": body.step})


@staff_only
async def preview(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Return what a shopper with a bestseller in the cart would be offered, an empty answer for nothing."""
    snapshot = await load_snapshot(connections, shop.shop)
    shown = _first_offer(snapshot) if snapshot else {}
    if shown:
        await _keep(connections, shop, PREVIEW)
    return JSONResponse(shown)


def _first_offer(snapshot: ShopSnapshot) -> dict[str, Any]:
    """Return an offer in words, and what would have to be in the cart for it; empty without any."""
    anyone = to_anyone(snapshot).offers
    for each in anyone[:_MOST_CARTS]:
        beside = with_product(snapshot, each.product_id)
        if beside and beside.offers:
            return _told(beside.offers[0], each, snapshot.currency)
    return _told(anyone[0], None, snapshot.currency) if anyone else {}


def _told(offer: AheadOffer, cart: AheadOffer | None, currency: str) -> dict[str, Any]:
    titles = {cart.product_id: cart.title} if cart else {}
    why = [reason_words({"reason": each.reason, "with": each.with_product_id}, titles) for each in offer.why]
    return {
        "title": offer.title,
        "price": money(minor_units(offer.price, currency), currency),
        "image": offer.image,
        "cart": cart.title if cart else None,
        "why": why[0] if why else "",
    }


async def _keep(connections: Connections, shop: Shop, step: str) -> None:
    def change(kept: Any) -> dict[str, bool]:
        return {**(kept if isinstance(kept, dict) else {}), step: True}

    await change_setting(connections, shop.shop, SETTING, change)


routes: list[BaseRoute] = [
    Route("/admin/api/onboarding", mark, methods=["POST"]),
    Route("/admin/api/onboarding/preview", preview, methods=["POST"]),
]
