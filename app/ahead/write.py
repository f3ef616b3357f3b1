"""A shop's offers worked out ahead and written to Shopify: what differs from what it holds, and no more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from time import monotonic

from app.ahead.customers import clear_customers, write_customers
from app.ahead.due import REFUSED_REST_S, made_from, note_made, rest, wanted
from app.ahead.form import OFFERS, SEGMENT_OFFERS, AheadOffer, write_offers, write_segments
from app.ahead.rank import to_anyone, to_segments, with_product
from app.connections import Connections
from app.errors import ShopifyError, ShopifyUnavailable
from app.jobs import exclusive_job
from app.offers.snapshot import ShopSnapshot
from app.outbound.documents import WHICH_SHOP
from app.outbound.offer_metafield_store import owners
from app.outbound.offer_metafield_writing import may_write, write_offer_metafields
from app.outbound.offer_metafields import Kind, OfferMetafield, Place
from app.shops.pausing import is_paused, is_paused_now
from app.shops.store import Shop, installed_shop
from app.shops.tokens import ask_shop
from app.snapshots import load_snapshot
from app.upsert import chunks
from app.values import ShopDomain, shopify_id

_PART = 250  # products that are worked out in one go, in a thread
_log = logging.getLogger(__name__)


async def write_offers_ahead(connections: Connections, shop: ShopDomain) -> int:
    """Return how many metafields were written or deleted; switched off, all of ours go.

    What Shopify refuses is logged and tried again later. Raises ShopifyUnavailable: tried again soon.
    """
    async with exclusive_job(connections, "offers_ahead", shop):
        installed = await installed_shop(connections, shop)
        if installed is None:
            return 0
        began, source = monotonic(), await made_from(connections, installed)
        try:
            written = await _write_all(connections, installed)
        except ShopifyUnavailable:
            raise
        except ShopifyError as error:
            _log.warning("offers not written ahead", extra={"shop": shop, "reason": str(error)})
            await rest(connections, shop, REFUSED_REST_S)
            return 0
        await note_made(connections, shop, source, monotonic() - began)
        return written


async def hide_offers(connections: Connections, shop: ShopDomain) -> int:
    """Return how many of the shop's own metafields were deleted: without them no checkout paints anything.

    Raises ShopifyError.
    """
    return await _write_shop(connections, shop, None, [])


async def _write_all(connections: Connections, shop: Shop) -> int:
    if wanted(shop.settings) and is_paused(shop.settings):
        return await hide_offers(connections, shop.shop)
    snapshot = await load_snapshot(connections, shop.shop) if wanted(shop.settings) else None
    written = 0
    if may_write(shop.scopes, "product"):
        written += await _write_products(connections, shop.shop, snapshot)
    if not may_write(shop.scopes, "customer"):
        return written + await _write_shop(connections, shop.shop, snapshot, [])
    if snapshot is None:
        written += await clear_customers(connections, shop.shop)
        return written + await _write_shop(connections, shop.shop, None, [])
    done = await write_customers(connections, snapshot)
    segments = to_segments(done.offers)
    return written + done.written + await _write_shop(connections, shop.shop, snapshot, segments)


async def _write_shop(
    connections: Connections,
    shop: str,
    snapshot: ShopSnapshot | None,
    segments: Sequence[tuple[str, tuple[AheadOffer, ...]]],
) -> int:
    values: dict[str, str | None] = {OFFERS: None, SEGMENT_OFFERS: None}
    if snapshot is not None and not await is_paused_now(connections, shop):  # a large shop's take minutes
        values[OFFERS] = write_offers(to_anyone(snapshot))
        values[SEGMENT_OFFERS] = write_segments(segments) if segments else None
    number = await _number(connections, shop)
    metafields = [OfferMetafield(Place("shop", number, key), value) for key, value in values.items()]
    return await write_offer_metafields(connections, shop, "shop", metafields)


async def _write_products(connections: Connections, shop: str, snapshot: ShopSnapshot | None) -> int:
    kept: set[int] = set()
    written = 0
    for part in chunks(sorted(snapshot.catalog.products) if snapshot else [], _PART):
        assert snapshot is not None
        metafields = await asyncio.to_thread(_with_products, snapshot, part)
        kept.update(each.place.owner_id for each in metafields)
        written += await write_offer_metafields(connections, shop, "product", metafields)
    return written + await _clear(connections, shop, "product", kept)


def _with_products(shop: ShopSnapshot, product_ids: Sequence[int]) -> list[OfferMetafield]:
    """Return the metafields of those of the products with which there is something to offer. Pure."""
    found = {each: with_product(shop, each) for each in product_ids}
    return [
        OfferMetafield(Place("product", each, OFFERS), write_offers(offers))
        for each, offers in found.items()
        if offers
    ]


async def _clear(connections: Connections, shop: str, kind: Kind, kept: Collection[int]) -> int:
    """Return how many metafields were deleted: of all owners of the kind but these."""
    written, after = 0, 0
    while page := await owners(connections, shop, kind, after, _PART):
        after = page[-1]
        gone = [OfferMetafield(Place(kind, each, OFFERS), None) for each in page if each not in kept]
        written += await write_offer_metafields(connections, shop, kind, gone)
    return written


async def _number(connections: Connections, shop: str) -> int:
    """Return Shopify's number of the shop, which names it as the owner of a metafield."""
    answer = await ask_shop(connections, shop, WHICH_SHOP)
    return shopify_id((answer.get("shop") or {}).get("id"), "shop.id")
