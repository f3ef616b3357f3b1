"""The best of a visit's candidates: weighed first, those on top placed anew by trees and variety. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.recommend.score import Doubles, Positions, scores, top
from app.recommend.terms import CIRCUMSTANCES, TERMS
from app.recommend.trees import corrections
from app.recommend.variety import Variety, held_back

if TYPE_CHECKING:
    from app.recommend.model import Model, Visit

RESCORED = 64  # so many of the best are placed anew
AROUND = slice(len(TERMS), len(TERMS) + CIRCUMSTANCES)
REBOUGHT, KIND, CLOSEST, LINKED = range(AROUND.stop, AROUND.stop + 4)
TOLD = LINKED + 1


class Ranking(NamedTuple):
    """The best for a visit: their places in product_ids, their scores, and what of these no weight says."""

    chosen: Positions
    scores: Doubles
    corrected: Doubles


class Weighed(NamedTuple):
    """The candidates of a visit that weights alone place highest, and their scores."""

    visit: Visit
    chosen: Positions
    scores: Doubles


def place(
    model: Model, visits: Sequence[Visit], candidates: Sequence[Positions], weights: Sequence[Doubles], k: int
) -> list[Ranking]:
    """Return the k best of each visit's candidates.

    Each step is taken for all visits before the next: the code and the tables that it needs are then near
    the processor, where they are not when each visit takes a hundred other steps in between.
    """
    found = [scores(model, *one) for one in zip(visits, candidates, weights, strict=True)]
    anew = _places_anew(model)
    most = max(k, RESCORED) if anew else k
    best = [top(each, most) for each in found]
    weighed = [
        Weighed(visit, of.take(at), each.take(at))
        for visit, of, each, at in zip(visits, candidates, found, best, strict=True)
    ]
    if not anew:
        return [Ranking(chosen, score, np.zeros(len(chosen))) for _, chosen, score in weighed]
    totals = [
        _held_back(model, one, total) for one, total in zip(weighed, _corrected(model, weighed), strict=True)
    ]
    return [_placed(one, total, k) for one, total in zip(weighed, totals, strict=True)]


def _places_anew(model: Model) -> bool:
    """Return whether more than weights places the best."""
    trees = len(model.trees) or len(model.strangers_trees)
    return bool(trees or len(model.variety) or len(model.appeal))


def _corrected(model: Model, weighed: Sequence[Weighed]) -> list[Doubles]:
    """Return the scores with what the trees say, and what each product appeals by itself."""
    trees = [model.trees_for(one.visit) for one in weighed]
    facts = [
        told(model, one.visit, one.chosen) if len(of) else None
        for one, of in zip(weighed, trees, strict=True)
    ]
    totals = [
        one.scores if fact is None else one.scores + corrections(of, fact)
        for one, of, fact in zip(weighed, trees, facts, strict=True)
    ]
    if not len(model.appeal):
        return totals
    return [total + model.appeal.take(one.chosen) for one, total in zip(weighed, totals, strict=True)]


def _held_back(model: Model, weighed: Weighed, total: Doubles) -> Doubles:
    if not (len(model.variety) and len(model.kinds)):
        return total
    kinds = model.kinds.take(weighed.chosen)
    in_cart = weighed.visit.kinds[0].take(kinds) > 0
    return held_back(total, kinds, in_cart, Variety(*model.variety.tolist()))


def _placed(weighed: Weighed, total: Doubles, k: int) -> Ranking:
    order = top(total, k)
    scores = total.take(order)
    return Ranking(weighed.chosen.take(order), scores, scores - weighed.scores.take(order))


def told(model: Model, visit: Visit, candidates: Positions) -> NDArray[np.float32]:
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


def links(model: Model, cart: Positions, candidates: Positions) -> NDArray[np.float32]:
    """Return how much each candidate goes with each product of the cart, (cart, candidates)."""
    column = np.full(len(model.product_ids), -1, dtype=np.int32)
    column[candidates] = np.arange(len(candidates), dtype=np.int32)
    columns = column.take(model.neighbours.take(cart, axis=0).ravel())
    (at,) = (columns >= 0).nonzero()
    weights = model.neighbour_weights.take(cart, axis=0).ravel()
    found = np.zeros((len(cart), len(candidates)), dtype=np.float32)
    found[at // model.neighbours.shape[1], columns.take(at)] = weights.take(at)
    return found
