"""Each campaign's activity in a window: how often it fires, false positives, acceptances, dismissals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.campaigns.feedback import CampaignFeedback, feedback_of
from app.campaigns.outcomes import CampaignDecision, LoggedCampaigns, Ordered, bought_anyway
from app.campaigns.reasons import WITHHELD
from app.connections import Connections
from app.events.surfaces import AFTER_THE_ORDER
from app.experiments.assign import PERSONALISED
from app.intent.rates import Rate, rate
from app.intent.store import who_may_not_teach
from app.tables import DecisionRow, OrderRow
from app.upsert import chunks, table_of

# A page is to open at once. Beyond so many the window begins later, and says so.
MOST_DECISIONS = 20_000
_DECISIONS, _ORDERS = table_of(DecisionRow), table_of(OrderRow)


@dataclass(frozen=True, slots=True)
class CampaignActivity:
    """What a campaign did. Rates are of different shoppers, with 95 % intervals.

    fired: those it was shown to, of all of whom campaigns were weighed. accepted, dismissed: of those it
    was shown to, who took it, who said that it is not for them. anyway: of those who matched and were held
    back by chance, who bought all the same: its false positives.
    """

    fired: Rate
    accepted: Rate
    dismissed: Rate
    anyway: Rate


@dataclass(frozen=True, slots=True)
class Activity:
    """What the campaigns of a shop did since then. whole: whether all decisions of the window were read."""

    since: datetime
    whole: bool
    done: Mapping[str, CampaignActivity]


async def activity(
    connections: Connections, shop: str, campaign_ids: Collection[str], since: datetime, now: datetime
) -> Activity:
    """Return what each of the campaigns did since then, or since the oldest decision that was read."""
    if not campaign_ids:
        return Activity(since, True, {})
    async with connections.read() as db:
        found = await _decided(db, shop, since)
    begun = since if len(found) < MOST_DECISIONS else min(at for at, _, _ in found)
    weighed = [(customer_id, each) for _, customer_id, each in found if each is not None]
    refuse = await who_may_not_teach(connections, shop, {customer_id for customer_id, _ in weighed})
    teaching = [each for customer_id, each in weighed if customer_id not in refuse]
    async with connections.read() as db:
        orders = await _orders(db, shop, {each.who for each in teaching if _held_back(each)})
    whose = _whose([each for _, each in weighed])
    shown = _shown((each for _, each in weighed), whose)
    spoken = {name for whom in shown.values() for seen in whom.values() for name in seen}
    said = _by_campaign(await feedback_of(connections, shop, spoken))
    shoppers = len(set(whose.values()))
    done = {
        name: _done(
            shown.get(name, {}),
            said,
            name,
            shoppers,
            bought_anyway(teaching, orders, name, now.timestamp()),
        )
        for name in campaign_ids
    }
    return Activity(begun, len(found) < MOST_DECISIONS, done)


def _done(
    whom: Mapping[str, set[str]], said: Mapping[tuple[str, str], set[str]], name: str, shoppers: int,
    anyway: Rate,
) -> CampaignActivity:  # fmt: skip
    took, sent_away = (
        sum(1 for seen in whom.values() if seen & said.get((word, name), set()))
        for word in ("accepted", "dismissed")
    )
    count = len(whom)
    return CampaignActivity(rate(count, shoppers), rate(took, count), rate(sent_away, count), anyway)


def _by_campaign(said: Iterable[CampaignFeedback]) -> dict[tuple[str, str], set[str]]:
    """Return the decisions of whose offer it was said, by word and campaign."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in said:
        found[each.word, each.campaign_id].add(each.decision_id)
    return found


def _whose(decisions: Collection[CampaignDecision]) -> dict[str, str]:
    """Return the shopper of each decision. Who signs in halfway is the same one under both names."""
    names: dict[str, str] = {}
    whose: dict[str, str] = {}
    for each in sorted(decisions, key=lambda each: (each.at, each.decision_id)):
        unit = each.told.unit or each.who
        shopper = names.get(each.who) or names.get(unit) or each.who
        names[each.who] = names[unit] = whose[each.decision_id] = shopper
    return whose


def _shown(decisions: Iterable[CampaignDecision], whose: Mapping[str, str]) -> dict[str, dict[str, set[str]]]:
    """Return, by campaign and shopper, the decisions that showed it to them."""
    shown: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in decisions:
        for drawn in each.told.chosen:
            shown[drawn.campaign_id][whose[each.decision_id]].add(each.decision_id)
    return shown


def _held_back(decided: CampaignDecision) -> bool:
    return WITHHELD in decided.told.left_out.values()


async def _decided(
    db: AsyncSession, shop: str, since: datetime
) -> list[tuple[datetime, int | None, CampaignDecision | None]]:
    """Return the latest decisions, with the time and the customer; None of one that weighed no campaign.

    Who allows nothing is somebody else each time.
    """
    columns, told = _DECISIONS.c, ("situation", "campaigns")
    query = (
        select(columns.decision_id, columns.decided_at, columns.checkout_token, columns.customer_id)
        .add_columns(columns.surface)
        .add_columns(columns.inputs[(*told, "chosen")].label("chosen"))
        .add_columns(columns.inputs[(*told, "left_out")].label("left_out"))
        .add_columns(columns.inputs[(*told, "inputs", "at")].label("weighed_at"))
        .add_columns(columns.inputs["unit"].as_string().label("unit"))
        .where(columns.shop == shop, columns.decided_at > since, columns.arm == PERSONALISED)
        .order_by(columns.decided_at.desc(), columns.decision_id)
        .limit(MOST_DECISIONS)
    )
    rows = (await (await db.connection()).execute(query)).all()
    return [(row.decided_at, row.customer_id, _weighed(row)) for row in rows]


def _weighed(row: Any) -> CampaignDecision | None:
    """Return what a decision says of its campaigns, None of one without or of another layout."""
    try:
        known = {"chosen": row.chosen or (), "left_out": row.left_out or {}, "unit": row.unit}
        told = msgspec.convert(known, LoggedCampaigns)
    except msgspec.ValidationError:
        return None
    if row.weighed_at is None and not (told.chosen or told.left_out):
        return None
    untold = row.checkout_token is None or row.surface in AFTER_THE_ORDER
    who = row.checkout_token or row.decision_id
    return CampaignDecision(row.decision_id, row.decided_at.timestamp(), who, told, untold)


async def _orders(db: AsyncSession, shop: str, tokens: Collection[str]) -> dict[str, list[Ordered]]:
    orders: dict[str, list[Ordered]] = defaultdict(list)
    for part in chunks(sorted(tokens)):
        query = (
            select(_ORDERS.c.checkout_token, _ORDERS.c.created_at)
            .where(_ORDERS.c.shop == shop, _ORDERS.c.checkout_token.in_(part))
            .where(_ORDERS.c.cancelled_at.is_(None))
            .order_by(_ORDERS.c.created_at)
        )
        for token, at in await (await db.connection()).execute(query):
            orders[token].append(Ordered(at.timestamp(), 0))
    return orders
