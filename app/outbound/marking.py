"""Customers marked in Shopify: one batch of changes written, whatever becomes of it known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from app.connections import Connections
from app.errors import ShopifyRefused
from app.outbound.documents import WHO_EXISTS, change_tags, metafield, metafield_value
from app.outbound.mark_store import let_go, note_meanwhile, note_written
from app.outbound.marks import Change
from app.outbound.metafields import delete_metafields, set_metafields
from app.shops.tokens import ask_shop
from app.values import gid

# Held for one batch, so that an erasure never waits long and no batch overtakes it.
MARKING = "marking"
_log = logging.getLogger(__name__)


async def write(connections: Connections, shop: str, changes: Sequence[Change]) -> int:
    """Return for how many customers Shopify refused it; those are left as unsure. At most a batch.

    Customers whom Shopify does not have any more are let go of. Raises ShopifyError.
    """
    told = [each for each in changes if each.writes]
    if told:
        await note_meanwhile(connections, shop, told)
    refused = await _change_tags(connections, shop, [each for each in told if each.add or each.remove])
    refused |= await _set_metafields(connections, shop, [each for each in told if each.sets_metafield])
    deleted = [metafield(each.customer_id) for each in told if each.deletes_metafield]
    await delete_metafields(connections, shop, deleted)
    gone = await _missing(connections, shop, refused)
    await note_written(connections, shop, [each for each in changes if each.customer_id not in refused])
    await let_go(connections, shop, gone)
    return len(refused - gone)


async def _change_tags(connections: Connections, shop: str, changes: Sequence[Change]) -> set[int]:
    """Return whose tags could not be changed."""
    if not changes:
        return set()
    document, variables = change_tags(changes)
    answer = await ask_shop(connections, shop, document, variables)
    refused: dict[int, str] = {}
    for at, change in enumerate(changes):
        for verb in ("remove", "add"):
            for error in (answer.get(f"{verb}{at}") or {}).get("userErrors", ()):
                refused[change.customer_id] = str(error.get("message"))
    _tell(shop, "tags", refused)
    return set(refused)


async def _set_metafields(connections: Connections, shop: str, changes: Sequence[Change]) -> set[int]:
    """Return whose metafield could not be set."""
    wrong = await set_metafields(connections, shop, [_value(each) for each in changes])
    refused = {changes[at].customer_id: message for at, message in wrong.items()}
    _tell(shop, "metafields", refused)
    return set(refused)


async def _missing(connections: Connections, shop: str, customer_ids: set[int]) -> set[int]:
    """Return which of the customers Shopify does not have."""
    if not customer_ids:
        return set()
    asked = sorted(customer_ids)
    answer = await ask_shop(connections, shop, WHO_EXISTS, {"ids": [gid("Customer", each) for each in asked]})
    nodes = answer.get("nodes")
    if not isinstance(nodes, list) or len(nodes) != len(asked):
        raise ShopifyRefused(f"{shop} WhoExists: the answer does not match the question")
    return {who for who, node in zip(asked, nodes, strict=True) if node is None}


def _value(change: Change) -> dict[str, Any]:
    return metafield_value(change.customer_id, msgspec.json.encode(change.after.segments).decode())


def _tell(shop: str, what: str, refused: dict[int, str]) -> None:
    """Log that some were refused, without who."""
    if refused:
        reason = f"{what} of {len(refused)}: {next(iter(refused.values()))}"
        facts = {"shop": shop, "reason": reason}
        _log.warning("Shopify refused to mark customers", extra=facts)
