"""The merchant's wishes of products: pinned, or weighed by a factor; read from and kept in the settings."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec
from sqlmodel import col, select

from app.admin import store
from app.admin.language import _
from app.connections import Connections
from app.errors import InputError, NotFound
from app.offers.terms import MOST_BOOST, pinned_of
from app.shops.changes import announce_kept
from app.shops.store import Shop
from app.tables import ShopRow

USUAL, PINNED = "usual", "pinned"
MOST_PINNED = 20
_LEAST_BOOST = 0.05


def wishes_of(settings: Mapping[str, Any]) -> dict[int, str]:
    """Return what is wished of products: `pinned`, or a factor as `2`; pins first, in their order."""
    boosts = {number: f"{factor:g}" for number, factor in _boosts(settings).items()}
    return dict.fromkeys(pinned_of(settings), PINNED) | {
        number: factor for number, factor in boosts.items() if number not in pinned_of(settings)
    }


async def keep_wish(connections: Connections, shop: Shop, product_id: int, wish: str) -> str:
    """Keep what is wished of a product and return its title. wish: `usual`, `pinned`, or a factor.

    Raises NotFound for a product that the shop does not have, InputError for what can't be wished.
    """
    factor = None if wish in (USUAL, PINNED) else _factor(wish)
    title = (await store.titles(connections, shop, {product_id})).get(product_id)
    gone = await store.gone(connections, shop, {product_id, *wishes_of(shop.settings)})
    if title is None or product_id in gone:
        raise NotFound(_("Your shop has no such product any more."))
    query = select(ShopRow).where(col(ShopRow.shop) == shop.shop).with_for_update()
    async with connections.write() as db:
        row = (await db.exec(query)).one()
        row.settings = _with_wish(row.settings, product_id, gone, pinned=wish == PINNED, factor=factor)
        db.add(row)
    await announce_kept(connections.redis, shop.shop)
    return title


def _with_wish(
    settings: Mapping[str, Any], product_id: int, gone: Set[int], *, pinned: bool, factor: float | None
) -> dict[str, Any]:
    """Return the settings with one wish changed; a product is pinned or weighed, not both.

    gone: products that are not sold any more; nobody could take a wish of theirs back.
    """
    let_go = gone | {product_id}
    pins = [each for each in pinned_of(settings) if each not in let_go]
    if pinned and len(pins) >= MOST_PINNED:
        raise InputError(_("%(n)s products are pinned, which is the most: unpin one first.", n=len(pins)))
    boosts = {str(number): each for number, each in _boosts(settings).items() if number not in let_go}
    changed = {
        "pinned": [*pins, product_id] if pinned else pins,
        "boosts": boosts if factor is None else {**boosts, str(product_id): factor},
    }
    kept = {name: value for name, value in settings.items() if name not in changed}
    return kept | {name: value for name, value in changed.items() if value}


def _factor(wish: str) -> float:
    try:
        factor = float(wish)
    except ValueError:
        factor = 0.0
    if not _LEAST_BOOST <= factor <= MOST_BOOST:
        raise InputError(_("Choose one of the wishes that are offered."), "wish")
    return factor


def _boosts(settings: Mapping[str, Any]) -> dict[int, float]:
    try:
        return msgspec.convert(settings.get("boosts", {}), dict[int, float], strict=False)
    except msgspec.ValidationError:
        return {}
