"""What each term adds to the score of the few products that are offered. Pure.

As `Arrays.features` for many, but number by number: arrays take longer to call than three products to add up.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.recommend.arrays import Arrays
from app.recommend.pull import Doubles, Positions
from app.recommend.terms import AT, BOUGHT, STANDING, TERMS
from app.recommend.visit import Visit

BESIDE_LEARNED = tuple(at for name, at in AT.items() if name != "learned")
_STANDING, _BOUGHT = STANDING.tolist(), BOUGHT.tolist()


def contributions(model: Arrays, visit: Visit, chosen: Positions, weights: Doubles) -> list[list[float]]:
    """Return what adds up to each chosen product's score, as `reasons.REASONS` speak of it.

    That is the learned term's part of the cart, of the customer and of the item, then the other terms.
    """
    of = weights.tolist()
    tastes = ((model.item_embeddings.take(chosen, axis=0) - model.centre) @ visit.tastes.T).tolist()
    standing = model.standing.take(chosen, axis=1).T.tolist()
    before = {item: at for at, item in enumerate(visit.history.tolist())}
    kinds = visit.kinds[:, model.kinds[chosen]].T.tolist() if len(model.kinds) else [(0.0, 0.0)] * len(chosen)
    scale = visit.learned_scale * of[AT["learned"]]
    found = []
    for item, (cart, customer), stands, kind in zip(chosen.tolist(), tastes, standing, kinds, strict=True):
        terms = _terms(visit, item, customer, stands, kind, before.get(item))
        learned = [cart * scale, customer * scale, terms[AT["learned_item"]] * scale]
        found.append(learned + [terms[at] * of[at] for at in BESIDE_LEARNED])
    return found


def _terms(
    visit: Visit,
    item: int,
    customer: float,
    standing: Sequence[float],
    kind: Sequence[float],
    bought: int | None,
) -> list[float]:
    """Return what the terms say of a product, in the order of TERMS. bought: where in the history it is."""
    terms = [0.0] * len(TERMS)
    for at, value in zip(_STANDING, standing, strict=True):
        terms[at] = value
    terms[AT["together"]] = together = visit.together.of(item)
    terms[AT["learned_customer"]] = customer
    terms[AT["same_kind"]], terms[AT["kind_history"]] = kind
    if len(visit.history):
        terms[AT["with_history"]], terms[AT["repeats"]] = visit.with_history.of(item), visit.repeats.of(item)
    if bought is not None:
        for at, value in zip(_BOUGHT, visit.bought[1:, bought].tolist(), strict=True):
            terms[at] = value
        terms[AT["together_again"]], terms[AT["popular_again"]] = together, terms[AT["popular"]]
    return terms
