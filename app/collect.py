"""POST /api/track_event: what visitors do, under their consent.

Consent comes first: an event without the analytics purpose is counted and dropped. What is
acknowledged is in the event log; a repeat of an id is counted and changes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.body import read_body
from app.connections import Connections
from app.consent.policy import Consent, permissions
from app.cors import any_origin
from app.errors import InputError, NotAuthentic
from app.events.kinds import BrowserEvent
from app.events.log import EventLog
from app.events.minimise import minimised
from app.shops.sessions import bearer_token, verify_checkout_token
from app.shops.store import shop_by_publishable_key
from app.values import moment, shopify_id

LIMIT_BYTES = 256_000
MOST_EVENTS = 100
_log = logging.getLogger(__name__)

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[\w:.\-]+$")]
Identifier = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[!-~]+$")]


class Batch(msgspec.Struct, frozen=True):
    """The body. Each event is read by itself, so that a broken one costs only itself."""

    events: list[msgspec.Raw]


class Sent(msgspec.Struct, frozen=True):
    """One event as a browser sends it."""

    id: Identifier
    name: Name
    timestamp: str
    client_id: Identifier | None = None
    checkout_token: Identifier | None = None
    customer_id: int | str | None = None
    data: dict[str, Any] = {}
    consent: Consent = Consent()


class Counts(msgspec.Struct):
    """The answer: what became of the events."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    without_consent: int = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. customer_id: the buyer a session token names. proven: nobody else is believed."""

    shop: str
    customer_id: int | None
    proven: bool


_batch = msgspec.json.Decoder(Batch)
_sent = msgspec.json.Decoder(Sent)


@any_origin
async def track_event(request: Request) -> Response:
    """Return 202 with the counts once the events are in the log, 503 when they can't be."""
    connections: Connections = request.app.state.connections
    now = datetime.now(UTC)
    try:
        sender = await _sender(connections, request.headers.get("authorization"), now)
        counts, events = sort_out(await read_body(request, LIMIT_BYTES), sender, now)
        counts.accepted = await EventLog(connections.redis).append_unseen(events)
    except (RedisError, SQLAlchemyError, OSError) as error:
        _log.error("events could not be kept", extra={"reason": type(error).__name__})
        return JSONResponse({"error": "the events could not be kept; send them again"}, 503)
    counts.duplicate = len(events) - counts.accepted
    return JSONResponse(msgspec.to_builtins(counts), 202)


async def _sender(connections: Connections, authorization: str | None, now: datetime) -> Sender:
    """Return who sends, by a shop's publishable key or a checkout's session token."""
    token = bearer_token(authorization)
    if not token.startswith("pk_"):
        claims = verify_checkout_token(authorization, connections.settings, now)
        return Sender(claims.shop, claims.customer_id, proven=True)
    shop = await shop_by_publishable_key(connections, token)
    if shop is None:
        raise NotAuthentic("the publishable key is no installed shop's")
    return Sender(shop.shop, None, proven=False)


def sort_out(body: bytes, sender: Sender, now: datetime) -> tuple[Counts, list[BrowserEvent]]:
    """Return the events that may be kept, and how many of the others there were of each sort.

    Raises InputError for a body that is not a batch. Pure.
    """
    counts, events = Counts(), []
    for raw in _read_batch(body).events:
        try:
            sent = _sent.decode(raw)
            event = _event(sent, sender, now)
        except (msgspec.DecodeError, InputError, RecursionError):
            counts.rejected += 1
            continue
        if permissions(sent.consent).may_store_visitor:
            events.append(event)
        else:
            counts.without_consent += 1
    return counts, events


def _read_batch(body: bytes) -> Batch:
    try:
        batch = _batch.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not a batch of events: {error}", "events") from None
    if len(batch.events) > MOST_EVENTS:
        raise InputError(f"at most {MOST_EVENTS} events a batch", "events")
    return batch


def _event(sent: Sent, sender: Sender, now: datetime) -> BrowserEvent:
    return BrowserEvent(
        shop=sender.shop,
        event_id=f"browser:{sent.id}",
        happened_at=min(moment(sent.timestamp), now),  # a browser's clock may be ahead
        name=sent.name,
        client_id=sent.client_id,
        checkout_token=sent.checkout_token,
        customer_id=_customer_id(sent, sender),
        permitted=sent.consent.permitted,
        data=minimised(sent.data),
    )


def _customer_id(sent: Sent, sender: Sender) -> int | None:
    """Return the customer, when the visitor lets us know them: preferences and marketing."""
    if not permissions(sent.consent).may_use_profile:
        return None
    if sender.proven:
        return sender.customer_id
    return None if sent.customer_id is None else shopify_id(sent.customer_id, "customer_id")


routes = [Route("/api/track_event", track_event, methods=["POST", "OPTIONS"])]
