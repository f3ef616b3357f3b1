"""What a browser was offered in the storefront goes with its visit.

There is no checkout there yet: such a decision knows its browser by another name, and is looked for in the
hours around what that browser did. Through all of a shop's decisions would take too long for each refusal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update

from app.connections import Connections
from app.consent.withdrawal import UNLINKED, whole_visit
from app.events.kinds import ConsentTold
from app.experiments.assign import pseudonym
from app.tables import DecisionRow, EventRow
from app.upsert import chunks, table_of

_EVENTS, _DECISIONS = table_of(EventRow).c, table_of(DecisionRow)
_AROUND = timedelta(hours=1)
_AT_ONCE = 20  # spells in one statement

Spell = tuple[datetime, datetime]


async def follow_withdrawal(connections: Connections, event: ConsentTold) -> None:
    """Take from the decisions of a visit taken back what they were made from: its events lead to them."""
    if "analytics" not in event.withdrawn:
        return
    visit = await whole_visit(connections, event.shop, event.client_id, event.checkout_token)
    if not visit.clients:
        return
    names = sorted(pseudonym(event.shop, f"client:{each}") for each in visit.clients)
    columns = _DECISIONS.c
    for part in chunks(spells(await _seen_at(connections, event.shop, visit.clients)), _AT_ONCE):
        made = or_(*(and_(columns.decided_at >= began, columns.decided_at <= ended) for began, ended in part))
        of_browser = columns.inputs["unit"].as_string().in_(names)
        async with connections.write() as db:
            theirs = (columns.shop == event.shop, made, of_browser)
            await (await db.connection()).execute(update(_DECISIONS).where(*theirs).values(**UNLINKED))


def spells(times: Iterable[datetime]) -> list[Spell]:
    """Return the times with an hour on either side, joined where they meet. Pure."""
    found: list[Spell] = []
    for at in sorted(times):
        began = at - _AROUND
        if found and began <= found[-1][1]:
            began = found.pop()[0]
        found.append((began, at + _AROUND))
    return found


async def _seen_at(connections: Connections, shop: str, clients: Collection[str]) -> list[datetime]:
    """Return when it was written down what the browsers did, by our clock as decisions are."""
    found: list[datetime] = []
    async with connections.read() as db:
        for part in chunks(sorted(clients)):
            query = select(_EVENTS.recorded_at).where(_EVENTS.shop == shop, _EVENTS.client_id.in_(part))
            found += await (await db.connection()).scalars(query.distinct())
    return found
