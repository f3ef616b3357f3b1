"""What to offer when nothing is known of the shopper: the merchant's picks, or what sells. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from app.catalog.catalog import Catalog
from app.offers.wire import Why
from app.recommend.model import Model

KEPT = 50
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Pick(msgspec.Struct, frozen=True, gc=False):
    """A product to offer and why. companion: the product that the first reason refers to."""

    product_id: int
    why: tuple[Why, ...]
    companion: int | None = None


def default_picks(
    catalog: Catalog,
    model: Model | None,
    pinned: Sequence[int],
    excluded: Collection[int],
    barred: Collection[int] = (),
) -> tuple[Pick, ...]:
    """Return what the shop may offer to anyone: pinned products, then best sellers or what is new.

    barred: what business speaks against, see `app.offers.rerank`; a merchant's pin outweighs it.
    """
    offerable = catalog.available_ids.difference(excluded)
    chosen = list(dict.fromkeys(pin for pin in pinned if pin in offerable))
    others = offerable.difference(chosen, barred)
    best = _best_sellers(model, others)
    return (
        *_picks("merchant_pick", chosen),
        *(_picks("popular", best) if best else _picks("new_in", _newest(catalog, others))),
    )


def _picks(reason: str, product_ids: Sequence[int]) -> Iterator[Pick]:
    return (Pick(each, (Why(reason=reason, weight=1.0),)) for each in product_ids[:KEPT])


def _best_sellers(model: Model | None, product_ids: Collection[int]) -> list[int]:
    if model is None:
        return []
    sold = dict(zip(model.product_ids.tolist(), model.popularity.tolist(), strict=True))
    best = [each for each in product_ids if sold.get(each)]
    return sorted(best, key=lambda each: (-sold[each], each))


def _newest(catalog: Catalog, product_ids: Collection[int]) -> list[int]:
    products = catalog.products
    return sorted(product_ids, key=lambda each: (products[each].created_at or _LONG_AGO, each), reverse=True)
