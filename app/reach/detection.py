"""The worker's look at who went silent, and at what came of those who did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from app.connections import Connections
from app.consent.barred import look_and_write
from app.consent.withdrawal import whole_visit
from app.events.kinds import ConsentTold
from app.reach.abandonment import CLOCKS_DIFFER, Silence, SilenceThresholds, checkout_silence
from app.reach.store import (
    FOLLOWED,
    Abandonment,
    forget_abandonments,
    happened_in,
    keep_silences,
    left_that_came_back,
    left_that_ordered,
    ordered_since,
    resolve,
    silent_checkouts,
    unname,
)
from app.upsert import chunks

_RETURNS_WATCHED = timedelta(days=2)


async def find_abandoned(
    connections: Connections, shop: str, wait: SilenceThresholds, now: datetime
) -> list[str]:
    """Return the ids of the checkouts that are abandoned since the last look. now: our clock."""
    found: list[str] = []
    for tokens in chunks(await silent_checkouts(connections, shop, now, wait.shortest)):
        async with look_and_write(connections, shop, "reach"):
            silences = await _silences(connections, shop, tokens, wait, now)
            found += await keep_silences(connections, shop, silences, now)
    return found


async def resolve_abandoned(connections: Connections, shop: str, now: datetime) -> None:
    """Write down which of the abandoned were ordered after all, and whose shopper came back."""
    ordered = await left_that_ordered(connections, shop, now - FOLLOWED)
    back = await left_that_came_back(connections, shop, now - _RETURNS_WATCHED)
    await resolve(connections, shop, dict.fromkeys(back, "returned") | dict.fromkeys(ordered, "ordered"), now)


async def who_ordered(connections: Connections, shop: str, among: Iterable[Abandonment]) -> set[str]:
    """Return the ids of those whose checkout became an order, or whose customer ordered since it began."""
    known = list(among)
    customers: dict[int, datetime] = {}
    for each in known:
        if each.customer_id is not None:
            began = each.began_at - CLOCKS_DIFFER
            customers[each.customer_id] = min(began, customers.get(each.customer_id, began))
    tokens = {each.checkout_token for each in known if each.checkout_token}
    placed, bought = await ordered_since(connections, shop, tokens, customers)
    return {
        each.abandonment_id for each in known if each.checkout_token in placed or each.customer_id in bought
    }


async def follow_withdrawal(connections: Connections, event: ConsentTold) -> None:
    """Forget a person's abandonments when they withdraw the consent that these rest on."""
    if "analytics" in event.withdrawn:
        visit = await whole_visit(connections, event.shop, event.client_id, event.checkout_token)
        await forget_abandonments(connections, event.shop, visit.checkouts, visit.clients)
    if "marketing" in event.withdrawn and event.customer_id is not None:
        await unname(connections, event.shop, event.customer_id)


async def _silences(
    connections: Connections, shop: str, tokens: Sequence[str], wait: SilenceThresholds, now: datetime
) -> dict[str, Silence]:
    events = await happened_in(connections, shop, tokens, now)
    judged = {token: checkout_silence(told) for token, told in events.items()}
    over = {token: each for token, each in judged.items() if each is not None and each.is_over(wait, now)}
    began = {
        each.customer_id: each.began_at - CLOCKS_DIFFER
        for each in over.values()
        if each.customer_id is not None
    }
    placed, bought = await ordered_since(connections, shop, set(over), began)
    return {
        token: each for token, each in over.items() if token not in placed and each.customer_id not in bought
    }
