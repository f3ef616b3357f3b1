"""Writes segments to Shopify customers as tags and metafields: only changes, only with consent."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from app.connections import Connections, redis_key
from app.consent.standing import Use, may
from app.consent.standings import profile_basis, standings_of
from app.errors import ShopifyError, ShopifyUnavailable
from app.jobs import alone, exclusive_job, request_job
from app.outbound.documents import BATCH
from app.outbound.mark_store import count_marks, due_customers, left_over, let_go, mark_all_due, marked
from app.outbound.marking import MARKING, write
from app.outbound.marks import NONE, Change, Due, change_of, mark_of
from app.outbound.offer_metafield_store import strays
from app.outbound.offer_metafield_writing import take_back_strays
from app.outbound.settings import WriteBack, may_write, write_back_of
from app.shops.store import Shop, ShopEvent, get_shop, installed_shop
from app.shops.turns import shops_to_look_at
from app.upsert import chunks
from app.values import ShopDomain

_REST_S = 600  # after a refusal: what Shopify refuses now, it refuses in a few seconds as well
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """How far a shop's customers are written. lacks_scope: whether the merchant has still to grant it."""

    wants: WriteBack
    lacks_scope: bool
    written: int
    waiting: int


async def write_back(connections: Connections, shop: ShopDomain) -> int:
    """Write what changed and return for how many customers; what is not wanted any more is removed.

    So are the offers of customers who may hold none any more: a large shop's own runs are hours apart.
    Nothing is written, and nothing lost, while the shop has not granted the scope. What Shopify refuses is
    logged and tried again later. Raises ShopifyUnavailable when it is worth trying again soon.
    """
    async with exclusive_job(connections, "write_back", shop):
        installed = await get_shop(connections, shop)
        if installed is None or not _can_write(installed):
            return 0
        try:
            await take_back_strays(connections, shop)
            return await _write_all(connections, installed)
        except ShopifyUnavailable:
            raise
        except ShopifyError as error:
            _log.warning("segments not written back", extra={"shop": shop, "reason": str(error)})
            await _rest(connections, shop)
            return 0


async def request_due_write_backs(connections: Connections) -> None:
    """Ask for a writing of every shop with something to write or to take back."""
    for shop in await shops_to_look_at(connections, "write back"):
        wants = write_back_of(shop.settings)
        if not _can_write(shop) or await connections.redis.exists(_resting(shop.shop)):
            continue
        if await _something_due(connections, shop.shop, wants):
            await request_job(connections, "write_back", shop.shop)


async def status(connections: Connections, shop: Shop) -> Status:
    """Return how far the shop's customers are marked."""
    wants = write_back_of(shop.settings)
    written, waiting = await count_marks(connections, shop.shop, wanted=wants.anything)
    lacks = not may_write(shop.scopes) and (wants.anything or waiting > 0)
    return Status(wants, lacks, written if wants.anything else 0, waiting)


async def unmark(connections: Connections, shop: str, customer_ids: Collection[int]) -> None:
    """Take from the customers whatever they carry of ours, and forget that they did.

    Where the app may not write any more nothing can be taken back, which is logged. Raises ShopifyError
    where it should have worked: the caller tries again.
    """
    installed = await get_shop(connections, shop)
    async with alone(connections, MARKING, shop):
        due = await marked(connections, shop, customer_ids)
        carrying = any(each.before != NONE for each in due)
        if carrying and (installed is None or not _can_write(installed)):
            _log.warning("marks stay in Shopify: the app may not write there", extra={"shop": shop})
        else:
            for part in chunks([change_of(each, NONE) for each in due], BATCH):
                await write(connections, shop, part)
        await let_go(connections, shop, [each.customer_id for each in due])


async def note_uninstall(connections: Connections, event: ShopEvent) -> None:
    """Know that Shopify deleted the app's metafields with the app; tags stay, and are known on a return.

    A shop that is back already may carry new ones.
    """
    gone = await installed_shop(connections, event.shop) is None
    await mark_all_due(connections, event.shop, metafields_gone=gone)


async def _write_all(connections: Connections, shop: Shop) -> int:
    wants, written, refused = write_back_of(shop.settings), 0, 0
    async for batch in _batches(connections, shop.shop, wants):
        async with alone(connections, MARKING, shop.shop):
            changes = await _allowed(connections, shop.shop, wants, batch)
            refused += await write(connections, shop.shop, changes)
        written += sum(each.writes for each in changes)
    if refused:
        await _rest(connections, shop.shop)
    return written - refused


async def _batches(connections: Connections, shop: str, wants: WriteBack) -> AsyncIterator[Sequence[int]]:
    """Yield the customers to look at, first those who moved, then those who are to carry nothing."""
    after = 0
    while wants.anything and (batch := await due_customers(connections, shop, after, BATCH)):
        after = batch[-1].customer_id
        yield [each.customer_id for each in batch]
    after = 0
    while batch := await left_over(connections, shop, after, BATCH, every=not wants.anything):
        after = batch[-1].customer_id
        yield [each.customer_id for each in batch]


async def _allowed(
    connections: Connections, shop: str, wants: WriteBack, customer_ids: Sequence[int]
) -> list[Change]:
    """Return what to write for the customers as they stand now; nothing but a taking back for who refuses."""
    first, last = customer_ids[0], customer_ids[-1]
    moved = await due_customers(connections, shop, first - 1, BATCH) if wants.anything else []
    left = await left_over(connections, shop, first - 1, BATCH, every=not wants.anything)
    due = {each.customer_id: each for each in (*moved, *left) if first <= each.customer_id <= last}
    standings = await standings_of(connections, shop, due)
    basis = await profile_basis(connections, shop)
    allowed = {who for who, standing in standings.items() if may(Use.TAG, standing, basis).allowed}
    return [_change(each, wants, each.customer_id in allowed) for each in due.values()]


def _change(due: Due, wants: WriteBack, allowed: bool) -> Change:
    if due.names is None or not allowed:
        return change_of(Due(due.customer_id, None, None, due.before, due.unsure), NONE)
    return change_of(due, mark_of(due.names, wants))


async def _something_due(connections: Connections, shop: str, wants: WriteBack) -> bool:
    if wants.anything and await due_customers(connections, shop, 0, 1):
        return True
    if await left_over(connections, shop, 0, 1, every=not wants.anything):
        return True
    return bool(await strays(connections, shop, 0, 1))


async def _rest(connections: Connections, shop: str) -> None:
    await connections.redis.set(_resting(shop), 1, ex=_REST_S)


def _resting(shop: str) -> str:
    return redis_key(shop, "resting", "write_back")


def _can_write(shop: Shop) -> bool:
    return shop.uninstalled_at is None and may_write(shop.scopes)
