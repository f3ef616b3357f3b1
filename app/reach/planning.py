"""What is to be written to who left: which campaign gives them something, by which ways, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.campaigns.campaign import Campaign
from app.campaigns.plan import Plan
from app.campaigns.reasons import WITHHELD
from app.campaigns.shopper_history import CampaignHistory, unpack
from app.campaigns.store import running_campaigns
from app.catalog.catalog import Catalog
from app.catalog.store import load_catalog
from app.connections import Connections
from app.consent.policy import permissions, settle
from app.consent.standings import standings_of
from app.experiments.assign import HOLDOUT
from app.profiles.keys import nudged_key
from app.profiles.store import kept_profile
from app.reach.campaign_choice import TRIGGER, Leaver, plan_to_write, weighed_for
from app.reach.message_store import PlannedMessage, plan_messages, times_in_all, times_told, was_written_to
from app.reach.settings import Reach, Way
from app.reach.store import Abandonment, abandonments_of
from app.shops.store import Shop
from app.tables import DecisionRow
from app.upsert import chunks, table_of

HELD_OUT = "held out: sees nothing of the app"
_DECISIONS = table_of(DecisionRow)
_LIFE = timedelta(hours=24)  # after it is due: later nobody knows any more what it is about


@dataclass(frozen=True, slots=True)
class _Offering:
    """What campaigns are weighed by, read once for all who left. spent: campaigns at their total."""

    plan: Plan
    catalog: Catalog
    spent: tuple[str, ...]


async def plan_for(
    connections: Connections, shop: Shop, reach: Reach, ids: Sequence[str], now: datetime
) -> list[PlannedMessage]:
    """Return the messages that are to be sent to those of these who left a checkout and may be written to."""
    ways = open_ways(connections, reach)
    found = await abandonments_of(connections, shop.shop, ids) if ways else []
    # Of several that one customer left, the last one.
    found = sorted(found, key=lambda each: each.last_at)
    named = {each.customer_id: each for each in found if each.lines}
    named.pop(None, None)
    since = now - timedelta(seconds=reach.rest_s)
    planned: list[PlannedMessage] = []
    offering = await _offering(connections, shop) if named else None
    held_out = await _held_out(connections, shop.shop, {each.checkout_token for each in named.values()})
    for customer_id, each in named.items():
        assert customer_id is not None
        mine = (customer_id, since, each.abandonment_id)
        if await was_written_to(connections, shop.shop, *mine, or_will_be=True):
            continue
        if each.checkout_token in held_out:
            planned += _messages(each, ways, customer_id, None, now, HELD_OUT)
            continue
        planned += await _planned(connections, offering, reach, ways, each, customer_id, now)
    await plan_messages(connections, shop.shop, planned, now)
    return planned


def open_ways(connections: Connections, reach: Reach) -> tuple[Way, ...]:
    """Return the ways that are switched on and lead anywhere."""
    return tuple(way for way in reach.ways if way != "mail" or connections.settings.smtp is not None)


async def _planned(
    connections: Connections, offering: _Offering | None, reach: Reach, ways: Sequence[Way],
    left: Abandonment, customer_id: int, now: datetime,
) -> list[PlannedMessage]:  # fmt: skip
    campaign, withheld = await _campaign(connections, offering, left, customer_id, now)
    if campaign is None and withheld is None and not reach.remind:
        return []
    delay_s = campaign.delay_s if campaign is not None and campaign.delay_s else reach.delay_s
    due_at = now + timedelta(seconds=delay_s)
    name = campaign.id if campaign is not None else withheld
    return _messages(left, ways, customer_id, name, due_at, "" if withheld is None else WITHHELD)


def _messages(
    left: Abandonment, ways: Sequence[Way], customer_id: int, name: str | None, due_at: datetime, why_not: str
) -> list[PlannedMessage]:
    """Return a message for each way. why_not: what keeps them from being sent, empty where nothing does."""
    status, ends_at = "dropped" if why_not else "waiting", due_at + _LIFE
    return [
        PlannedMessage(left.abandonment_id, way, customer_id, name, due_at, ends_at, status, why_not)
        for way in ways
    ]


async def _held_out(connections: Connections, shop: str, tokens: Collection[str | None]) -> set[str]:
    """Return the checkouts whose first decision was of the holdout: a letter is something to see."""
    columns, first = _DECISIONS.c, dict[str, str]()
    async with connections.read() as db:
        for part in chunks(sorted(filter(None, tokens))):
            query = (
                select(columns.checkout_token, columns.arm)
                .where(columns.shop == shop, columns.checkout_token.in_(part))
                .order_by(columns.decided_at, columns.decision_id)
            )
            for token, arm in await (await db.connection()).execute(query):
                first.setdefault(token, arm)
    return {token for token, arm in first.items() if arm == HOLDOUT}


async def _offering(connections: Connections, shop: Shop) -> _Offering | None:
    """Return what the shop's campaigns for who left are weighed by, None without any."""
    running = await running_campaigns(connections, shop.shop)
    if not any(each.campaign.trigger == TRIGGER for each in running):
        return None
    catalog = await load_catalog(connections, shop.shop)
    plan = plan_to_write(shop, running, catalog)
    if plan is None:
        return None
    in_all = await times_in_all(connections, shop.shop)
    caps = {each.id: each.campaign.caps.total for each in plan.planned}
    spent = tuple(name for name, most in caps.items() if most is not None and in_all.get(name, 0) >= most)
    return _Offering(plan, catalog, spent)


async def _campaign(
    connections: Connections, offering: _Offering | None, left: Abandonment, customer_id: int, now: datetime
) -> tuple[Campaign | None, str | None]:
    """Return the campaign that writes, else the one whose holdout the customer is in."""
    if offering is None:
        return None, None
    plan, shop = offering.plan, offering.plan.shop
    told = await times_told(connections, shop, customer_id)
    leaver = await leaver_of(connections, shop, customer_id, told)
    leaver = replace(leaver, shown=await _shown(connections, shop, leaver))
    weighed = weighed_for(plan, left, leaver, offering.catalog, offering.spent, now)
    if weighed.chosen:
        return plan.by_id[weighed.chosen[0].campaign_id].campaign, None
    return None, next(iter(sorted(weighed.withheld)), None)


async def _shown(connections: Connections, shop: str, leaver: Leaver) -> Mapping[str, CampaignHistory]:
    """Return what checkouts showed the customer: a code from there is one of those they may have."""
    if not leaver.may.may_use_profile:
        return {}
    value: Any = await connections.redis.get(nudged_key(shop, f"customer:{leaver.customer_id}"))
    return unpack(value).fired


async def leaver_of(connections: Connections, shop: str, customer_id: int, told: dict[str, int]) -> Leaver:
    """Return who left, as far as their own last answers allow it. told: how often each campaign wrote."""
    standing = (await standings_of(connections, shop, [customer_id]))[customer_id]
    allowed = permissions(settle(standing.answers))
    profile = await kept_profile(connections, shop, customer_id) if allowed.may_use_profile else None
    return Leaver(customer_id, allowed, profile, told)
