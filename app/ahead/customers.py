"""Computes and writes customers' offers, only for those whose consent allows metafields of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.ahead.form import CustomerOffers, write_offers
from app.ahead.rank import to_customer
from app.connections import Connections
from app.consent.standing import Use, may
from app.consent.standings import profile_basis, standings_of
from app.jobs import alone
from app.offers.situation import history_of
from app.offers.snapshot import ShopSnapshot
from app.outbound.offer_metafield_store import owners
from app.outbound.offer_metafield_writing import WRITING, customer_place, write_offer_metafields
from app.outbound.offer_metafields import OfferMetafield
from app.profiles.customer import Profile, segment
from app.profiles.keys import customer_key
from app.profiles.packed import unpack_profile
from app.recommend.terms import Past
from app.segment_tables import CustomerSegmentRow
from app.upsert import table_of

# Who has not bought for so long is seldom at a checkout, and gets the live answer there.
ACTIVE = timedelta(days=365)
_PAGE = 100
_SEGMENTS = table_of(CustomerSegmentRow)


@dataclass
class Done:
    """What was written for a shop's customers. ids: of those with offers; written: metafields."""

    ids: set[int] = field(default_factory=set)
    offers: list[CustomerOffers] = field(default_factory=list)
    written: int = 0


async def write_customers(connections: Connections, shop: ShopSnapshot) -> Done:
    """Return what was written; who is to have nothing any more has nothing. Raises ShopifyError."""
    done, after = Done(), 0
    while page := await _next(connections, shop.shop, after):
        after = page[-1]
        await _write_page(connections, shop, page, done)
    done.written += await clear_customers(connections, shop.shop, done.ids)
    return done


async def clear_customers(connections: Connections, shop: str, kept: Collection[int] = ()) -> int:
    """Return how many customers' offers were deleted: of all but these. Raises ShopifyError."""
    written, after = 0, 0
    while page := await owners(connections, shop, "customer", after, _PAGE):
        after = page[-1]
        gone = [OfferMetafield(customer_place(each), None) for each in page if each not in kept]
        async with alone(connections, WRITING, shop):
            written += await write_offer_metafields(connections, shop, "customer", gone)
    return written


async def _write_page(
    connections: Connections, shop: ShopSnapshot, customer_ids: Sequence[int], done: Done
) -> None:
    async with alone(connections, WRITING, shop.shop):
        profiles = await _profiles(connections, shop.shop, customer_ids)
        found = await asyncio.to_thread(_offers, shop, profiles, datetime.now(UTC))
        metafields = [OfferMetafield(customer_place(who), write_offers(each)) for who, each in found.items()]
        done.written += await write_offer_metafields(connections, shop.shop, "customer", metafields)
    done.ids.update(found)
    done.offers.extend(found.values())


async def _profiles(connections: Connections, shop: str, customer_ids: Sequence[int]) -> dict[int, Profile]:
    """Return the profiles of those of the customers who may carry a mark of ours."""
    standings = await standings_of(connections, shop, customer_ids)
    basis = await profile_basis(connections, shop)
    allowed = [who for who in customer_ids if may(Use.TAG, standings[who], basis).allowed]
    if not allowed:
        return {}
    packed: list[Any] = await connections.redis.mget([customer_key(shop, each) for each in allowed])
    profiles = {who: unpack_profile(each) for who, each in zip(allowed, packed, strict=True)}
    return {who: each for who, each in profiles.items() if not each.refused}


def _offers(shop: ShopSnapshot, profiles: Mapping[int, Profile], now: datetime) -> dict[int, CustomerOffers]:
    """Return what to offer to each of the customers that is worth writing. Pure."""
    since = (now - ACTIVE).timestamp()
    active = {who: each for who, each in profiles.items() if (each.last_order_at or 0) >= since}
    found = {who: _of_customer(shop, who, each, now) for who, each in active.items()}
    return {who: each for who, each in found.items() if each is not None}


def _of_customer(
    shop: ShopSnapshot, customer_id: int, profile: Profile, now: datetime
) -> CustomerOffers | None:
    history = {each: Past(times, days) for each, times, days in history_of(profile, now)}
    segments = profile.segments or (segment(profile, now),)
    return to_customer(shop, customer_id, history, profile.orders_placed, segments)


async def _next(connections: Connections, shop: str, after: int) -> list[int]:
    customer_id = _SEGMENTS.c.customer_id
    query = select(customer_id).where(_SEGMENTS.c.shop == shop, customer_id > after)
    return await connections.scalars(query.order_by(customer_id).limit(_PAGE))
