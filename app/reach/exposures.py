"""Reads exposures, holdouts and orders of campaigns for abandoned checkouts, for their guardrails.

A message that was not sent, because its customer had ordered before it was due, counts as one of those
written to: who is held back may have ordered by then as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from app.campaigns.guardrail_facts import OrderOutcome, first_order, placed_by
from app.campaigns.guardrails import ORDERS_WITHIN_S, Exposure, Units, units_of
from app.campaigns.reasons import WITHHELD
from app.connections import Connections
from app.intent.store import who_may_not_teach
from app.reach_tables import AbandonmentRow, ReachMessageRow
from app.upsert import table_of

_MESSAGES, _ABANDONED = table_of(ReachMessageRow), table_of(AbandonmentRow)


class _Met(NamedTuple):
    """A campaign's first word to a customer, or none by chance. at: when it was found that they had left."""

    campaign_id: str
    customer_id: int
    at: datetime
    shown: bool


async def watched_left(
    connections: Connections, shop: str, since: Mapping[str, datetime]
) -> dict[str, Units]:
    """Return the customers of each campaign. since: by campaign, what came before is of another one.

    Without those who may not be learnt from.
    """
    if not since:
        return {}
    met = await _met(connections, shop, since)
    refuse = await who_may_not_teach(connections, shop, {each.customer_id for each in met})
    met = [each for each in met if each.customer_id not in refuse]
    placed = await placed_by(connections, shop, "customer_id", {each.customer_id for each in met})
    return {
        campaign_id: units_of(
            (str(each.customer_id), _exposed(each, placed.get(each.customer_id, ())))
            for each in met
            if each.campaign_id == campaign_id
        )
        for campaign_id in since
    }


def _exposed(met: _Met, placed: Iterable[OrderOutcome]) -> Exposure:
    order = first_order(placed, met.at, ORDERS_WITHIN_S)
    back = order is not None and order.given_back
    return Exposure(met.shown, met.at.timestamp(), ordered=order is not None, given_back=back)


async def _met(connections: Connections, shop: str, since: Mapping[str, datetime]) -> list[_Met]:
    joined = (_ABANDONED.c.shop == _MESSAGES.c.shop) & (
        _ABANDONED.c.abandonment_id == _MESSAGES.c.abandonment_id
    )
    query = (
        select(_MESSAGES.c.campaign_id, _MESSAGES.c.customer_id, _ABANDONED.c.abandoned_at)
        .add_columns(_MESSAGES.c.reason != WITHHELD)
        .join(_ABANDONED, joined)
        .where(_MESSAGES.c.shop == shop, _MESSAGES.c.campaign_id.in_(sorted(since)))
        .where(_ABANDONED.c.abandoned_at >= min(since.values()))
    )
    found = [_Met(*row) for row in await connections.rows(query)]
    return [each for each in found if each.at >= since[each.campaign_id]]
