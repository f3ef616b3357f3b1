"""POST /api/personalize: what to offer in this checkout.

Consent comes first: it decides what is read, and what was not read can't be used. Then the shopper is read
(one Redis round trip), the offers are chosen (in memory) and the decision is logged (one more).

Whatever of ours fails, the answer is 200 with the best that is left, and `fallback` says why:

no_model  the shop has no trained model yet: its defaults are offered
redis     the shopper could not be read: the cart alone decides
error     choosing failed: the shop's defaults are offered, or nothing
log       the decision could not be logged: its offers stand, and will earn nothing
no_shop   the shop does not have the app: nothing is offered
paused    the merchant paused the app: nothing is offered, and only changes of consent are logged
timeout   the shop was not loaded in time: nothing is offered
busy      the shop is asked about too often, or too many ask at once: its defaults are offered, and nothing
          is read or logged but refusals of consent, a little later
robot     the user agent is a robot's: as busy, so that it counts in no figure and takes no code
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from secrets import token_urlsafe
from time import perf_counter_ns
from typing import NamedTuple

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.archive.keeper import Keeper
from app.batching import Batcher, batched_reads
from app.body import read_body
from app.campaigns.shopper_history import HistoryUpdate
from app.campaigns.writing import write_decisions
from app.concurrency import ConcurrencyLimit
from app.connections import Connections
from app.consent.digests import Digests, open_digests
from app.consent.policy import Permissions, permissions, settle
from app.cors import any_origin
from app.coupons.grants import CodeRequest, grant
from app.coupons.handing import CodeDispenser
from app.errors import NotAuthentic, ProofMissing
from app.events.kinds import AnyEvent
from app.events.log import EventLog
from app.events.robots import is_robot
from app.limits import RateLimiter, rate_limiter
from app.live import LiveShops, live_shops
from app.metrics import RANKINGS, count_decision
from app.offers.again import is_empty_poll
from app.offers.answer import answer_to, nothing
from app.offers.campaigns import code_wanted, history_update_of, with_campaigns, with_code, without_codes
from app.offers.degraded import degraded_answer
from app.offers.grants import with_grants
from app.offers.ranked import RankingCache
from app.offers.replay import entry_of
from app.offers.situation import Occasion, Situation, in_arms, situation_of
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import MAX_BODY, Answer, Question, read_question, write_answer
from app.profiles.consent_events import ConsentCall
from app.profiles.guests import browser_refuses, consent_events
from app.profiles.names import Names
from app.profiles.pending_refusals import PendingRefusals
from app.profiles.recall import Shopper, keep_told, recall
from app.shops.sessions import CheckoutClaims, ProxyClaims, bearer_token, verify_checkout_token
from app.tracing import span

READ_MS = 15
GRANT_MS = 30
LOG_MS = 50
MOST_CODES = 3  # pools asked for one decision; beyond it, campaigns that need no code are shown

Claims = CheckoutClaims | ProxyClaims

_log = logging.getLogger(__name__)


class DecisionWrites(NamedTuple):
    """What a decision writes: events for the log, and what its shopper was shown of campaigns."""

    events: Sequence[AnyEvent]
    history: HistoryUpdate | None = None


@dataclass(frozen=True, slots=True)
class DecisionDependencies:
    """What decisions are made with, opened once a process.

    live: each shop's snapshot. read: values of Redis by key; log: see `_append`. Both batch concurrent calls.
    digests: keyed hashes of shoppers' names, under which their consent is kept.
    codes: discount codes to give out. keeper: archives the snapshots decided on, for replays.
    pending_refusals: refusals of consent that could not be logged yet.
    """

    live: LiveShops
    read: Batcher[Sequence[str], list[bytes | None]]
    log: Batcher[DecisionWrites, None]
    digests: Digests
    codes: CodeDispenser
    keeper: Keeper
    limiter: RateLimiter
    rankings: RankingCache
    concurrency: ConcurrencyLimit
    pending_refusals: PendingRefusals


@any_origin
async def personalize(request: Request) -> Response:
    """Return the offers for a checkout. Errors are the caller's own: 401, 429, 400, 413."""
    started = perf_counter_ns()
    claims = _authenticated(request)
    deps: DecisionDependencies = request.app.state.deps
    # A token is of one checkout; whoever is logged in is the same in all of theirs.
    visitor = claims.customer_id or bearer_token(request.headers["authorization"])
    deps.limiter.check("visitor", (claims.shop, visitor))
    question = read_question(await read_body(request, MAX_BODY))
    return await respond(request, claims, question, started)


async def respond(request: Request, claims: Claims, question: Question, started: int) -> Response:
    """Return the decision as JSON, counted. started: when the request came, of `perf_counter_ns`."""
    robot = is_robot(request.headers.get("user-agent", ""))
    answer = await _answered(request.app.state.deps, claims, question, robot)
    count_decision(answer.arm, answer.rung, answer.fallback, perf_counter_ns() - started)
    return Response(write_answer(answer), media_type="application/json")


async def _answered(deps: DecisionDependencies, claims: Claims, question: Question, robot: bool) -> Answer:
    """Return the decision, or nothing with the reason why there is none."""
    decision_id = token_urlsafe(16)
    try:
        overloaded = deps.concurrency.is_full or deps.limiter.wait_s("shop", claims.shop)
        with deps.concurrency:
            if robot or overloaded:
                why = "robot" if robot else "busy"
                return await decide_degraded(deps, claims, question, decision_id, why)
            return await decide(deps, claims, question, decision_id)
    except TimeoutError:
        return nothing(decision_id, "timeout")
    except Exception:  # the sale goes on, whatever it was
        _log.exception("no decision", extra={"shop": claims.shop})
        return nothing(decision_id, "error")


async def decide(deps: DecisionDependencies, claims: Claims, question: Question, decision_id: str) -> Answer:
    """Return the answer, once it is logged."""
    started, now = perf_counter_ns(), datetime.now(UTC)
    shop = await deps.live.get(claims.shop)
    if shop is None:
        return nothing(decision_id, "no_shop")
    consent = settle(question.consent, question.region, shop.policy)
    may = permissions(consent)
    call, shopper = await _recalled(deps, shop, _consent_call(claims, question, shop, decision_id, now), may)
    told = consent_events(call, shopper.told, consent)
    if shop.paused:
        await _is_logged(deps, DecisionWrites(told), call, shopper)
        return nothing(decision_id, "paused")
    question = _named_as(question, call.names)
    occasion = in_arms(Occasion(decision_id, now, shop, question, consent, may, shopper))
    situation = await _with_campaigns(deps, claims, occasion, situation_of(occasion))
    with span("ranking"):
        answer = answer_to(occasion, situation, deps.rankings)
    duration_us = (perf_counter_ns() - started) // 1000
    made = [] if is_empty_poll(situation, answer) else [entry_of(occasion, situation, answer, duration_us)]
    writes = DecisionWrites([*made, *told], history_update_of(occasion, situation, answer.offers))
    answer = with_grants(occasion, answer, claims.customer_id)
    if not await _is_logged(deps, writes, call, shopper):
        return msgspec.structs.replace(answer, fallback=answer.fallback or "log")
    deps.keeper.served(occasion.shop)
    return answer


async def decide_degraded(
    deps: DecisionDependencies, claims: Claims, question: Question, decision_id: str, why: str
) -> Answer:
    """Return the shop's defaults, which cost least of all that can be shown. why: the answer's fallback."""
    now, shop = datetime.now(UTC), await deps.live.get(claims.shop)
    if shop is None:
        return nothing(decision_id, "no_shop")
    deps.pending_refusals.keep(_consent_call(claims, question, shop, decision_id, now))
    consent = settle(question.consent, question.region, shop.policy)
    may = permissions(consent)
    shopper = Shopper(claims.customer_id if may.may_use_profile else None, reached=False)
    return degraded_answer(Occasion(decision_id, now, shop, question, consent, may, shopper), why)


def _consent_call(
    claims: Claims, question: Question, shop: ShopSnapshot, decision_id: str, now: datetime
) -> ConsentCall:
    """Return who asks, and what they answered about consent."""
    source = "checkout" if isinstance(claims, CheckoutClaims) else "storefront"
    names = Names(claims.customer_id, question.client_id, question.checkout_token)
    return ConsentCall(
        shop.shop, decision_id, now, source, names, question.consent, question.region, shop.policy
    )


async def _recalled(
    deps: DecisionDependencies, shop: ShopSnapshot, call: ConsentCall, may: Permissions
) -> tuple[ConsentCall, Shopper]:
    """Return the call and its shopper, both without the browser that a cart names if that browser refused."""
    shopper = await recall(deps.read, shop.shop, call.names, may, deps.digests, shop.plan is not None)
    if may.may_use_visit and call.source == "checkout" and browser_refuses(shopper.told):
        call = msgspec.structs.replace(call, names=call.names.only({"checkout", "customer"}))
        return await _recalled(deps, shop, call, may)
    return call, shopper


def _named_as(question: Question, names: Names) -> Question:
    """Return the question without its browser's id where that may not be used."""
    if names.client_id == question.client_id:
        return question
    return msgspec.structs.replace(question, client_id=names.client_id)


async def _with_campaigns(
    deps: DecisionDependencies, claims: Claims, occasion: Occasion, situation: Situation
) -> Situation:
    """Return the situation with the campaigns it shows, and a code for each that needs one."""
    if occasion.shop.plan is None:
        return situation
    try:
        weighed = with_campaigns(occasion, situation, deps.codes.dry(occasion.shop.shop))
        for _ in range(MOST_CODES):
            if (wanted := code_wanted(occasion, weighed)) is None:
                return weighed
            if not _may_have(deps, claims, wanted):
                break
            weighed = with_code(occasion, weighed, wanted, await deps.codes.give(wanted))
        return without_codes(occasion, weighed)
    except Exception:  # at a checkout, a campaign that trips must not cost the offers
        _log.exception("campaigns failed", extra={"shop": occasion.shop.shop})
        return situation


def _may_have(deps: DecisionDependencies, claims: Claims, wanted: CodeRequest) -> bool:
    """Return whether the code may be given out: anyone can make up checkouts or browsers without end."""
    if wanted.unit.startswith("customer:"):  # proven by Shopify
        return True
    if isinstance(claims, CheckoutClaims):
        return not deps.limiter.wait_s("checkout_codes", (claims.shop, claims.token_id))
    return not deps.limiter.wait_s("storefront_codes", claims.shop)


async def _is_logged(
    deps: DecisionDependencies, writes: DecisionWrites, call: ConsentCall, shopper: Shopper
) -> bool:
    """Return whether the log took it, in one write. A refusal that it could not take is kept for later."""
    logged = True
    try:
        await deps.log(writes)
    except (RedisError, OSError, TimeoutError):
        logged = False
    if not (logged and shopper.told):  # what was told before is unknown, so a change can't be seen
        deps.pending_refusals.keep(call)
    return logged


async def _append(
    redis: Redis, log: EventLog, digests: Digests, batch: Sequence[DecisionWrites]
) -> Sequence[None]:
    """Write a batch of decisions: their events, and with them what their shoppers were shown of campaigns."""
    events = list(chain.from_iterable(each.events for each in batch))
    if histories := [each.history for each in batch if each.history]:
        await write_decisions(redis, log, digests, events, histories)
    else:
        await log.append(events)
    await keep_told(redis, digests, events)  # a round trip only where consent changed
    return [None] * len(batch)


def _authenticated(request: Request) -> CheckoutClaims:
    """Return whose checkout it is. Raises NotAuthentic, also when no token was sent."""
    settings = request.app.state.connections.settings
    try:
        return verify_checkout_token(request.headers.get("authorization"), settings, datetime.now(UTC))
    except ProofMissing as error:
        raise NotAuthentic(str(error)) from None


@asynccontextmanager
async def opened(web: Starlette) -> AsyncIterator[None]:
    """Open what decisions are made with, on the connections the app has."""
    connections: Connections = web.state.connections
    redis, digests = connections.redis, await open_digests(connections)
    keeper, rankings = Keeper(connections), RankingCache()
    pending_refusals = PendingRefusals(connections, digests)
    RANKINGS.labels("asked").set_function(lambda: rankings.asked)
    RANKINGS.labels("found").set_function(lambda: rankings.found)
    async with live_shops(connections) as live:
        web.state.deps = DecisionDependencies(
            live=live,
            read=batched_reads(redis, timeout_ms=READ_MS),
            log=Batcher(partial(_append, redis, EventLog(redis), digests), timeout_ms=LOG_MS),
            digests=digests,
            codes=CodeDispenser(Batcher(partial(grant, redis, digests), timeout_ms=GRANT_MS)),
            keeper=keeper,
            limiter=rate_limiter(connections, "offers"),
            rankings=rankings,
            concurrency=ConcurrencyLimit(),
            pending_refusals=pending_refusals,
        )
        stop = asyncio.Event()
        logging_refusals = asyncio.create_task(pending_refusals.keep_logging(stop))
        yield
        stop.set()
        await logging_refusals
        await keeper.close()


routes = [Route("/api/personalize", personalize, methods=["POST", "OPTIONS"])]
