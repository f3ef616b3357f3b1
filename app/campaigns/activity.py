"""How each campaign does: how often it fires, on whom in vain, and what shoppers say of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.campaigns.log import decided
from app.campaigns.outcomes import bought_anyway
from app.connections import Connections
from app.intent.rates import Rate, rate
from app.tables import DecisionRow, FeedbackRow
from app.upsert import chunks, table_of

_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)


@dataclass(frozen=True, slots=True)
class Activity:
    """A campaign on the latest decisions. Rates have 95 % intervals, all of [0, 1] over none.

    activated: decisions that showed it, of all that weighed campaigns. bought_anyway: buyers among those
    it would have been shown to and was held back from, its false positives. accepted, dismissed: decisions
    whose shopper took it, or said "not for me", of those that showed it.
    """

    activated: Rate
    bought_anyway: Rate
    accepted: Rate
    dismissed: Rate


async def activity(connections: Connections, shop: str, now: datetime) -> dict[str, Activity]:
    """Return every campaign that the latest decisions came to. Without who may not be learnt from."""
    decisions, orders = await decided(connections, shop, now)
    shown: Counter[str] = Counter()
    met: set[str] = set()
    for each in decisions:
        names = {drawn.campaign_id for drawn in each.told.chosen}
        shown.update(names)
        met |= names | each.told.left_out.keys()
    said = await _said(connections, shop, [each.decision_id for each in decisions])
    return {
        name: Activity(
            activated=rate(shown[name], len(decisions)),
            bought_anyway=bought_anyway(decisions, orders, name, now.timestamp()),
            accepted=rate(min(len(said["accepted", name]), shown[name]), shown[name]),
            dismissed=rate(min(len(said["dismissed", name]), shown[name]), shown[name]),
        )
        for name in sorted(met)
    }


async def _said(connections: Connections, shop: str, ids: list[str]) -> dict[tuple[str, str], set[str]]:
    """Return the decisions whose offer of a campaign was accepted or dismissed, by both."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    async with connections.read() as db:
        for part in chunks(ids):
            query = (
                select(_FEEDBACK.c.kind, _FEEDBACK.c.offer_id, _DECISIONS.c.decision_id, _DECISIONS.c.answer)
                .join(
                    _DECISIONS,
                    (_DECISIONS.c.shop == _FEEDBACK.c.shop)
                    & (_DECISIONS.c.decision_id == _FEEDBACK.c.decision_id),
                )
                .where(_FEEDBACK.c.shop == shop, _FEEDBACK.c.decision_id.in_(part))
                .where(_FEEDBACK.c.kind.in_(("accepted", "dismissed")))
            )
            for kind, offer_id, decision_id, answer in await (await db.connection()).execute(query):
                for offer in answer.get("offers") or ():
                    if offer["offer_id"] == offer_id and offer.get("campaign"):
                        found[kind, offer["campaign"]].add(decision_id)
    return found
