"""The calls of the campaigns pages: started, paused, stopped, moved; written, checked and tried out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin.calls import read_call
from app.admin.campaigns import may_discount
from app.admin.doors import staff_only
from app.admin.outage import OUTAGES
from app.campaigns.store import change_status, move_campaign, one_campaign
from app.connections import Connections
from app.errors import InputError
from app.jobs import request_job
from app.rules.expression import read_rule
from app.rules.findings import findings
from app.shops.store import Shop

_MAX_BODY = 65_536
_log = logging.getLogger(__name__)


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to become of a campaign."""

    id: str
    status: Literal["running", "paused", "stopped"]


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign that is to be looked at one place earlier or later."""

    id: str
    up: bool


@staff_only
async def granted(_request: Request, _connections: Connections, shop: Shop) -> Response:
    """Return whether the shop lets us make codes by now."""
    return JSONResponse({"granted": may_discount(shop)})


@staff_only
async def step(request: Request, connections: Connections, shop: Shop) -> Response:
    """Start, pause or stop a campaign. One that can never be shown is not started, and it says why."""
    asked = await read_call(request, Step, _MAX_BODY)
    if asked.status == "running":
        await _check_use(connections, shop, asked.id)
    kept = await change_status(connections, shop.shop, asked.id, asked.status)
    if kept.campaign.needs_code:
        await supply(connections, shop)
    return JSONResponse({"standing": kept.standing(datetime.now(UTC))})


@staff_only
async def move(request: Request, connections: Connections, shop: Shop) -> Response:
    """Let a campaign change places with the one before or after it."""
    asked = await read_call(request, Move, _MAX_BODY)
    await move_campaign(connections, shop.shop, asked.id, up=asked.up)
    return JSONResponse({"moved": asked.id})


async def supply(connections: Connections, shop: Shop) -> None:
    """Ask for the codes that are needed now; where that can't be said, the worker's own round sees to it."""
    try:
        await request_job(connections, "coupons", shop.shop)
    except OUTAGES as error:
        _log.warning("codes not asked for yet", extra={"shop": shop.shop, "reason": type(error).__name__})


async def _check_use(connections: Connections, shop: Shop, campaign_id: str) -> None:
    """Do nothing for a campaign that can be shown. Raises InputError saying why it never would be."""
    rule = read_rule((await one_campaign(connections, shop.shop, campaign_id)).campaign.rule)
    for each in findings(rule):
        if each.stops:
            raise InputError(f"Not started. {each.message}", each.path)


_CALLS = "/admin/api/campaigns"
routes = [
    Route(f"{_CALLS}/granted", granted),
    Route(f"{_CALLS}/status", step, methods=["POST"]),
    Route(f"{_CALLS}/move", move, methods=["POST"]),
]
