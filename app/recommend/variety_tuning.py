"""Tunes the diversity penalty on validation carts: as much variety as costs no NDCG. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.recommend.cases import Case
from app.recommend.judge import SHOWN, K, anonymous
from app.recommend.metrics import ndcg_at_k
from app.recommend.model import Model
from app.recommend.ranking import RESCORED
from app.recommend.variety import Kinds, Variety, held_back

MOST_CARTS = 1_500
CHANCE = 1.96  # standard errors that a lead of nothing stays below in 95 of 100 shops
WAYS = 2
OPTIONS = tuple(Variety(*each) for each in product((0.0, 0.1, 0.2, 0.3, 0.4, 0.7), (0.0, 0.1, 0.2, 0.5)))
Held = tuple[Model, Sequence[Case]]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class VarietyCase:
    """What a cart is offered before anything is held back, best first, and what was bought with it.

    same, wanted_same: of what is offered and of what was bought, whether its kind is in the cart.
    """

    product_ids: NDArray[np.int64]
    scores: Doubles
    kinds: Kinds
    same: NDArray[np.bool_]
    wanted: frozenset[int]
    wanted_same: NDArray[np.bool_]

    def best(self, variety: Variety) -> tuple[float, float]:
        """Return NDCG@10, and the share of the first four that is of a kind in the cart."""
        scores = held_back(self.scores, self.kinds, self.same, variety)
        order = np.argsort(-scores, kind="stable")[:K]
        same = self.same[order[:SHOWN]]
        found = ndcg_at_k(self.product_ids[order].tolist(), self.wanted, K)
        return found, float(same.mean()) if len(same) else 0.0


def choose_variety(held: Iterable[Held]) -> Variety:
    """Return the variety whose first four hold as many products of the cart's kinds as are bought with carts.

    held: models with carts that they have not learnt from. What ranks these worse than the best choice does,
    beyond chance, is left out.
    """
    carts = [offered(model, each) for model, cases in held for case in _some(cases) for each in _ways(case)]
    reached = np.array([[cart.best(option) for cart in carts] for option in OPTIONS])
    ndcg = reached[:, :, 0].reshape(len(OPTIONS), -1, WAYS).mean(axis=2)
    same = reached[:, :, 1].mean(axis=1)
    lead = ndcg[ndcg.mean(axis=1).argmax()] - ndcg
    lasting = lead.mean(axis=1) <= CHANCE * lead.std(axis=1) / ndcg.shape[1] ** 0.5
    really = np.concatenate([cart.wanted_same for cart in carts]).mean()
    return OPTIONS[int(np.where(lasting, np.abs(same - really), np.inf).argmin())]


def offered(model: Model, case: Case) -> VarietyCase:
    """Return what the model would offer a cart without any variety."""
    found: list[tuple[list[int], list[float]]] = []

    def keep(product_ids: list[int], scores: list[float]) -> list[int]:
        found.append((product_ids, scores))
        return []  # nothing needs to be explained

    model.rank(
        case.cart,
        k=RESCORED,
        customer_id=case.customer_id,
        history=case.history,
        orders=case.orders,
        keep=keep,
    )
    [(product_ids, scores)] = found
    kinds, in_cart, wanted = (
        model.kinds[model.positions(ids)] for ids in (product_ids, case.cart, sorted(case.wanted))
    )
    ids = np.array(product_ids, dtype=np.int64)
    same, wanted_same = (np.isin(each, in_cart) for each in (kinds, wanted))
    return VarietyCase(ids, np.array(scores), kinds, same, case.wanted, wanted_same)


def _ways(case: Case) -> tuple[Case, ...]:
    """Return the case with and without its shopper known."""
    return (case, *anonymous([case]))


def _some(cases: Sequence[Case]) -> Sequence[Case]:
    return cases[:: max(1, len(cases) // MOST_CARTS)]
