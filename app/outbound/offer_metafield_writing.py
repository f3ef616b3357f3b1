"""Writes offer metafields to Shopify: only those that differ from what it holds, a batch at a time."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from app.connections import Connections
from app.jobs import alone
from app.outbound.documents import BATCH
from app.outbound.metafields import delete_metafields, set_metafields
from app.outbound.offer_metafield_store import (
    OFFERS,
    doubt_all,
    forget_all,
    held_by,
    let_go,
    note_sending,
    note_sent,
    strays,
)
from app.outbound.offer_metafields import SCOPES, Kind, OfferMetafield, Place, changed
from app.shops.grants import covers
from app.shops.store import ShopEvent, get_shop, installed_shop
from app.upsert import chunks

# Held from reading what customers may be offered until it is written: an erasure comes before or after.
WRITING = "writing_ahead"
_log = logging.getLogger(__name__)


async def write_offer_metafields(
    connections: Connections, shop: str, kind: Kind, metafields: Sequence[OfferMetafield]
) -> int:
    """Return how many metafields were written or deleted. Raises ShopifyError.

    metafields: all of the one kind. What Shopify refuses is forgotten, and tried again by the next call.
    """
    held = await held_by(connections, shop, kind, {each.place.owner_id for each in metafields})
    written = 0
    for batch in chunks(changed(metafields, held), BATCH):
        written += await _write(connections, shop, batch)
    return written


async def take_back(connections: Connections, shop: str, customer_ids: Collection[int]) -> None:
    """Delete the customers' offers in Shopify, and forget that they had any.

    Where the app may not write any more nothing can be taken back, which is logged. Raises ShopifyError
    where it should have worked: the caller tries again.
    """
    installed = await get_shop(connections, shop)
    async with alone(connections, WRITING, shop):
        held = list(await held_by(connections, shop, "customer", customer_ids))
        may = installed is not None and not installed.uninstalled_at
        if held and not (may and installed and may_write(installed.scopes, "customer")):
            _log.warning("offers stay in Shopify: the app may not write there", extra={"shop": shop})
            await let_go(connections, shop, held)
            return
        for batch in chunks([OfferMetafield(each, None) for each in held], BATCH):
            await _write(connections, shop, batch)


async def take_back_strays(connections: Connections, shop: str) -> None:
    """Delete the offers of customers who are in no segment any more, as those who refuse are.

    Raises ShopifyError.
    """
    after = 0
    while page := await strays(connections, shop, after, BATCH):
        after = page[-1]
        await take_back(connections, shop, page)


async def forget_offer_metafields(connections: Connections, event: ShopEvent) -> None:
    """Note that Shopify deleted the app's metafields with the app.

    A shop that is back already may hold new ones: Shopify tells of an uninstall up to four hours later.
    """
    back = await installed_shop(connections, event.shop)
    await (doubt_all if back else forget_all)(connections, event.shop)


def may_write(scopes: frozenset[str], kind: Kind) -> bool:
    """Return whether a shop that granted these scopes lets us write to owners of this kind. Pure."""
    scope = SCOPES[kind]
    return scope is None or covers(scopes, frozenset({scope}))


def customer_place(customer_id: int) -> Place:
    """Return where a customer's offers are. Pure."""
    return Place("customer", customer_id, OFFERS)


async def _write(connections: Connections, shop: str, batch: Sequence[OfferMetafield]) -> int:
    """Return how many of the batch were written or deleted."""
    await note_sending(connections, shop, batch)
    given = [each for each in batch if each.value is not None]
    refused = await set_metafields(connections, shop, [each.written for each in given])
    await delete_metafields(connections, shop, [each.place.named for each in batch if each.value is None])
    wrong = {given[at].place for at in refused}
    await note_sent(connections, shop, [each for each in batch if each.place not in wrong])
    await let_go(connections, shop, wrong)
    if refused:
        reason = f"{len(refused)} of {len(batch)}: {next(iter(refused.values()))}"
        _log.warning("Shopify refused offers", extra={"shop": shop, "reason": reason})
    return len(batch) - len(wrong)
