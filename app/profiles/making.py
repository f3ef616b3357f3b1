"""Customers' profiles and segments, made from the database: the one way there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections
from app.profiles.behaving import behaviours, seen_of_customers, window_begins
from app.profiles.customer import PlacedOrder, Profile, profile_of, purchase
from app.profiles.history import orders_of
from app.profiles.purchases import Purchase
from app.profiles.segments import Segmented, current_segmentation, segmented, words_of
from app.shops.store import get_shop

_REMEMBERED_S = 15.0
_currencies: WeakKeyDictionary[AsyncEngine, dict[str, tuple[float, str]]] = WeakKeyDictionary()


async def make_profiles(
    connections: Connections, shop: str, customer_ids: Collection[int]
) -> dict[int, tuple[Profile, Segmented | None]]:
    """Return each customer's profile and segments; no segments before the shop's first are trained.

    Whether they may be kept is for the caller to ask.
    """
    currency, now = await shop_currency(connections, shop), int(datetime.now(UTC).timestamp())
    async with connections.read() as db:
        orders = await orders_of(db, shop, currency, customer_ids)
    histories = {who: histories_of(placed, now) for who, placed in orders.items()}
    found = await _segmented(connections, shop, histories, now)
    return {
        who: (_spoken_of(profile_of(placed, now), found.get(who)), found.get(who))
        for who, placed in orders.items()
    }


async def shop_currency(connections: Connections, shop: str) -> str:
    """Return the shop's currency, as it was at most fifteen seconds ago."""
    known = _currencies.setdefault(connections.engine, {})
    if shop not in known or monotonic() >= known[shop][0]:
        installed = await get_shop(connections, shop)
        known[shop] = (monotonic() + _REMEMBERED_S, installed.currency if installed else "USD")
    return known[shop][1]


def histories_of(placed: Sequence[PlacedOrder], now: int) -> list[Purchase]:
    """Return the orders that stand as segments count them. Pure."""
    return [purchase(order, now) for order in placed if not order.cancelled]


async def _segmented(
    connections: Connections, shop: str, histories: Mapping[int, Sequence[Purchase]], now: int
) -> dict[int, Segmented]:
    segmentation = await current_segmentation(connections, shop)
    if segmentation is None:
        return {}
    words = await words_of(connections, shop, histories)
    behaving = {}
    if segmentation.clusters is not None:
        async with connections.read() as db:
            seen = await seen_of_customers(db, shop, histories, window_begins(now))
        behaving = behaviours(histories, seen, now)
    return {
        who: segmented(segmentation, history, behaving.get(who), words.get(who), now)
        for who, history in histories.items()
    }


def _spoken_of(profile: Profile, found: Segmented | None) -> Profile:
    return profile if found is None else msgspec.structs.replace(profile, segments=found.names)
