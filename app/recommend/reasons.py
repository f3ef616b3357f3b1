"""Why a product was chosen: the shares of its score's terms, in words a shopper's language can carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.recommend.arrays import Arrays
from app.recommend.pull import Positions
from app.recommend.terms import TERMS
from app.recommend.visit import Visit

ReasonName = Literal["bought_together", "goes_with_history", "similar", "popular", "new_in"]

# What each term of a score says: learned from the cart, from the customer and of the item, then the others
# in the order of `terms.TERMS`. None: it depends on the pair, see `_of_cart`.
_SAYS: dict[str, ReasonName | None] = {
    "together": None,
    "same_kind": None,
    "popular": "popular",
    "recent": "popular",
    "kind_popular": "popular",
    "learned_item": "popular",
    "fresh": "new_in",
}
REASONS: tuple[ReasonName | None, ...] = (
    None,
    "goes_with_history",
    "popular",
    *(_SAYS.get(name, "goes_with_history") for name in TERMS if name != "learned"),
)
SMALLEST_SHARE = 0.05


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason, its share of the score in (0, 1], and the product it refers to, if any."""

    reason: ReasonName
    weight: float
    with_product_id: int | None = None


def explain(
    model: Arrays, visit: Visit, chosen: Positions, parts: Sequence[Sequence[float]]
) -> list[tuple[Reason, ...]]:
    """Return each chosen product's reasons, strongest first, weighted by their share of its positive terms.

    parts: of each, as long as REASONS, see `contributions`.
    """
    return [
        _reasons(model, visit, item, companion, of_item)
        for item, companion, of_item in zip(
            chosen.tolist(), _companions(model, visit, chosen), parts, strict=True
        )
    ]


def _reasons(
    model: Arrays, visit: Visit, item: int, companion: int | None, terms: Sequence[float]
) -> tuple[Reason, ...]:
    shares: dict[ReasonName, float] = {}
    of_cart = _of_cart(model, item, companion)
    for reason, term in zip(REASONS, terms, strict=True):
        if term > 0:
            said = reason or of_cart
            shares[said] = shares.get(said, 0.0) + term
    total = sum(shares.values())
    if not total:
        return (Reason("popular", 1.0),)
    kept = [(name, share / total) for name, share in shares.items() if share >= SMALLEST_SHARE * total]
    kept.sort(key=lambda pair: -pair[1])
    return tuple(Reason(name, weight, _with(model, visit, name, item, companion)) for name, weight in kept)


def _companions(model: Arrays, visit: Visit, chosen: Positions) -> list[int] | list[None]:
    """Return the cart position that pulls each item most: by neighbour weight, else by embedding."""
    if not len(visit.cart):
        return [None] * len(chosen)
    neighbours = model.neighbours.take(visit.cart, axis=0)
    weights = model.neighbour_weights.take(visit.cart, axis=0).ravel()
    return [_companion(model, visit.cart, neighbours, weights, item) for item in chosen.tolist()]


def _companion(
    model: Arrays,
    cart: NDArray[np.intp],
    neighbours: NDArray[np.int32],
    weights: NDArray[np.float32],
    item: int,
) -> int:
    (linked,) = (neighbours.ravel() == item).nonzero()
    if len(linked):
        strongest = int(linked[weights.take(linked).argmax()])
        if weights[strongest]:
            return int(cart[strongest // neighbours.shape[1]])
    return int(cart[(model.cart_embeddings[cart] @ model.item_embeddings[item]).argmax()])


def _of_cart(model: Arrays, item: int, companion: int | None) -> ReasonName:
    """Return what links the item to the cart: orders when both were sold, else likeness."""
    if model.basis in ("content", "popularity") or not model.orders.item(item):
        return "similar"
    return "bought_together" if companion is not None and model.orders.item(companion) else "similar"


def _with(model: Arrays, visit: Visit, name: ReasonName, item: int, companion: int | None) -> int | None:
    """Return the product id that the reason names, None when it names none."""
    if name in ("bought_together", "similar"):
        return None if companion is None else int(model.product_ids.item(companion))
    if name == "goes_with_history" and visit.repeats.values.item(item) > 0:
        return int(model.product_ids.item(item))
    return None
