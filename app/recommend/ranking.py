"""Ranks a visit's candidates by weighted terms, then the best of them again by trees and variety. Pure."""

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

RESCORED = 64  # so many of the best are ranked again
AROUND = slice(len(TERMS), len(TERMS) + CIRCUMSTANCES)
REBOUGHT, KIND, CLOSEST, LINKED = range(AROUND.stop, AROUND.stop + 4)
TREE_FEATURES = LINKED + 1


class Ranking(NamedTuple):
    """The k best products for a visit, best first.

    chosen: (k,) positions in product_ids. scores: (k,). corrected: (k,) what trees, appeal and variety added
    to the weighted terms. weights: (t,) of the visit.
    """

    chosen: Positions
    scores: Doubles
    corrected: Doubles
    weights: Doubles


def rank_candidates(model: Arrays, visit: Visit, candidates: Positions, weights: Doubles, k: int) -> Ranking:
    """Return the k best of the candidates. weights: (t,) of the terms."""
    found, trees = scores(model, visit, candidates, weights), model.trees_for(visit)
    if not (len(trees) or len(model.variety) or len(model.appeal)):
        best = top(found, k)
        return Ranking(candidates[best], found[best], np.zeros(len(best)), weights)
    best = top(found, max(k, RESCORED))
    chosen, total = candidates[best], found[best]
    if len(trees):
        total = total + corrections(trees, tree_features(model, visit, chosen))
    if len(model.appeal):
        total = total + model.appeal[chosen]
    if len(model.variety) and len(model.kinds):
        kinds = model.kinds[chosen]
        total = held_back(total, kinds, visit.kinds[0, kinds] > 0, Variety(*model.variety.tolist()))
    order = top(total, k)
    return Ranking(chosen[order], total[order], (total - found[best])[order], weights)


def tree_features(model: Arrays, visit: Visit, candidates: Positions) -> NDArray[np.float32]:
    """Return the input of the trees, (TREE_FEATURES, candidates) float32.

    For each candidate: its terms, the circumstances, how often it is bought in two consecutive orders, how
    strongly its kind goes with those in the cart, how strongly the closest product of the cart goes with it,
    and the share of the cart's products that do.
    """
    facts = np.zeros((TREE_FEATURES, len(candidates)), dtype=np.float32)
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
    """Return how strongly each candidate goes with each product of the cart, (cart, candidates) float32."""
    column = np.full(len(model.product_ids), -1, dtype=np.int32)
    column[candidates] = np.arange(len(candidates), dtype=np.int32)
    columns = column.take(model.neighbours.take(cart, axis=0).ravel())
    (at,) = (columns >= 0).nonzero()
    weights = model.neighbour_weights.take(cart, axis=0).ravel()
    found = np.zeros((len(cart), len(candidates)), dtype=np.float32)
    found[at // model.neighbours.shape[1], columns.take(at)] = weights.take(at)
    return found
