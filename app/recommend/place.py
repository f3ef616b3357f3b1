"""The best of a visit's candidates: weighed first, those on top placed anew by trees and variety. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.recommend.arrays import Arrays
from app.recommend.pull import Doubles, Positions
from app.recommend.score import scores, top
from app.recommend.terms import CIRCUMSTANCES, TERMS
from app.recommend.trees import corrections
from app.recommend.variety import Variety, held_back
from app.recommend.visit import Visit

RESCORED = 64  # so many of the best are placed anew
AROUND = slice(len(TERMS), len(TERMS) + CIRCUMSTANCES)
REBOUGHT, KIND, CLOSEST, LINKED = range(AROUND.stop, AROUND.stop + 4)
TOLD = LINKED + 1


class Ranking(NamedTuple):
    """The best for a visit: their places in product_ids, their scores, and what of these no weight says.

    weights: (t,) of the visit.
    """

    chosen: Positions
    scores: Doubles
    corrected: Doubles
    weights: Doubles


def place(model: Arrays, visit: Visit, candidates: Positions, weights: Doubles, k: int) -> Ranking:
    """Return the k best of the candidates."""
    found, trees = scores(model, visit, candidates, weights), model.trees_for(visit)
    if not (len(trees) or len(model.variety) or len(model.appeal)):
        best = top(found, k)
        return Ranking(candidates[best], found[best], np.zeros(len(best)), weights)
    best = top(found, max(k, RESCORED))
    chosen, total = candidates[best], found[best]
    if len(trees):
        total = total + corrections(trees, told(model, visit, chosen))
    if len(model.appeal):
        total = total + model.appeal[chosen]
    if len(model.variety) and len(model.kinds):
        kinds = model.kinds[chosen]
        total = held_back(total, kinds, visit.kinds[0, kinds] > 0, Variety(*model.variety.tolist()))
    order = top(total, k)
    return Ranking(chosen[order], total[order], (total - found[best])[order], weights)


def told(model: Arrays, visit: Visit, candidates: Positions) -> NDArray[np.float32]:
    """Return what the trees are told of each candidate, (TOLD, candidates).

    Its terms, the circumstances, how often it is bought in two orders running, how much its kind goes with
    those in the cart, and of the cart's products how much the closest goes with it and what share does.
    """
    facts = np.zeros((TOLD, len(candidates)), dtype=np.float32)
    model.add_features(facts, visit, candidates)
    facts[AROUND] = visit.circumstances[:, None]
    if len(model.rebought):
        facts[REBOUGHT] = model.rebought.take(candidates)
    if len(visit.cart):
        if len(model.kind_links):
            pulled = np.add.reduce(model.kind_links.take(model.kinds.take(visit.cart), axis=0), axis=0)
            facts[KIND] = np.sqrt(pulled / len(visit.cart)).take(model.kinds.take(candidates))
        of_cart = links(model, visit.cart, candidates)
        np.sqrt(of_cart.max(axis=0), out=facts[CLOSEST])
        facts[LINKED] = np.add.reduce(of_cart > 0, axis=0, dtype=np.float32) / len(visit.cart)
    return facts


def links(model: Arrays, cart: Positions, candidates: Positions) -> NDArray[np.float32]:
    """Return how much each candidate goes with each product of the cart, (cart, candidates)."""
    column = np.full(len(model.product_ids), -1, dtype=np.int32)
    column[candidates] = np.arange(len(candidates), dtype=np.int32)
    columns = column.take(model.neighbours.take(cart, axis=0).ravel())
    (at,) = (columns >= 0).nonzero()
    weights = model.neighbour_weights.take(cart, axis=0).ravel()
    found = np.zeros((len(cart), len(candidates)), dtype=np.float32)
    found[at // model.neighbours.shape[1], columns.take(at)] = weights.take(at)
    return found
