"""Learns each ranking term's weight from validation carts: listwise softmax, held near plain weights.

Cao et al., Learning to Rank: From Pairwise Approach to Listwise Approach (2007). Of the candidates of a
cart those that were bought with it should have the highest probability; a Gaussian prior around the
plain weights decides where carts are few, so that a small shop keeps them and a large one leaves them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from app.recommend.cases import Case
from app.recommend.model import Model, Visit
from app.recommend.pull import Positions
from app.recommend.terms import CIRCUMSTANCES

PRIOR_CARTS = 6.0  # how many carts the plain weights are worth
STEPS = 80
ANONYMOUS_SHARE = 1 / 3
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Candidates = Callable[[Model, Visit], Positions]


@dataclass(frozen=True, eq=False)
class CandidateLists:
    """The r candidates of m carts. features: (r, t) float32, in deviations of the terms.

    wanted: (r,) float32, 1 where it was bought. starts: (m,) first row of each cart.
    circumstances: (m, 4), a constant first. deviations: (t,) of the terms, 0 where a term never varies.
    """

    features: Floats
    wanted: Floats
    starts: NDArray[np.intp]
    circumstances: Doubles
    deviations: Doubles

    @cached_property
    def carts(self) -> NDArray[np.intp]:
        """Return the cart of each row, (r,)."""
        return np.repeat(np.arange(len(self.starts)), np.diff(np.append(self.starts, len(self.wanted))))


def learn_weights(
    model: Model, cases: Sequence[Case], prior: Doubles, candidates: Candidates, seed: int
) -> Doubles:
    """Return weights and shifts, (4, t), that make what was bought with the carts most likely.

    prior: (4, t), what carts that say nothing leave standing. candidates: what a visit is offered from.
    """
    lists = collect(model, cases, candidates, seed)
    return prior if lists is None else fit_weights(lists, prior)


def collect(model: Model, cases: Sequence[Case], candidates: Candidates, seed: int) -> CandidateLists | None:
    """Return the candidates of the carts, a third of them without their shopper; None when none has any."""
    random = np.random.default_rng(seed)
    features, wanted, around = [], [], []
    for case, anonymous in zip(cases, random.random(len(cases)) < ANONYMOUS_SHARE, strict=True):
        visit = visit_of(model, case, anonymous=bool(anonymous))
        offered = candidates(model, visit)
        found = np.isin(model.product_ids[offered], list(case.wanted))
        if found.any() and not found.all():
            features.append(model.features(visit, offered).T.astype(np.float32))
            wanted.append(found.astype(np.float32))
            around.append(np.append(1.0, visit.circumstances))
    return _lists(features, wanted, around) if features else None


def visit_of(model: Model, case: Case, *, anonymous: bool = False) -> Visit:
    """Return the visit of a case, with or without what is known of its shopper."""
    if anonymous:
        return model.visit(case.cart, None, {})
    return model.visit(case.cart, case.customer_id, case.history, case.orders)


def fit_weights(lists: CandidateLists, prior: Doubles) -> Doubles:
    """Return the most likely weights and shifts, (4, t), given the lists and the prior."""
    centre = (prior * lists.deviations).ravel()

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        value, slope = log_loss(lists, flat.reshape(CIRCUMSTANCES + 1, -1))
        away = flat - centre
        return value + PRIOR_CARTS * float(away @ away), slope.ravel() + 2 * PRIOR_CARTS * away

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    inverse = np.where(lists.deviations > 0, 1 / np.maximum(lists.deviations, 1e-9), 0.0)
    return np.asarray(found.x.reshape(CIRCUMSTANCES + 1, -1) * inverse)


def _lists(features: list[Floats], wanted: list[Floats], around: list[Doubles]) -> CandidateLists:
    starts = np.concatenate([[0], np.cumsum([len(one) for one in wanted])[:-1]])
    stacked = np.concatenate(features)
    deviations = stacked.std(axis=0, dtype=np.float64)
    deviations[deviations < 1e-6] = 0
    stacked *= np.where(deviations > 0, 1 / np.maximum(deviations, 1e-6), 0).astype(np.float32)
    return CandidateLists(stacked, np.concatenate(wanted), starts, np.array(around), deviations)


def log_loss(lists: CandidateLists, weights: Doubles) -> tuple[float, Doubles]:
    """Return the summed loss of the carts and its gradient, (4, t).

    A cart counts by the root of how many products were wanted: large baskets do not drown small ones.
    """
    carts, starts, around = lists.carts, lists.starts, lists.circumstances.astype(np.float32)
    told = around[carts]
    scores = np.einsum("rc,rc->r", lists.features @ weights.T.astype(np.float32), told)
    scores -= np.maximum.reduceat(scores, starts)[carts]
    likely = np.exp(scores)
    totals = np.add.reduceat(likely, starts)
    wanted = np.add.reduceat(lists.wanted, starts)
    share = 1 / np.sqrt(wanted)
    loss = wanted * np.log(totals) - np.add.reduceat(lists.wanted * scores, starts)
    slope = (likely / totals[carts] * wanted[carts] - lists.wanted) * share[carts]
    gradient = (slope[:, None] * told).T @ lists.features
    return float((loss * share).sum()), gradient.astype(np.float64)
