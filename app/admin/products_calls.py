"""The call of the products page: what the merchant wishes of a product."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin.access import staff_only
from app.admin.calls import read_call
from app.admin.products_store import keep_wish
from app.connections import Connections
from app.shops.store import Shop

_MAX_BODY = 4096


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wished of a product: `usual`, `pinned`, or a factor."""

    product_id: Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
    wish: Annotated[str, msgspec.Meta(max_length=10)]


@staff_only
async def wish(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep what is wished of a product, from the next answer on; return its title."""
    asked = await read_call(request, Wish, _MAX_BODY)
    title = await keep_wish(connections, shop, asked.product_id, asked.wish)
    return JSONResponse({"title": title, "wish": asked.wish})


routes = [Route("/admin/api/products/wish", wish, methods=["POST"])]
