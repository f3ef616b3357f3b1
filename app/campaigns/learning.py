"""Learning from a shop's past: how likely a purchase is, whom a coupon changes, which campaign is best."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from app.campaigns.campaign import Campaign
from app.campaigns.choice import weights
from app.campaigns.feedback import feedback_by_checkout
from app.campaigns.log import LOOKED_BACK, decided
from app.campaigns.outcomes import CampaignDecision, Orders, bought_anyway, draws_of, exposures, typical_cart
from app.campaigns.shopper_history import KEPT_S
from app.campaigns.store import all_campaigns, running_campaigns
from app.child_process import run_in_child
from app.connections import Connections
from app.intent import judging, uplift_training
from app.intent.model import IntentModel
from app.intent.moments import BrowserHistory, moments_of
from app.intent.prior import PRIOR
from app.intent.rates import Rate
from app.intent.store import (
    CHOICE,
    INTENT,
    UPLIFT,
    browsed,
    current_foresight,
    has_events,
    latest_foresight,
    publish_foresight,
    trained_at,
)
from app.intent.table import table_of
from app.intent.uplift import UpliftModel
from app.intent.worth import bought_anyway_said
from app.jobs import Progress, exclusive_job, report_progress, request_job
from app.shops.changes import announce_change
from app.shops.turns import shops_to_look_at
from app.values import ShopDomain

AGAIN_AFTER = timedelta(days=1)
_log = logging.getLogger(__name__)


async def learn_shop(connections: Connections, shop: ShopDomain) -> None:
    """Train intent and uplift on shoppers who may be learnt from; those that are better serve from now on."""
    async with exclusive_job(connections, "intent", shop):
        now = datetime.now(UTC)
        await report_progress(connections, "intent", shop, Progress("reading"))
        told = await browsed(connections, shop, now)
        await report_progress(connections, "intent", shop, Progress("training"))
        model, report = await run_in_child(learn_intent, told, int(now.timestamp()))
        content = {} if model is None else {"model": msgspec.to_builtins(model)}
        await publish_foresight(connections, shop, INTENT, content, msgspec.to_builtins(report), now)
        await _learn_uplift(connections, shop, now)
        await announce_change(connections.redis, shop)
        await report_progress(connections, "intent", shop, Progress("done", 1, 1))
    _log.info("learnt intent", extra={"shop": shop, "decision": report.reason})


async def request_due_learning(connections: Connections) -> None:
    """Request `learn_shop` for every shop with browser events that was not trained within the last day."""
    now = datetime.now(UTC)
    for shop in await shops_to_look_at(connections, "intent"):
        last = await trained_at(connections, shop.shop)
        if (last is None or abs(now - last) > AGAIN_AFTER) and await has_events(connections, shop.shop):
            await request_job(connections, "intent", shop.shop)


async def weigh_choices(connections: Connections) -> None:
    """Update how often each competing campaign is drawn, in every shop that has competing campaigns."""
    for shop in await shops_to_look_at(connections, "choices"):
        running = [each.campaign for each in await running_campaigns(connections, shop.shop)]
        choices = {each.id: each.choice for each in running if each.choice}
        if choices:
            await _weigh(connections, shop.shop, choices, datetime.now(UTC))


def learn_intent(told: Sequence[BrowserHistory], now: int) -> tuple[IntentModel | None, judging.IntentReport]:
    """Return the shop's own model, None where the shared one serves, and the report that decides it. Pure."""
    moments = [(at, moment) for at, each in enumerate(told) for moment in moments_of(each, now)]
    return judging.train(table_of(moments), PRIOR)


def learn_uplift(
    decisions: Sequence[CampaignDecision], orders: Orders, campaigns: Sequence[Campaign], now: float
) -> tuple[list[UpliftModel], dict[str, Any]]:
    """Return what each campaign's coupon changes, where that can be told, and what speaks for it. Pure.

    Of those who met it in the time that is looked back on. Where a campaign is kept from who was shown it,
    who met it before that too is none of them: only those held back would be.
    """
    models: list[UpliftModel] = []
    reports: dict[str, Any] = {}
    since = now - LOOKED_BACK.total_seconds()
    lately = [each for each in decisions if each.at >= since]
    for campaign in campaigns:
        known = decisions if campaign.is_rationed else lately
        given = exposures(known, orders, campaign.id, now, since)
        model, report = uplift_training.train(campaign.id, given)
        if model is not None:
            models.append(model)
        anyway = bought_anyway(lately, orders, campaign.id, now)
        cart = msgspec.to_builtins(typical_cart(lately, campaign.id))
        told = {"bought_anyway": _told_rate(anyway), "cart": cart}
        reports[campaign.id] = msgspec.to_builtins(report) | told
    return models, reports


def _told_rate(measured: Rate) -> dict[str, Any]:
    """Return the rate as JSON holds it, with its sentence."""
    told: dict[str, Any] = msgspec.to_builtins(measured)
    return told | {"share": measured.share, "says": bought_anyway_said(measured)}


async def _learn_uplift(connections: Connections, shop: ShopDomain, now: datetime) -> None:
    kept = [each.campaign for each in await all_campaigns(connections, shop)]
    coupons = [each for each in kept if each.offer.discount is not None and 0 < each.holdout < 1]
    if not coupons:
        if (await latest_foresight(connections, shop)).uplift:  # of one that holds nobody back any more
            await publish_foresight(connections, shop, UPLIFT, {"models": []}, {"campaigns": {}}, now)
        return
    decisions, orders = await decided(
        connections, shop, now, LOOKED_BACK + timedelta(seconds=KEPT_S), of_some=True
    )
    models, reports = await run_in_child(learn_uplift, decisions, orders, coupons, now.timestamp())
    content = {"models": msgspec.to_builtins(models)}
    await publish_foresight(connections, shop, UPLIFT, content, {"campaigns": reports}, now)


async def _weigh(
    connections: Connections, shop: ShopDomain, choices: Mapping[str, str], now: datetime
) -> None:
    decisions, orders = await decided(connections, shop, now)
    words = await feedback_by_checkout(connections, shop, decisions)
    drawn = await asyncio.to_thread(draws_of, decisions, orders, words, choices)
    found = await asyncio.to_thread(weights, drawn, now.timestamp())
    if found == (await current_foresight(connections, shop)).weights:
        return
    await publish_foresight(connections, shop, CHOICE, {"weights": found}, {"decisions": len(decisions)}, now)
    await announce_change(connections.redis, shop)
