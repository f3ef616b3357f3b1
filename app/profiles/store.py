"""Profiles in Redis: one value a customer, one a visit, worked out anew from the database.

The database is the truth: what is written here follows from it and from nothing else, so that
repeats, late deliveries and crashes change nothing. All reads of a checkout's are in decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from app.connections import Connections
from app.consent.barred import erased_since, look_and_write
from app.consent.digests import open_digests
from app.consent.policy import Answers, consent_of, permissions
from app.consent.standings import profile_basis
from app.consent.told import told_key
from app.consent.told import unpack as unpack_told
from app.events.kinds import (
    BrowserEvent,
    ConsentTold,
    CustomerChanged,
    CustomerDeleted,
    OrderDeleted,
    OrderFacts,
    RefundCreated,
)
from app.orders.store import record_order, record_orders
from app.profiles.customer import NOBODY, Profile
from app.profiles.customer_profiles import CustomerConsent, make_profiles
from app.profiles.history import (
    checkouts_of,
    customers_of_orders,
    next_profiled,
    seen_at,
    seen_of,
)
from app.profiles.keys import checkout_key, client_key, customer_key, granted_key, nudged_key
from app.profiles.merging import note_heir, pass_on_refusals
from app.profiles.names import Names
from app.profiles.packed import pack, unpack_profile
from app.profiles.segments import CustomerSegments, keep_segments
from app.profiles.visit import BrowsedEvent, visit_of
from app.upsert import chunks, each_once
from app.values import ShopDomain

VISIT_TTL_S = 24 * 3600
_BATCH = 200
_REFRESHED = 50  # customers at once: a word of one of them meanwhile makes all of them anew


async def keep_orders(connections: Connections, events: Sequence[OrderFacts]) -> None:
    """Keep the orders, those together that stay whose they are.

    An order is the merchant's own record; whether it may choose an offer is asked when one is made.
    """
    for part in each_once(events, _order):
        async with connections.read() as db:
            before = await customers_of_orders(db, map(_order, part))
        moved = {_order(each) for each in part if before.get(_order(each)) not in (None, each.customer_id)}
        stays = [each for each in part if _order(each) not in moved]
        if stays:
            await record_orders(connections, stays)
        for each in part:
            if _order(each) in moved:
                await _hand_over(connections, each, before[_order(each)])


def _order(event: OrderFacts) -> tuple[str, int]:
    return event.shop, event.order_id


async def _hand_over(connections: Connections, event: OrderFacts, other: int) -> None:
    """Keep an order that is another's now, and let the profile follow of whose it was until now, `other`."""
    # Also ahead: once it is another's, the next attempt of a worker that died would not know of them.
    await note_heir(connections, event)
    await pass_on_refusals(connections, event.shop, other)
    await refresh_customers(connections, event.shop, [other], besides=event.order_id)
    await record_order(connections, event)
    await refresh_customers(connections, event.shop, [other])


async def follow_customers(
    connections: Connections, events: Sequence[OrderFacts | CustomerChanged | ConsentTold]
) -> None:
    """Let the profiles follow of whose the orders are, of whom Shopify counts some, and who allows one."""
    shops: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.customer_id is not None and await _has_profile(connections, event):
            shops[event.shop].add(event.customer_id)
    for shop, customers in shops.items():
        for some in chunks(sorted(customers), _REFRESHED):
            await refresh_customers(connections, shop, some)


async def _has_profile(connections: Connections, event: OrderFacts | CustomerChanged | ConsentTold) -> bool:
    """Return whether there is a profile to follow: not of who placed none, but for one that counts some."""
    if not isinstance(event, CustomerChanged) or event.orders_count:
        return True
    if event.orders_count is None:
        return False
    return (await kept_profile(connections, event.shop, event.customer_id)).orders_before > 0


async def remember_refund(connections: Connections, event: RefundCreated | OrderDeleted) -> None:
    """Let the profile of the order's customer follow what was given back, or that the order is gone."""
    async with connections.read() as db:
        customers = await customers_of_orders(db, [(event.shop, event.order_id)])
    await refresh_customers(connections, event.shop, list(customers.values()))


async def remember_browsing(connections: Connections, events: Sequence[BrowserEvent]) -> None:
    """Let the visits follow what was done in them, of visitors who allowed that; kept for a day.

    Never a customer's profile: nobody has proven the customer id that a browser sends.
    """
    checkouts: dict[tuple[str, str | None, str | None], set[str]] = defaultdict(set)
    for event in events:
        if permissions(consent_of(event.permitted)).may_store_visitor:
            client_id, token = event.client_id or None, event.checkout_token
            own = {token} if token is not None else set()
            checkouts[event.shop, client_id, None if client_id else token] |= own
    for (shop, client_id, _), own in checkouts.items():
        await _remember_visit(connections, shop, client_id, own)


async def _remember_visit(connections: Connections, shop: str, client_id: str | None, own: set[str]) -> None:
    """Let a browser's visit follow, and those of its checkouts. own: checkouts that are told of just now."""
    digests, since = await open_digests(connections), datetime.now(UTC) - timedelta(seconds=VISIT_TTL_S)
    checkouts = await _checkouts(connections, shop, client_id, own, since)
    names = [Names(None, client_id), *(Names(checkout_token=token) for token in checkouts)]
    subjects = [subject for each in names for subject in each.subjects(digests, shop).values()]
    told = [told_key(shop, subject) for subject in subjects]
    kept = [client_key(shop, client_id)] if client_id else []
    kept += [checkout_key(shop, token) for token in checkouts]

    async def attempt(pipe: Any) -> None:
        answers = [unpack_told(value) for value in await pipe.mget(told)]
        visits = await _visits(connections, shop, client_id, checkouts, since)
        pipe.multi()
        if any(each is not None and each.analytics is False for each in answers):
            return  # taken back meanwhile
        for key, seen in visits.items():
            if seen:
                pipe.set(key, pack(visit_of(seen)), ex=VISIT_TTL_S)
            else:  # erased meanwhile
                pipe.delete(key)

    if told:  # another worker may have events of the same visit in hand
        await connections.redis.transaction(attempt, *told, *kept)


async def _checkouts(
    connections: Connections, shop: str, client_id: str | None, own: set[str], since: datetime
) -> list[str]:
    """Return the checkouts of the visit: what comes late may belong to one before its own."""
    if not client_id:
        return sorted(own)
    async with connections.read() as db:
        return sorted({*own, *await checkouts_of(db, shop, client_id, since)})


async def _visits(
    connections: Connections, shop: str, client_id: str | None, checkouts: Sequence[str], since: datetime
) -> dict[str, list[BrowsedEvent]]:
    """Return what was done in the visit, by the keys it is kept under."""
    seen: dict[str, list[BrowsedEvent]] = {}
    async with connections.read() as db:
        if client_id:
            seen[client_key(shop, client_id)] = await seen_of(db, shop, client_id, since)
        for token in checkouts:
            # A checkout extension knows its checkout only, so the checkout holds what the browser did.
            seen[checkout_key(shop, token)] = await seen_at(db, shop, token, since)
    return seen


async def refresh_customers(
    connections: Connections, shop: str, customer_ids: Collection[int], besides: int | None = None
) -> None:
    """Make the customers' profiles and segments anew from what they did, as far as each may have any.

    besides: an order of theirs that does not count, as it is about to be somebody else's.

    What they answered last is read and watched with the profile, so that a word in between counts.
    """
    if not customer_ids:
        return
    began = datetime.now(UTC)
    digests, basis = await open_digests(connections), await profile_basis(connections, shop)
    keys = {each: customer_key(shop, each) for each in customer_ids}
    told = {each: told_key(shop, digests.of(shop, "customer", each)) for each in customer_ids}
    placed: dict[int, CustomerSegments | None] = {}

    async def attempt(pipe: Any) -> None:
        values = await pipe.mget([*keys.values(), *told.values()])
        held, answers = values[: len(keys)], map(unpack_told, values[len(keys) :])
        wishes = {
            who: CustomerConsent(said or Answers(), unpack_profile(before).refused)
            for who, before, said in zip(keys, held, answers, strict=True)
        }
        made = await make_profiles(connections, shop, wishes, basis, besides)
        pipe.multi()
        for who, before in zip(keys, held, strict=True):
            profile, placed[who] = made[who]
            if profile == NOBODY:
                pipe.delete(keys[who])
            elif (packed := pack(profile)) != before:
                pipe.set(keys[who], packed)

    await connections.redis.transaction(attempt, *keys.values(), *told.values())
    placed |= dict.fromkeys(await erased_since(connections, shop, placed, began))
    await keep_segments(connections, shop, placed, datetime.now(UTC))


async def kept_profile(connections: Connections, shop: str, customer_id: int) -> Profile:
    """Return the customer's profile as it is kept: an empty one of who may have none."""
    packed: Any = await connections.redis.get(customer_key(shop, customer_id))
    return unpack_profile(packed)


async def rebuild(connections: Connections, shop: ShopDomain) -> int:
    """Return how many customers' profiles were made anew from the orders in the database."""
    customers, after = 0, 0
    while batch := await _next(connections, shop, after):
        async with look_and_write(connections, shop, "profiles"):
            await refresh_customers(connections, shop, batch)
        customers, after = customers + len(batch), batch[-1]
    return customers


async def forget_customer(connections: Connections, event: CustomerDeleted) -> None:
    """Erase the profile of a customer who is gone, and what segments they are in.

    What they refused, whoever has their orders now has refused.
    """
    await forget(connections, ShopDomain(event.shop), customer_id=event.customer_id)
    await keep_segments(connections, event.shop, {event.customer_id: None}, datetime.now(UTC))
    await pass_on_refusals(connections, event.shop, event.customer_id)


async def forget(
    connections: Connections,
    shop: ShopDomain,
    *,
    customer_id: int | None = None,
    client_id: str | None = None,
    checkout_tokens: Iterable[str] = (),
) -> int:
    """Return how many profiles and memories of campaigns there were under these names; none are now."""
    keys: list[str] = []
    for token in checkout_tokens:
        keys += [checkout_key(shop, token), *_shown_keys(shop, f"checkout:{token}")]
    if customer_id is not None:
        keys += [customer_key(shop, customer_id), *_shown_keys(shop, f"customer:{customer_id}")]
    if client_id is not None:
        keys += [client_key(shop, client_id), *_shown_keys(shop, f"client:{client_id}")]
    return int(await connections.redis.delete(*keys)) if keys else 0


async def forget_shown(
    connections: Connections, shop: str, customer_id: int, checkout_token: str | None
) -> None:
    """Forget what campaigns showed a customer; a code they hold stays good, and nobody knows of it here."""
    units = [f"customer:{customer_id}", *([f"checkout:{checkout_token}"] if checkout_token else [])]
    await connections.redis.delete(*chain.from_iterable(_shown_keys(shop, unit) for unit in units))


def _shown_keys(shop: str, unit: str) -> tuple[str, str]:
    return nudged_key(shop, unit), granted_key(shop, unit)


async def _next(connections: Connections, shop: str, after: int) -> list[int]:
    async with connections.read() as db:
        return await next_profiled(db, shop, after, _BATCH)
