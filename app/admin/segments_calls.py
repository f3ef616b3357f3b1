"""The calls of the segments pages: segments kept and removed, a way with shoppers, a customer decided on."""

from __future__ import annotations

import logging
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin import segments_settings as settings
from app.admin import segments_store as store
from app.admin.access import staff_only
from app.admin.calls import read_call
from app.admin.language import _
from app.admin.outage import OUTAGES
from app.admin.segments_meanings import known_names, rule_words
from app.connections import Connections
from app.errors import InputError
from app.jobs import Progress, read_progress, report_progress, request_job
from app.profiles.policy import Policy
from app.profiles.reviews import Verdict, decide_review, review_of, withdraw_review
from app.profiles.segments import latest_segmentation
from app.profiles.store import refresh_customers
from app.shops.store import Shop
from app.values import shopify_id

_MAX_BODY = 32_768
_log = logging.getLogger(__name__)


class DraftSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant's own segment as they wrote it. replaces: the name of the one it was, None for a new one.

    seen: that one's state when it was opened.
    """

    segment: Any
    replaces: str | None = None
    seen: str | None = None


class SegmentReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the merchant's own segments."""

    name: str


class Approach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way with shoppers as the merchant wrote it. seen: the state of the one that was opened."""

    policy: Any
    seen: str | None = None


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a merchant says of a customer; `open` takes it back."""

    customer_id: str
    verdict: Literal["pinned", "excluded", "confirmed", "open"]
    segment: str | None = None


@staff_only
async def segment_now(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Ask for a segmentation. 202: the worker does it."""
    # What came of the one before is no answer to who follows this one.
    await report_progress(connections, "segment", shop.shop, Progress("asked"))
    await request_job(connections, "segment", shop.shop)
    return JSONResponse({"requested": True}, 202)


@staff_only
async def progress(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Return how far a segmentation is, and when the one that serves was made."""
    made = await store.trained(connections, shop.shop)
    running = await read_progress(connections, "segment", shop.shop)
    shown = {"stage": running.stage, "done": running.done} if running else {"stage": "", "done": 0}
    return JSONResponse({**shown, "trained_at": made.trained_at.isoformat() if made else ""})


@staff_only
async def check_segment(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return the segment as a sentence, or what is wrong with which field."""
    written = await read_call(request, DraftSegment, _MAX_BODY)
    rule = await settings.check_rule(connections, shop, written.segment, written.replaces, written.seen)
    return JSONResponse({"says": rule_words(rule, shop.currency)})


@staff_only
async def keep_segment(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep the segment, and have every customer put into it who belongs there."""
    written = await read_call(request, DraftSegment, _MAX_BODY)
    rule = await settings.keep_rule(connections, shop, written.segment, written.replaces, written.seen)
    requested = await settings.bring_to_bear(connections, shop, segment=True)
    return JSONResponse({"name": rule.name, "requested": requested})


@staff_only
async def remove_segment(request: Request, connections: Connections, shop: Shop) -> Response:
    """Forget the segment, and have every customer taken out of it."""
    named = await read_call(request, SegmentReference, _MAX_BODY)
    await settings.remove_rule(connections, shop, named.name)
    requested = await settings.bring_to_bear(connections, shop, segment=True)
    return JSONResponse({"name": named.name, "requested": requested})


@staff_only
async def check_approach(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return that the way with shoppers can be kept, or what is wrong with which field."""
    await _policy(await read_call(request, Approach, _MAX_BODY), connections, shop)
    return JSONResponse({"says": ""})


@staff_only
async def keep_approach(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep the way with shoppers, and return its state: the page stays open."""
    asked = await read_call(request, Approach, _MAX_BODY)
    policy = await _policy(asked, connections, shop)
    await settings.keep_policy(connections, shop, policy, asked.seen)
    requested = await settings.bring_to_bear(connections, shop, segment=False)
    return JSONResponse({"requested": requested, "seen": settings.state_of(policy)})


@staff_only
async def decide(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep what the merchant says of a customer, or take it back, and let it hold at once."""
    asked = await read_call(request, Decision, _MAX_BODY)
    customer_id, by = shopify_id(asked.customer_id, "customer_id"), str(request.state.staff_id)
    before = await review_of(connections, shop.shop, customer_id)
    if asked.verdict == "open":
        await withdraw_review(connections, shop.shop, customer_id, by)
    else:
        await _decide(connections, shop, customer_id, asked.verdict, asked.segment, by)
    if "excluded" in (asked.verdict, before and before.verdict):  # whom the others are measured by
        await settings.bring_to_bear(connections, shop, segment=True)
    return JSONResponse({"applied": await _applied(connections, shop, customer_id)})


async def _decide(
    connections: Connections, shop: Shop, customer_id: int, verdict: Verdict, segment: str | None, by: str
) -> None:
    if verdict == "pinned" and segment not in await _names(connections, shop):
        raise InputError(_("Choose a segment to pin this customer to."), "segment")
    await decide_review(connections, shop.shop, customer_id, verdict, segment, by)


async def _applied(connections: Connections, shop: Shop, customer_id: int) -> bool:
    """Return whether it holds already. It is kept all the same: the next segmentation applies it."""
    try:
        await refresh_customers(connections, shop.shop, [customer_id])
    except OUTAGES as error:
        _log.warning("verdict not applied yet", extra={"shop": shop.shop, "reason": type(error).__name__})
        return False
    return True


async def _policy(asked: Approach, connections: Connections, shop: Shop) -> Policy:
    return settings.checked_policy(asked.policy, await _names(connections, shop))


async def _names(connections: Connections, shop: Shop) -> list[str]:
    made = await latest_segmentation(connections, shop.shop)
    return known_names(settings.rules_of(shop), made)


routes = [
    Route("/admin/api/segments/run", segment_now, methods=["POST"]),
    Route("/admin/api/segments/progress", progress),
    Route("/admin/api/segments/check", check_segment, methods=["POST"]),
    Route("/admin/api/segments/keep", keep_segment, methods=["POST"]),
    Route("/admin/api/segments/remove", remove_segment, methods=["POST"]),
    Route("/admin/api/segments/approach/check", check_approach, methods=["POST"]),
    Route("/admin/api/segments/approach", keep_approach, methods=["POST"]),
    Route("/admin/api/segments/decide", decide, methods=["POST"]),
]
