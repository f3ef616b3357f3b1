"""What each term adds to the score of the few products that are offered. Pure.

As `Model.features` for many, but number by number: arrays take longer to call than three products to add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.recommend.score import STANDING_NAMES, Doubles, Positions
from app.recommend.terms import OF_HISTORY, TERMS

if TYPE_CHECKING:
    from app.recommend.model import Model, Visit

BESIDE_LEARNED = tuple(name for name in TERMS if name != "learned")


def parts(model: Model, visit: Visit, chosen: Positions, weights: Doubles) -> list[list[float]]:
    """Return what adds up to each chosen product's score, as `reasons.REASONS` speak of it.

    That is the learned term's part of the cart, of the customer and of the item, then the other terms.
    """
    of = dict(zip(TERMS, weights.tolist(), strict=True))
    tastes = ((model.item_embeddings[chosen] - model.centre) @ visit.tastes.T).tolist()
    standing = model.standing[:, chosen].T.tolist()
    before = {item: at for at, item in enumerate(visit.history.tolist())}
    kinds = visit.kinds[:, model.kinds[chosen]].T.tolist() if len(model.kinds) else [(0.0, 0.0)] * len(chosen)
    scale = visit.learned_scale * of["learned"]
    found = []
    for item, (cart, customer), stands, kind in zip(chosen.tolist(), tastes, standing, kinds, strict=True):
        terms = _terms(visit, item, customer, stands, kind, before.get(item))
        learned = [cart * scale, customer * scale, terms["learned_item"] * scale]
        found.append(learned + [terms.get(name, 0.0) * of[name] for name in BESIDE_LEARNED])
    return found


def _terms(
    visit: Visit,
    item: int,
    customer: float,
    standing: Sequence[float],
    kind: Sequence[float],
    bought: int | None,
) -> Mapping[str, float]:
    """Return what the terms say of a product, those left out nothing. bought: where in the history it is."""
    together = visit.together.of(item)
    terms = dict(zip(STANDING_NAMES, standing, strict=True))
    terms |= {"together": together, "learned_customer": customer}
    terms["same_kind"], terms["kind_history"] = kind
    if len(visit.history):
        terms |= {"with_history": visit.with_history.of(item), "repeats": visit.repeats.of(item)}
    if bought is not None:
        terms |= dict(zip(OF_HISTORY[1:], visit.bought[1:, bought].tolist(), strict=True))
        terms |= {"together_again": together, "popular_again": terms["popular"]}
    return terms
