"""Builds customers' profiles and segments from the database; nothing else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from app.connections import Connections
from app.consent.policy import Answers, Reason
from app.consent.standing import Basis, Standing, Use, may
from app.profiles.behaviour_store import behaviours, seen_of_customers, window_begins
from app.profiles.customer import (
    NOBODY,
    REFUSED,
    PlacedOrder,
    Profile,
    before_these,
    profile_of,
    purchase,
    with_those_before,
)
from app.profiles.history import gone_of, orders_of, orders_told
from app.profiles.purchases import Purchase
from app.profiles.segments import CustomerSegments, current_segmentation, segmented, words_of
from app.shops.store import get_shop
from app.ttl_cache import TtlCache


class CustomerConsent(NamedTuple):
    """What a customer wants. answers: their last ones. refused: the profile they have is a refusal."""

    answers: Answers
    refused: bool = False


Made = tuple[Profile, CustomerSegments | None]


async def make_profiles(
    connections: Connections,
    shop: str,
    wishes: Mapping[int, CustomerConsent],
    basis: Basis,
    besides: int | None = None,
) -> dict[int, Made]:
    """Return each customer's profile and segments, as far as they may have any; nothing else is read.

    There are no segments before the shop's first are trained. Who is gone at Shopify has nothing, though
    their orders may name them still. besides: an order that does not count.
    """
    without = {who: kept for who, wish in wishes.items() if (kept := _kept_without(wish, basis)) is not None}
    made: dict[int, Made] = {who: (kept, None) for who, kept in without.items()}
    currency, now = await shop_currency(connections, shop), int(datetime.now(UTC).timestamp())
    async with connections.read() as db:
        gone = await gone_of(db, shop, wishes.keys() - without.keys())
        made |= dict.fromkeys(gone, (NOBODY, None))
        orders = await orders_of(db, shop, currency, wishes.keys() - made.keys(), besides)
        told = await orders_told(db, shop, orders.keys())
    before = {who: before_these(placed, told.get(who), now) for who, placed in orders.items()}
    # Who ordered before we could know is in no segment: those are made from what was bought.
    histories = {
        who: histories_of(placed, now) for who, placed in orders.items() if placed or not before[who].orders
    }
    found = await _segmented(connections, shop, histories, now)
    for who, placed in orders.items():
        profile = with_those_before(profile_of(placed, now), before[who])
        made[who] = (_spoken_of(profile, found.get(who)), found.get(who))
    return made


def _kept_without(wish: CustomerConsent, basis: Basis) -> Profile | None:
    """Return what is kept of who may have no profile: nothing before a needed answer, a refusal after a no.

    A profile that was refused comes back for an outspoken yes only.
    """
    verdict = may(Use.PROFILE, Standing(wish.answers), basis)
    if not verdict.allowed:
        return NOBODY if verdict.reason is Reason.NO_ANSWER else REFUSED
    return REFUSED if wish.refused and verdict.reason is not Reason.SAID_YES else None


async def _read_currency(connections: Connections, shop: str) -> str:
    installed = await get_shop(connections, shop)
    return installed.currency if installed else "USD"


_currencies = TtlCache(_read_currency)


async def shop_currency(connections: Connections, shop: str) -> str:
    """Return the shop's currency, as it was at most fifteen seconds ago."""
    return await _currencies.of(connections, shop)


def histories_of(placed: Sequence[PlacedOrder], now: int) -> list[Purchase]:
    """Return the orders that stand as segments count them. Pure."""
    return [purchase(order, now) for order in placed if not order.cancelled]


async def _segmented(
    connections: Connections, shop: str, histories: Mapping[int, Sequence[Purchase]], now: int
) -> dict[int, CustomerSegments]:
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


def _spoken_of(profile: Profile, found: CustomerSegments | None) -> Profile:
    if found is None:
        return profile
    return msgspec.structs.replace(profile, segments=found.names, spend_ahead_minor=found.spend_ahead_minor)
