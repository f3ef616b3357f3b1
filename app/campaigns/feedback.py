"""Reads shoppers' feedback on campaigns' offers from the log: accepted, or dismissed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import select

from app.campaigns.choice import Word
from app.campaigns.outcomes import CampaignDecision, Feedback
from app.connections import Connections
from app.tables import DecisionRow, FeedbackRow
from app.upsert import chunks, table_of

_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)


class CampaignFeedback(NamedTuple):
    """One word about a campaign's offer in a decision. at: epoch seconds, by the shopper's clock."""

    decision_id: str
    campaign_id: str
    word: Word
    at: float


async def feedback_of(
    connections: Connections, shop: str, decision_ids: Iterable[str]
) -> list[CampaignFeedback]:
    """Return what was said of the campaigns' offers in these decisions."""
    found = []
    joined = (_DECISIONS.c.shop == _FEEDBACK.c.shop) & (_DECISIONS.c.decision_id == _FEEDBACK.c.decision_id)
    columns = (_FEEDBACK.c.decision_id, _FEEDBACK.c.kind, _FEEDBACK.c.happened_at, _FEEDBACK.c.offer_id)
    query = select(*columns, _DECISIONS.c.answer[("offers",)].label("offers")).join(_DECISIONS, joined)
    query = query.where(_FEEDBACK.c.shop == shop, _FEEDBACK.c.kind.in_(("accepted", "dismissed")))
    async with connections.read() as db:
        connection = await db.connection()
        for part in chunks(sorted(decision_ids)):
            asked = query.where(_FEEDBACK.c.decision_id.in_(part))
            for decision_id, word, at, offer_id, offers in await connection.execute(asked):
                if name := campaign_of(offers, offer_id):
                    found.append(CampaignFeedback(decision_id, name, word, at.timestamp()))
    return found


async def feedback_by_checkout(
    connections: Connections, shop: str, decisions: Iterable[CampaignDecision]
) -> dict[tuple[str, str], list[Feedback]]:
    """Return what each checkout's shopper said of each campaign."""
    who = {each.decision_id: each.who for each in decisions}
    words: dict[tuple[str, str], list[Feedback]] = defaultdict(list)
    for each in await feedback_of(connections, shop, who):
        words[who[each.decision_id], each.campaign_id].append(Feedback(each.word, each.at))
    return words


def campaign_of(offers: Any, offer_id: str) -> str | None:
    """Return the campaign of an answer's offer, None for one of the ranking's or of another layout. Pure."""
    shown = [each for each in offers or () if isinstance(each, dict) and each.get("offer_id") == offer_id]
    return next((each["campaign"] for each in shown if each.get("campaign")), None)
