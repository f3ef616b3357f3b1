"""POST /api/personalize: what to offer in this checkout.

Consent comes first: it decides what is read, and what was not read can't be used. The rest is in
memory, but for one read of the shopper before the choice and one write of the decision after it.
Whatever fails of ours, the answer is 200 with the best that is left, and `fallback` says why:

no_model  the shop has no trained model yet: its defaults are offered
redis     the shopper could not be read: the cart alone decides
error     choosing went wrong: the shop's defaults are offered, or nothing
log       the decision could not be written down: its offers stand, and will earn nothing
no_shop   the shop does not have the app: nothing is offered
paused    the merchant paused the app: nothing is offered or written down but what is told of consent
timeout   the shop was not loaded in time: nothing is offered
busy      the shop is asked about too often, or too many ask at once: its defaults are offered, nothing is
          read or written down; what is refused is told a little later, as where the log or Redis is away
robot     who asks says that it is none who buys: the same, so that it counts in no figure and takes no code
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
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.archive.keeper import Keeper
from app.batching import Batcher, batched_reads
from app.body import read_body
from app.campaigns.nudged import HistoryUpdate
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
from app.offers.again import is_idle
from app.offers.answer import answer_to, nothing
from app.offers.campaigns import code_wanted, nudging_of, with_campaigns, with_code, without_codes
from app.offers.degraded import degraded_answer
from app.offers.grants import with_grants
from app.offers.ranked import Rankings
from app.offers.replay import entry_of
from app.offers.situation import Occasion, Situation, in_arms, situation_of
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import MAX_BODY, Answer, Question, read_question, write_answer
from app.profiles.guests import has_taken_back, news_of
from app.profiles.names import Names
from app.profiles.recall import Shopper, keep_told, recall
from app.profiles.telling import ConsentCall
from app.profiles.unheard import Unheard
from app.shops.sessions import CheckoutClaims, ProxyClaims, bearer_token, verify_checkout_token
from app.tracing import span

READ_MS = 15
GRANT_MS = 30
LOG_MS = 50
MOST_CODES = 3  # pools asked for one decision; beyond it, campaigns that need no code are shown

Claims = CheckoutClaims | ProxyClaims

_log = logging.getLogger(__name__)


class DecisionWrites(NamedTuple):
    """What a decision writes down: events, and what its shopper was shown of campaigns."""

    events: Sequence[AnyEvent]
    nudging: HistoryUpdate | None


@dataclass(frozen=True, slots=True)
class DecisionDependencies:
    """What decisions are made with, opened once a process."""

    live: LiveShops
    read: Batcher[Sequence[str], list[bytes | None]]
    log: Batcher[DecisionWrites, None]
    digests: Digests
    codes: CodeDispenser
    keeper: Keeper
    limiter: RateLimiter
    rankings: Rankings
    concurrency: ConcurrencyLimit
    unheard: Unheard


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
    """Return the answer, once it is written down."""
    started, now = perf_counter_ns(), datetime.now(UTC)
    shop = await deps.live.get(claims.shop)
    if shop is None:
        return nothing(decision_id, "no_shop")
    consent = settle(question.consent, question.region, shop.policy)
    may = permissions(consent)
    call, shopper = await _recalled(deps, shop, _call(claims, question, shop, decision_id, now), may)
    told = news_of(call, shopper.told, consent)
    if shop.paused:
        await _is_written(deps, DecisionWrites(told, None), call, shopper)
        return nothing(decision_id, "paused")
    if call.names.client_id != question.client_id:
        question = msgspec.structs.replace(question, client_id=call.names.client_id)
    occasion = in_arms(Occasion(decision_id, now, shop, question, consent, may, shopper))
    situation = situation_of(occasion)
    if occasion.shop.plan is not None:
        situation = await _with_campaigns(deps, claims, occasion, situation)
    with span("ranking"):
        answer = answer_to(occasion, situation, deps.rankings)
    duration_us = (perf_counter_ns() - started) // 1000
    made = [] if is_idle(situation, answer) else [entry_of(occasion, situation, answer, duration_us)]
    written = DecisionWrites([*made, *told], nudging_of(occasion, situation, answer.offers))
    answer = with_grants(occasion, answer, claims.customer_id)
    if await _is_written(deps, written, call, shopper):
        deps.keeper.served(occasion.shop)
        return answer
    return msgspec.structs.replace(answer, fallback=answer.fallback or "log")


async def decide_degraded(
    deps: DecisionDependencies, claims: Claims, question: Question, decision_id: str, why: str
) -> Answer:
    """Return what costs least of all that can be shown, and why it is that."""
    now, shop = datetime.now(UTC), await deps.live.get(claims.shop)
    if shop is None:
        return nothing(decision_id, "no_shop")
    deps.unheard.keep(_call(claims, question, shop, decision_id, now))
    consent = settle(question.consent, question.region, shop.policy)
    may = permissions(consent)
    shopper = Shopper(claims.customer_id if may.may_use_profile else None, reached=False)
    return degraded_answer(Occasion(decision_id, now, shop, question, consent, may, shopper), why)


def _call(
    claims: Claims, question: Question, shop: ShopSnapshot, decision_id: str, now: datetime
) -> ConsentCall:
    """Return who asks, and what they say of consent."""
    source = "checkout" if isinstance(claims, CheckoutClaims) else "storefront"
    names = Names(claims.customer_id, question.client_id, question.checkout_token)
    return ConsentCall(
        shop.shop, decision_id, now, source, names, question.consent, question.region, shop.policy
    )


async def _recalled(
    deps: DecisionDependencies, shop: ShopSnapshot, call: ConsentCall, may: Permissions
) -> tuple[ConsentCall, Shopper]:
    """Return the call and its shopper: without the browser that the cart names, if that one refused."""
    shopper = await recall(deps.read, shop.shop, call.names, may, deps.digests, shop.plan is not None)
    if may.may_use_visit and call.source == "checkout" and has_taken_back(shopper.told):
        call = msgspec.structs.replace(call, names=call.names.only({"checkout", "customer"}))
        return await _recalled(deps, shop, call, may)
    return call, shopper


async def _with_campaigns(
    deps: DecisionDependencies, claims: Claims, occasion: Occasion, situation: Situation
) -> Situation:
    """Return the situation with the campaigns it shows, and a code for each that needs one."""
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
    """Return whether the code may be given out. Who makes up checkouts or browsers has no end of names."""
    if wanted.unit.startswith("customer:"):  # proven by Shopify
        return True
    if isinstance(claims, CheckoutClaims):
        return not deps.limiter.wait_s("checkout_codes", (claims.shop, claims.token_id))
    return not deps.limiter.wait_s("storefront_codes", claims.shop)


async def _is_written(
    deps: DecisionDependencies, written: DecisionWrites, call: ConsentCall, shopper: Shopper
) -> bool:
    """Return whether the log has it, in one write. A refusal that it can't have now is kept for later."""
    is_written = True
    try:
        await deps.log(written)
    except (RedisError, OSError, TimeoutError):
        is_written = False
    if not (is_written and shopper.told):  # without what was told before, nothing is news
        deps.unheard.keep(call)
    return is_written


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
    log = EventLog(connections.redis)

    digests = await open_digests(connections)

    async def append(batch: list[DecisionWrites]) -> Sequence[None]:
        events = list(chain.from_iterable(each.events for each in batch))
        if nudgings := [each.nudging for each in batch if each.nudging]:
            await write_decisions(connections.redis, log, events, nudgings)
        else:
            await log.append(events)
        await keep_told(connections.redis, digests, events)  # a round trip for news only
        return [None] * len(batch)

    keeper, rankings, unheard = Keeper(connections), Rankings(), Unheard(connections.redis, digests)
    RANKINGS.labels("asked").set_function(lambda: rankings.asked)
    RANKINGS.labels("found").set_function(lambda: rankings.found)
    async with live_shops(connections) as live:
        web.state.deps = DecisionDependencies(
            live=live,
            read=batched_reads(connections.redis, timeout_ms=READ_MS),
            log=Batcher(append, timeout_ms=LOG_MS),
            digests=digests,
            codes=CodeDispenser(Batcher(partial(grant, connections.redis), timeout_ms=GRANT_MS)),
            keeper=keeper,
            limiter=rate_limiter(connections, "offers"),
            rankings=rankings,
            concurrency=ConcurrencyLimit(),
            unheard=unheard,
        )
        stop = asyncio.Event()
        telling = asyncio.create_task(unheard.keep_telling(stop))
        yield
        stop.set()
        await telling
        await keeper.close()


routes = [Route("/api/personalize", personalize, methods=["POST", "OPTIONS"])]
