"""The best of a visit's candidates: weighed first, then those on top placed anew by the trees. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.recommend.score import Doubles, Positions, scores, top
from app.recommend.terms import CIRCUMSTANCES, TERMS
from app.recommend.trees import corrections

if TYPE_CHECKING:
    from app.recommend.model import Model, Visit

RESCORED = 64  # so many of the best are placed anew
TOLD = len(TERMS) + CIRCUMSTANCES + 2


def place(
    model: Model, visit: Visit, candidates: Positions, weights: Doubles, k: int
) -> tuple[Positions, Doubles, Doubles]:
    """Return the k best of the candidates, their scores, and what the trees add to each."""
    found = scores(model, visit, candidates, weights)
    if not len(model.trees):
        best = top(found, k)
        return candidates[best], found[best], np.zeros(len(best))
    best = top(found, max(k, RESCORED))
    added = corrections(model.trees, told(model, visit, candidates[best]))
    total = found[best] + added
    order = top(total, k)
    return candidates[best[order]], total[order], added[order]


def told(model: Model, visit: Visit, candidates: Positions) -> NDArray[np.float32]:
    """Return what the trees are told of each candidate, (TOLD, candidates).

    Its terms, the circumstances, how often it is bought in two orders running, and how much its kind goes
    with those in the cart.
    """
    facts = np.zeros((TOLD, len(candidates)), dtype=np.float32)
    facts[: len(TERMS)] = model.features(visit, candidates)
    facts[len(TERMS) : -2] = visit.circumstances[:, None]
    if len(model.rebought):
        facts[-2] = model.rebought[candidates]
    if len(model.kind_links) and len(visit.cart):
        pulled = model.kind_links[model.kinds[visit.cart]].mean(axis=0)
        facts[-1] = np.sqrt(pulled)[model.kinds[candidates]]
    return facts
