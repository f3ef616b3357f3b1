"""The worker's look at a shop's guardrails and at what its merchant has to know."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from app.campaigns.campaign import ended
from app.campaigns.codes import pool_of
from app.campaigns.guardrail_facts import watched
from app.campaigns.guardrails import WATCHED, WATCHED_LETTERS, Harm, harms, metric_of
from app.campaigns.signing import refusals
from app.campaigns.store import StoredCampaign, all_campaigns, change_status, get_campaign
from app.connections import Connections
from app.coupons.store import count_codes, pools_of
from app.coupons.uses import discounts_of
from app.errors import NotFound
from app.jobs import exclusive_job, request_job
from app.reach.alert_store import raise_alert, resolve_others
from app.reach.alerts import (
    COUPONS_LOW,
    COUPONS_REFUSED,
    ERRORS,
    FALLBACKS,
    FLOW,
    GUARDRAIL,
    MAIL,
    SPIKE,
    Alert,
    PoolLevel,
    Share,
    coupons,
    errors,
    fallbacks,
    spike,
)
from app.reach.campaign_choice import TRIGGER
from app.reach.exposures import watched_left
from app.reach.hourly_counts import failed_offers, fallen_back, sent_or_not
from app.reach.settings import reach_of
from app.reach.store import counted
from app.shops.active import KEPT_S
from app.shops.store import Shop, installed_shop
from app.shops.turns import shops_to_look_at
from app.values import ShopDomain
from app.wording import wording

STOPPED = "stopped by its guardrail: "
_KINDS = frozenset({SPIKE, ERRORS, FALLBACKS, COUPONS_LOW, COUPONS_REFUSED, GUARDRAIL, MAIL, FLOW})
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_USUAL_DAYS = 7
_LOOKED_BACK = timedelta(days=90)
_NEW = timedelta(minutes=10)  # a pool that was just asked for is still being filled
_UNSENT_SHARE = 0.05  # one odd address among many is nothing that a merchant could mend
_log = logging.getLogger(__name__)


async def request_alerts(connections: Connections) -> None:
    """Ask for a look at every shop where something happened in a day, and at the others by turns."""
    for shop in await shops_to_look_at(connections, "alerts", lately_s=KEPT_S):
        await request_job(connections, "alerts", shop.shop)


async def look_after_shop(connections: Connections, shop: ShopDomain) -> None:
    """Stop the campaigns that do harm, raise what the merchant has to know, and resolve what is over."""
    async with exclusive_job(connections, "alerts", shop):
        if installed := await installed_shop(connections, shop):
            now = datetime.now(UTC)
            await guard_campaigns(connections, shop, now)
            await look_for_alerts(connections, installed, now)


async def guard_campaigns(connections: Connections, shop: ShopDomain, now: datetime) -> list[str]:
    """Return the campaigns that were stopped, since they do harm beyond chance.

    A campaign that was changed or started again is judged by what came after.
    """
    running = [each for each in await all_campaigns(connections, shop) if _is_guarded(each, now)]
    since = {each.campaign.id: max(each.updated_at, now - _LOOKED_BACK) for each in running}
    letters = {each.campaign.id for each in running if each.campaign.trigger == TRIGGER}
    at_checkout = {name: begin for name, begin in since.items() if name not in letters}
    rationed = [each.campaign.id for each in running if each.campaign.is_rationed]
    shoppers = await watched(connections, shop, at_checkout, rationed)
    shoppers |= await watched_left(connections, shop, {name: since[name] for name in letters})
    stopped = []
    for campaign_id, units in shoppers.items():
        kinds = WATCHED_LETTERS if campaign_id in letters else WATCHED
        found = await asyncio.to_thread(harms, units, now.timestamp(), kinds)
        if found and await _stop(connections, shop, campaign_id, since[campaign_id], found[0]):
            stopped.append(campaign_id)
    return stopped


async def look_for_alerts(connections: Connections, shop: Shop, now: datetime) -> list[Alert]:
    """Raise the alerts that hold now, resolve those that are over, and return the former."""
    fallen, reasons = await fallen_back(connections, shop.shop, now - _HOUR)
    campaigns = await all_campaigns(connections, shop.shop)
    found = [
        *spike(*await _left(connections, shop, now)),
        *errors(await failed_offers(connections, shop.shop, now - _HOUR)),
        *fallbacks(fallen, reasons),
        *coupons(await _levels(connections, shop, campaigns, now)),
        *stops(campaigns),
        *unsent(*await sent_or_not(connections, shop.shop, now - _DAY), _no_way(connections, shop)),
    ]
    for each in found:
        await raise_alert(connections, shop, each, now)
    await resolve_others(connections, shop, _KINDS, found, now)
    return found


def stops(campaigns: list[StoredCampaign]) -> list[Alert]:
    """Return an alert for each campaign that its guardrail stopped, until the merchant decides. Pure."""
    return [
        Alert(
            GUARDRAIL,
            f"{each.campaign.name!r} was {each.reason}",
            each.campaign.id,
            {"name": each.campaign.name, "metric": metric_of(each.reason.removeprefix(STOPPED))},
        )
        for each in campaigns
        if each.status == "stopped" and each.reason.startswith(STOPPED)
    ]


def _is_guarded(kept: StoredCampaign, now: datetime) -> bool:
    return kept.status == "running" and 0 < kept.campaign.holdout < 1 and not ended(kept.campaign, now)


async def _stop(
    connections: Connections, shop: ShopDomain, campaign_id: str, since: datetime, harm: Harm
) -> bool:
    """Return whether it was stopped: not where the merchant decided about it meanwhile."""
    try:
        kept = await get_campaign(connections, shop, campaign_id)
    except NotFound:
        return False
    if kept.status != "running" or kept.updated_at > since:
        return False
    reason = wording(f"stopped by its guardrail: {harm.sentence()}")
    await change_status(connections, shop, campaign_id, "stopped", reason)
    place = {"shop": shop, "campaign": campaign_id, "reason": harm.metric}
    _log.warning("a campaign was stopped by its guardrail", extra=place)
    return True


async def _left(connections: Connections, shop: Shop, now: datetime) -> tuple[Share, Share]:
    """Return how many checkouts of the last hour that can be judged were left, and of those hours before."""
    end = now - timedelta(seconds=reach_of(shop.settings).idle_s) - timedelta(minutes=2)
    hours = [end - day * _DAY for day in range(_USUAL_DAYS + 1)]
    counts = [await counted(connections, shop.shop, each - _HOUR, each) for each in hours]
    begun, left = (sum(each[place] for each in counts[1:]) for place in (0, 1))
    return Share(min(counts[0][1], counts[0][0]), counts[0][0]), Share(min(left, begun), begun)


async def _levels(
    connections: Connections, shop: Shop, campaigns: list[StoredCampaign], now: datetime
) -> list[PoolLevel]:
    """Return the pools of the campaigns that run and were not started just now, and discounts refused."""
    pools = {each.pool_id: each for each in await pools_of(connections, shop.shop)}
    ready = await count_codes(connections, shop.shop)
    levels = []
    for each in campaigns:
        pool = pools.get(pool_of(each.campaign, shop.currency) or "")
        if pool is None or not each.is_on(now) or each.updated_at > now - _NEW:
            continue
        left = ready.get(pool.pool_id, {}).get("pooled", 0)
        levels.append(PoolLevel(each.campaign.id, each.campaign.name, left, pool.size, pool.error))
    running = [each.campaign for each in campaigns if each.is_on(now)]
    refused = refusals(running, shop.currency, await discounts_of(connections, shop.shop))
    names = {each.id: each.name for each in running}
    return [*levels, *(PoolLevel(name, names[name], 0, 0, error) for name, error in refused.items())]


def _no_way(connections: Connections, shop: Shop) -> bool:
    return reach_of(shop.settings).mail and connections.settings.smtp is None


def unsent(failed: Mapping[str, Mapping[str, int]], sent: Mapping[str, int], no_way: bool) -> list[Alert]:
    """Return an alert for each way by which messages do not go: one in twenty, or more. Pure.

    failed: how many for which reason, by way. sent: how many left, by way. no_way: e-mail is switched on,
    and there is no mail server to take it.
    """
    says = (
        "E-mail to shoppers is switched on, and the app has no mail server: whoever runs the app's server "
        "has to set SMTP_URL."
    )
    found = [Alert(MAIL, says)] if no_way else []
    for way, reasons in sorted(failed.items()):
        if way == "mail" and no_way:
            continue
        count, most = sum(reasons.values()), max(reasons, key=lambda each: (reasons[each], each))
        if count < _UNSENT_SHARE * (count + sent.get(way, 0)):
            continue
        says = f"{count} messages to shoppers were not sent in the last day, most of them because: {most}"
        kind = MAIL if way == "mail" else FLOW
        found.append(Alert(kind, says, facts={"count": count, "reason": most}))
    return found
