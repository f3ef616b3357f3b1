"""Customers who were merged into another: one is deleted in Shopify, and the other has their orders.

Shopify tells of it only with a scope of its own; it is seen by whose the orders are. What the one refused
the other has refused, unless they answered later than that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select, update

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import GPC, Entry, standing
from app.consent.ledger import histories
from app.consent.policy import PURPOSES, Answers
from app.events.kinds import ConsentTold, OrderFacts
from app.events.log import EventLog
from app.tables import CustomerRow, OrderRow
from app.upsert import table_of

_CUSTOMERS, _ORDERS = table_of(CustomerRow), table_of(OrderRow)
_REFUSALS = dict.fromkeys(PURPOSES, False) | {GPC: True}
_NO_ANSWER: dict[str, bool | None] = {**dict.fromkeys(PURPOSES), GPC: False}


async def note_heir(connections: Connections, event: OrderFacts) -> None:
    """Write down of the customer whose the order was until now whose it is."""
    if event.customer_id is None:
        return
    orders, customers = _ORDERS.c, _CUSTOMERS.c
    before = select(orders.customer_id).where(
        orders.shop == event.shop, orders.order_id == event.order_id, orders.updated_at <= event.updated_at
    )
    which = (customers.shop == event.shop, customers.customer_id == before.scalar_subquery())
    await connections.execute(update(_CUSTOMERS).where(*which).values(heir_id=event.customer_id))


async def pass_on_refusals(connections: Connections, shop: str, customer_id: int) -> None:
    """Put into the log what a customer who is gone refused, as the word of whom they were merged into."""
    customers = _CUSTOMERS.c
    query = select(customers.heir_id).where(
        customers.shop == shop, customers.customer_id == customer_id, customers.deleted_at.is_not(None)
    )
    heir_id = await connections.scalar(query)
    if heir_id is None:
        return
    digests = await open_digests(connections)
    gone, heir = (digests.of(shop, "customer", each) for each in (customer_id, heir_id))
    said = await histories(connections, shop, [gone, heir])
    words = passed_on(said.get(gone, ()), said.get(heir, ()))
    await EventLog(connections.redis).append_unseen(
        [
            ConsentTold(
                shop=shop, event_id=f"{word.event_id}:merged:{gone}", happened_at=word.told_at,
                source=word.source, client_id=None, checkout_token=None, customer_id=heir_id,
                answers=_NO_ANSWER | {name: _REFUSALS[name] for name in refused}, permitted=(),
                withdrawn=tuple(name for name in PURPOSES if name in refused), region=word.region,
                policy_version=word.policy_version,
            )
            for word, refused in words
        ]
    )  # fmt: skip


def passed_on(gone: Sequence[Entry], heir: Sequence[Entry]) -> list[tuple[Entry, list[str]]]:
    """Return the words of who is gone that refuse what their heir has not, with what each refuses. Pure.

    gone, heir: what each said, as it was written down. Of a heir who answered later that answer stands.
    """
    refused: dict[str, list[str]] = defaultdict(list)
    words = {word.event_id: word for word in gone}
    stands, theirs = standing(gone) or Answers(), standing(heir) or Answers()
    for name, refusal in _REFUSALS.items():
        if getattr(stands, name) != refusal or getattr(theirs, name) == refusal:
            continue
        refusing = (word for word in gone if word.told.get(name) == refusal)
        last = max(refusing, key=lambda word: word.told_at, default=gone[-1])  # it may be past its limit
        later = [word for word in heir if word.told_at > last.told_at and word.told.get(name) is not None]
        if name == GPC or not later:  # a browser without that signal allows nothing by it
            refused[last.event_id].append(name)
    return [(words[event_id], names) for event_id, names in refused.items()]
