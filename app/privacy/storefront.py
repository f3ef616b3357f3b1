"""Clears storefront decisions of a withdrawn visit, which name their browser by a pseudonym only."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from app.columns import named_text
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.withdrawal import UNLINKED, bar_late_events, whole_visit
from app.events.kinds import ConsentTold
from app.experiments.assign import pseudonym
from app.tables import DecisionRow
from app.upsert import chunks, table_of

_DECISIONS = table_of(DecisionRow)


async def follow_withdrawal(connections: Connections, event: ConsentTold) -> None:
    """Take from the decisions of the visit's browsers, which its events name, what they were made from.

    From those that come late as well.
    """
    if "analytics" not in event.withdrawn:
        return
    visit = await whole_visit(connections, event.shop, event.client_id, event.checkout_token)
    unit = named_text(_DECISIONS.c.inputs, "unit")
    browsers = sorted(pseudonym(event.shop, f"client:{each}") for each in visit.clients)
    digests = await open_digests(connections)
    subjects = [digests.of(event.shop, "browser", each) for each in browsers]
    # The moment before, as with the visit's other events.
    await bar_late_events(connections, event.shop, subjects, event.happened_at - timedelta(microseconds=1))
    for part in chunks(browsers):
        theirs = update(_DECISIONS).where(_DECISIONS.c.shop == event.shop, unit.in_(part))
        await connections.execute(theirs.values(**UNLINKED))
