"""How well products fit a visit: what `Arrays.features` says, weighed and added up in few passes. Pure."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.recommend.arrays import Arrays
from app.recommend.pull import Doubles, Positions
from app.recommend.terms import AT, BOUGHT, KINDS, STANDING
from app.recommend.visit import Visit

Value = TypeVar("Value", bound=np.generic)

WHOLE = 2_000  # of so few products all are scored: to pick some takes longer
FEW = 200  # so few are sorted whole: to set the best apart takes longer


def scores(model: Arrays, visit: Visit, candidates: Positions, weights: Doubles) -> Doubles:
    """Return the candidates' scores, `weights @ features` up to what is the same for all of them."""
    if len(model.product_ids) <= WHOLE:  # to read all rows in turn takes less than to pick some
        return _scores(model, visit, None, weights).take(candidates)
    return _scores(model, visit, candidates, weights)


def _scores(model: Arrays, visit: Visit, at: Positions | None, weights: Doubles) -> Doubles:
    """Return the scores there, of all products in their order when at is None."""
    learned = weights[AT["learned"]] * visit.learned_scale
    standing = weights.take(STANDING)
    standing[-1] += learned
    taste = visit.tastes[0] * learned + visit.tastes[1] * (learned + weights[AT["learned_customer"]])
    total: Doubles = standing @ _at(model.standing, at, 1)
    total += _at(model.item_embeddings, at, 0) @ taste.astype(np.float32)
    total += _at(visit.together.values, at, 0) * (weights[AT["together"]] * visit.together.scale)
    if len(model.kinds) and (len(visit.cart) or len(visit.history)):
        total += (weights.take(KINDS) @ visit.kinds).take(_at(model.kinds, at, 0))
    if len(visit.history):
        with_history = weights[AT["with_history"]] * visit.with_history.scale
        total += _at(visit.with_history.values, at, 0) * with_history
        bought = np.zeros(len(model.product_ids))
        bought[visit.history] = _of_history(model, visit, weights)
        total += _at(bought, at, 0)
    return total


def _at(values: NDArray[Value], at: Positions | None, axis: int) -> NDArray[Value]:
    return values if at is None else values.take(at, axis)


def _of_history(model: Arrays, visit: Visit, weights: Doubles) -> Doubles:
    """Return what having been bought adds to the score of each product of the history, (history,)."""
    repeats = weights[AT["repeats"]] * visit.repeats.scale
    together = weights[AT["together_again"]] * visit.together.at(visit.history)
    popular = weights[AT["popular_again"]] * model.standing[0].take(visit.history)
    found: Doubles = weights.take(BOUGHT) @ visit.bought[1:] + repeats * visit.bought[0]
    found += together
    found += popular
    return found


def top(scores: Doubles, k: int) -> Positions:
    """Return the positions of the k highest scores, highest first, ties by position."""
    if k <= 0:
        return np.empty(0, dtype=np.intp)
    if len(scores) <= max(k, FEW):
        few: Positions = (-scores).argsort(kind="stable")[:k]
        return few
    parted = scores.copy()
    parted.partition(len(scores) - k)
    (contenders,) = (scores >= parted[len(scores) - k]).nonzero()
    best: Positions = contenders.take((-scores.take(contenders)).argsort(kind="stable")[:k])
    return best


def highest(values: Doubles, most: int) -> Positions:
    """Return the positions of at most so many positive values, the highest, in no order."""
    positive = np.flatnonzero(values > 0)
    if len(positive) <= most:
        return positive
    return positive[np.argpartition(-values[positive], most - 1)[:most]]
