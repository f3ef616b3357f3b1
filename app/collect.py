"""POST /api/track_event: what visitors do, under their consent.

Consent comes first: an event without the analytics purpose is counted and dropped. Only what it says of
consent is kept, for the ledger, where its visitor had allowed more before. What is acknowledged is in the
event log; a repeat of an id is counted and changes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
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
from app.consent.digests import open_digests
from app.consent.policies import remembered_policy
from app.consent.policy import NOWHERE, Answers, Region, ShopPolicy, permissions, settle
from app.cors import any_origin
from app.errors import InputError, NotAuthentic, TooOften
from app.events.kinds import KINDS, BrowserEvent
from app.events.log import EventLog
from app.events.minimise import minimised
from app.events.robots import is_robot
from app.limits import rate_limiter
from app.metrics import EVENTS
from app.profiles.consent_events import ConsentCall
from app.profiles.names import Names
from app.profiles.pending_refusals import log_consent
from app.shops.sessions import bearer_token, verify_checkout_token
from app.shops.store import shop_by_publishable_key
from app.values import finite, moment, shopify_id

LIMIT_BYTES = 256_000
MOST_EVENTS = 100
MOST_EVENT_BYTES = 32_000  # of one: a checkout's hundred lines, of which the pixel tells, take half of it
A_CALL = 20  # events that count as one call: as many as the pixel sends at once
# What came with a refusal is older than it, also where a clock that is ahead says now.
_AFTER = timedelta(microseconds=2)
# A browser's clock may be ahead, or stand at its beginning; some times there is nothing to reckon from.
_OLDEST = timedelta(days=3650)
_log = logging.getLogger(__name__)

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\A[\w:.\-]+\Z")]
Identifier = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\A[!-~]+\Z")]


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
    consent: Answers = Answers()
    region: Region = NOWHERE


class Counts(msgspec.Struct):
    """The answer: what became of the events."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    without_consent: int = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. customer_id: the buyer that a session token names. proven: whether Shopify signed it."""

    shop: str
    customer_id: int | None
    proven: bool

    @property
    def source(self) -> str:
        """Return what the ledger calls it."""
        return "checkout" if self.proven else "pixel"


@dataclass(slots=True)
class Sorted:
    """A batch taken apart: what to count, what to keep, and what each event says of consent."""

    counts: Counts
    events: list[BrowserEvent]
    calls: list[ConsentCall]


NO_NAMES = Names()
_batch = msgspec.json.Decoder(Batch)
_sent = msgspec.json.Decoder(Sent, float_hook=finite)


@any_origin
async def track_event(request: Request) -> Response:
    """Return 202 with the counts once the events are in the log, 503 when they can't be.

    429 to a visitor or a shop that sends too often: of their batch nothing is kept, but that analytics was
    taken back.
    """
    connections: Connections = request.app.state.connections
    now = datetime.now(UTC)
    try:
        sender = await _sender(connections, request.headers.get("authorization"), now)
        policy = await remembered_policy(connections, sender.shop)
        batch = sort_out(await read_body(request, LIMIT_BYTES), sender, policy, now)
        if is_robot(request.headers.get("user-agent", "")):
            batch = of_a_robot(batch)
        try:
            _check_rates(connections, sender, batch)
        except TooOften:
            await _tell(connections, _taken_back(batch.calls), now)
            raise
        batch.counts.accepted = await EventLog(connections.redis).append_unseen(batch.events)
        await _tell(connections, batch.calls, now)
    except (RedisError, SQLAlchemyError, OSError) as error:
        _log.error("events could not be kept", extra={"reason": type(error).__name__})
        EVENTS.labels("not_kept").inc()
        return JSONResponse({"error": "the events could not be kept; send them again"}, 503)
    batch.counts.duplicate = len(batch.events) - batch.counts.accepted
    told: dict[str, int] = msgspec.to_builtins(batch.counts)
    for outcome, count in told.items():
        EVENTS.labels(outcome).inc(count)
    return JSONResponse(told, 202)


def _check_rates(connections: Connections, sender: Sender, batch: Sorted) -> None:
    """Return when the visitor may send so often, and the shop. Raises TooOften."""
    limiter = rate_limiter(connections, "events")
    # A browser sends what one visitor did. What is not kept counts as well: each may be news to the ledger.
    names = batch.calls[0].names if batch.calls else NO_NAMES
    calls = max(1, ceil(len(batch.calls) / A_CALL))
    if visitor := names.customer_id or names.client_id or names.checkout_token:
        limiter.check("visitor", (sender.shop, visitor), calls)
    limiter.check("shop", sender.shop, calls)


def _taken_back(calls: Sequence[ConsentCall]) -> Sequence[ConsentCall]:
    """Return the first call that refuses analytics, which is heard from whoever is turned away.

    Nothing follows on it from that browser. Of who never allowed anything it writes down nothing.
    """
    return [each for each in calls if each.answers.analytics is False][:1]


async def _tell(connections: Connections, calls: Sequence[ConsentCall], came_at: datetime) -> None:
    """Put into the log what the calls tell the ledger that is news.

    Told when they came, by our clock: a browser's that is slow must not make a refusal older than a consent.
    """
    told_at = came_at + _AFTER
    in_order = [
        msgspec.structs.replace(call, happened_at=told_at)
        for call in sorted(calls, key=lambda call: call.happened_at)
    ]
    await log_consent(connections.redis, await open_digests(connections), in_order)


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


def sort_out(body: bytes, sender: Sender, policy: ShopPolicy, now: datetime) -> Sorted:
    """Return what the batch holds: events that may be kept, how many others, and the consent told.

    Raises InputError for a body that is not a batch. Pure.
    """
    batch = Sorted(Counts(), [], [])
    for raw in _read_batch(body).events:
        try:
            sent = _read_event(raw)
            event = _event(sent, sender, policy, now)
        except (msgspec.DecodeError, UnicodeDecodeError, InputError, RecursionError):
            batch.counts.rejected += 1
            continue
        batch.calls.append(_call(sent, sender, policy, event.happened_at))
        if permissions(settle(sent.consent, sent.region, policy)).may_store_visitor:
            batch.events.append(event)
        else:
            batch.counts.without_consent += 1
    return batch


def of_a_robot(batch: Sorted) -> Sorted:
    """Return the batch with nothing to keep: no shopper did any of it."""
    counts = batch.counts
    many = counts.rejected + counts.without_consent + len(batch.events)
    return Sorted(Counts(rejected=many), [], [])


def _read_batch(body: bytes) -> Batch:
    try:
        batch = _decoded(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not a batch of events: {error}", "events") from None
    if len(batch.events) > MOST_EVENTS:
        raise InputError(f"at most {MOST_EVENTS} events a batch", "events")
    return batch


def _decoded(body: bytes) -> Batch:
    """Return the batch as msgspec reads it. Raises ValueError, RecursionError."""
    try:
        return _batch.decode(body)
    except msgspec.DecodeError:
        # Of an emoji that a script cut through browsers send a half, which msgspec refuses: `?` in its place.
        whole = json.dumps(json.loads(body.decode()), ensure_ascii=False, separators=(",", ":"))
        return _batch.decode(whole.encode(errors="replace"))


def _read_event(raw: msgspec.Raw) -> Sent:
    """Return the event as it was sent. Raises InputError, DecodeError."""
    if memoryview(raw).nbytes > MOST_EVENT_BYTES:
        raise InputError(f"an event has at most {MOST_EVENT_BYTES} bytes", "data")
    return _sent.decode(raw)


def _event(sent: Sent, sender: Sender, policy: ShopPolicy, now: datetime) -> BrowserEvent:
    """Return the event. Raises InputError where it can't be used, or bears the name of Shopify's facts."""
    if sent.name in KINDS:
        raise InputError("a browser does not tell what Shopify does", "name")
    consent = settle(sent.consent, sent.region, policy)
    known = permissions(consent).may_use_profile
    return BrowserEvent(
        shop=sender.shop,
        event_id=f"browser:{sent.id}",
        happened_at=min(max(moment(sent.timestamp), now - _OLDEST), now),
        name=sent.name,
        client_id=sent.client_id,
        checkout_token=sent.checkout_token,
        customer_id=_customer_id(sent, sender) if known else None,
        permitted=consent.permitted,
        data=minimised(sent.data),
    )


def _call(sent: Sent, sender: Sender, policy: ShopPolicy, happened_at: datetime) -> ConsentCall:
    names = Names(sender.customer_id, sent.client_id, sent.checkout_token)
    return ConsentCall(
        sender.shop, f"browser:{sent.id}", happened_at, sender.source,
        names, sent.consent, sent.region, policy,
    )  # fmt: skip


def _customer_id(sent: Sent, sender: Sender) -> int | None:
    """Return the customer a session token names, else the one the browser says it is."""
    if sender.proven:
        return sender.customer_id
    return None if sent.customer_id is None else shopify_id(sent.customer_id, "customer_id")


routes = [Route("/api/track_event", track_event, methods=["POST", "OPTIONS"])]
