"""The call of a decision's page: make it again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin.access import staff_only
from app.admin.calls import read_call
from app.admin.decisions_view import same_words
from app.connections import Connections
from app.replays import replay_decision
from app.shops.store import Shop

_MAX_BODY = 4096


class ReplayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision that is to be made again."""

    id: Annotated[str, msgspec.Meta(max_length=100)]


@staff_only
async def replay(request: Request, connections: Connections, shop: Shop) -> Response:
    """Make the decision again; return whether the same offers were chosen, else what differs."""
    asked = await read_call(request, ReplayRequest, _MAX_BODY)
    again = await replay_decision(connections, shop.shop, asked.id)
    tone, says = same_words(again)
    return JSONResponse({"same": again.is_same, "tone": tone, "says": says})


routes = [Route("/admin/api/decisions/replay", replay, methods=["POST"])]
