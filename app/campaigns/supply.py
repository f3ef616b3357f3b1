"""The codes that a shop's running campaigns need, kept ready ahead of those who will be given them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from app.campaigns.arms import served
from app.campaigns.campaign import Running, ended
from app.campaigns.codes import coupon_terms, promise_of
from app.campaigns.store import change_status, get_campaign, running_campaigns
from app.connections import Connections
from app.coupons.automatic import keep_automatic
from app.coupons.ending import end_grants
from app.coupons.minting import SCOPE, PoolTarget, keep_pools
from app.coupons.missing import withdraw_missing
from app.coupons.promise import Promise
from app.coupons.store import Pool, pools_of
from app.coupons.uses import honoured_fingerprint
from app.errors import NotFound, ShopifyRefused
from app.experiments.versions import running_experiments
from app.jobs import exclusive_job, request_job
from app.shops.pausing import is_paused
from app.shops.store import Shop, get_shop
from app.shops.turns import shops_to_look_at
from app.values import ShopDomain
from app.wording import wording

READY = 500  # codes in a pool, unless the shop set `coupon_pool`
MOST_READY = 10_000
PREFIX = "TILL-"

_log = logging.getLogger(__name__)


async def supply_codes(connections: Connections, shop: ShopDomain) -> None:
    """Fill the pools of the campaigns that run and end the pools of those that don't.

    Of a paused shop no discount without a code is left. Its pools stay: codes that were given out are good.
    Raises ShopifyUnavailable when it is worth trying again soon.
    """
    async with exclusive_job(connections, "coupons", shop):
        installed = await get_shop(connections, shop)
        if installed is None or SCOPE not in installed.scopes:
            return
        ready, now = pool_size(installed.settings), datetime.now(UTC)
        await withdraw_missing(connections, shop, now, partial(_stop, connections, shop))
        running = await _served(connections, shop)
        promised = [] if is_paused(installed.settings) else promises_of(running, installed.currency, now)
        await _keep_promises(connections, installed, promised, now)  # first: what ends has to end now
        await keep_pools(connections, installed, wishes_of(running, installed.currency, ready, now))


async def _stop(connections: Connections, shop: ShopDomain, off: Pool | Promise) -> None:
    """Stop the campaign whose discount was deactivated, by the merchant's word."""
    try:
        kept = await get_campaign(connections, shop, off.campaign_id)
    except NotFound:
        return
    if kept.status == "running":
        name = off.terms.title
        reason = wording(f"its discount “{name}” was deactivated in Shopify; start it again for a new one")
        await change_status(connections, shop, off.campaign_id, "stopped", reason)
        place = {"shop": shop, "campaign": off.campaign_id}
        _log.warning("a campaign was stopped: its discount was deactivated in Shopify", extra=place)


async def _served(connections: Connections, shop: str) -> list[Running]:
    """Return what the shop runs, also what the arms of its experiments make of that."""
    running = await running_campaigns(connections, shop)
    return served(running, await running_experiments(connections, shop))


async def _keep_promises(
    connections: Connections, shop: Shop, promises: Sequence[Promise], now: datetime
) -> None:
    try:
        while off := await keep_automatic(connections, shop, promises, now):
            for each in off:
                await _stop(connections, shop.shop, each)
            stopped = {each.campaign_id for each in off}
            promises = [each for each in promises if each.campaign_id not in stopped]
    except ShopifyRefused as error:  # nothing is promised that Shopify does not have
        _log.warning("discounts without a code not kept", extra={"shop": shop.shop, "reason": str(error)})


async def request_due_codes(connections: Connections) -> None:
    """Ask for the codes and discounts of every shop that has or needs some, and end grants that are over."""
    await end_grants(connections, datetime.now(UTC))
    for shop in await shops_to_look_at(connections, "coupons"):
        running = await _served(connections, shop.shop)
        pools = await pools_of(connections, shop.shop)
        going = any(pool.discount_id is not None for pool in pools)
        going = going or bool(await honoured_fingerprint(connections, shop.shop))
        if going or any(each.campaign.offer.discount for each in running):
            await request_job(connections, "coupons", shop.shop)


def wishes_of(running: Iterable[Running], currency: str, ready: int, now: datetime) -> list[PoolTarget]:
    """Return the pools that these campaigns need, each once. ready: codes in each. Pure."""
    wishes: dict[str, PoolTarget] = {}
    for campaign, _ in running:
        terms = coupon_terms(campaign, currency)
        if terms is None or ended(campaign, now):
            continue
        size = ready if campaign.caps.total is None else min(ready, campaign.caps.total)
        wish = PoolTarget(campaign.id, terms, size, PREFIX, campaign.schedule.ends_at)
        wishes.setdefault(wish.pool_id, wish)
    return list(wishes.values())


def promises_of(running: Iterable[Running], currency: str, now: datetime) -> list[Promise]:
    """Return what these campaigns give without a code. Pure."""
    going = (each.campaign for each in running if not ended(each.campaign, now))
    found = (promise_of(campaign, currency) for campaign in going)
    return [promise for promise in found if promise is not None]


def pool_size(settings: dict[str, Any]) -> int:
    """Return how many codes the shop keeps ready for a campaign. Pure."""
    wanted = settings.get("coupon_pool")
    return min(wanted, MOST_READY) if isinstance(wanted, int) and wanted > 0 else READY
