"""Ranking metrics of a model's recommendations for a set of later carts, and their differences."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.recommend.baselines import Mask, Scorer, Tops, tops_of
from app.recommend.cases import Case
from app.recommend.metrics import hit_at_k, ndcg_at_k, recall_at_k
from app.recommend.model import Model

K = 10
SHOWN = 4
Ids = NDArray[np.int64]
Metric = Callable[[Sequence[int], Collection[int], int], float]


@dataclass(frozen=True, slots=True)
class RankingMetrics:
    """Means over the cases.

    coverage: share of the catalogue that is ever recommended. novelty: mean bits of a recommendation's
    share of all orders, higher is less obvious. same_kind: share of the first 4 that are of a cart
    product's type; same_kind_bought, other_kind_bought: the share of these, and of the rest of the first 4,
    that were really bought with the cart. cold_recall_at_10: of products never trained on, ranked among
    themselves; None when none was wanted or the model can't tell them apart.
    """

    recall_at_10: float
    ndcg_at_10: float
    hit_at_4: float
    coverage: float
    novelty: float = 0.0
    same_kind: float = 0.0
    same_kind_bought: float = 0.0
    other_kind_bought: float = 0.0
    cold_recall_at_10: float | None = None
    cases: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Recommendations:
    """A model's top products for each case: of all, of those the shopper never bought, of cold ones."""

    all: Tops
    discovery: Tops
    cold: Tops | None


@dataclass(frozen=True, slots=True, eq=False)
class TestSet:
    """Test cases, and what the metrics need to know of the products, aligned with product_ids.

    discoveries: the cases in which something was wanted that the shopper had not bought before, and only
    that. cold_cases: in which something cold was wanted, and only that. shares: (n,) of all orders.
    """

    product_ids: Ids
    kinds: NDArray[np.int32]
    shares: NDArray[np.float64]
    cold: Mask
    cases: tuple[Case, ...]
    discoveries: tuple[Case, ...]
    cold_cases: tuple[Case, ...]

    def figures(self, answers: Recommendations) -> RankingMetrics:
        """Return the figures over all cases."""
        cold = None
        if answers.cold is not None and self.cold_cases:
            cold = float(by_case(recall_at_k, self.cold_cases, answers.cold, K).mean())
        return replace(self.of(self.cases, answers.all), cold_recall_at_10=cold)

    def of(self, cases: Sequence[Case], tops: Tops) -> RankingMetrics:
        """Return the figures of these rankings of these cases."""
        ranked = [np.searchsorted(self.product_ids, top) for top in tops]
        everything = np.concatenate(ranked) if ranked else np.zeros(0, dtype=np.intp)
        of_same, of_other = self._bought_by_kind(cases, [top[:SHOWN] for top in tops])
        return RankingMetrics(
            recall_at_10=float(by_case(recall_at_k, cases, tops, K).mean()),
            ndcg_at_10=float(by_case(ndcg_at_k, cases, tops, K).mean()),
            hit_at_4=float(by_case(hit_at_k, cases, tops, SHOWN).mean()),
            coverage=len(np.unique(everything)) / len(self.product_ids),
            novelty=float(-np.log2(self.shares[everything]).mean()) if len(everything) else 0.0,
            same_kind=self._same_kind(cases, [top[:SHOWN] for top in tops]),
            same_kind_bought=of_same,
            other_kind_bought=of_other,
            cases=len(cases),
        )

    def same_kind_really(self) -> float:
        """Return the share of what was really bought with the carts that is of a cart product's type."""
        return self._same_kind(self.cases, [sorted(case.wanted) for case in self.cases])

    def _same_kind(self, cases: Sequence[Case], tops: Tops) -> float:
        same = total = 0
        for case, ranked in zip(cases, tops, strict=True):
            in_cart = self._kinds_of(case.cart)
            same += int(np.isin(self._kinds_of(ranked), in_cart).sum())
            total += len(ranked)
        return same / max(total, 1)

    def _bought_by_kind(self, cases: Sequence[Case], tops: Tops) -> tuple[float, float]:
        """Return the share that was bought, of what is of a cart product's type and of the rest."""
        offered, bought = np.zeros(2), np.zeros(2)
        for case, ranked in zip(cases, tops, strict=True):
            same = np.isin(self._kinds_of(ranked), self._kinds_of(case.cart)).astype(np.intp)
            found = np.isin(ranked, list(case.wanted))
            offered += np.bincount(same, minlength=2)
            bought += np.bincount(same, found, minlength=2)
        other_share, same_share = (bought / np.maximum(offered, 1)).tolist()
        return same_share, other_share

    def _kinds_of(self, product_ids: Sequence[int]) -> NDArray[np.int32]:
        return self.kinds[np.searchsorted(self.product_ids, product_ids)]


def test_set_of(
    product_ids: Ids, kinds: NDArray[np.int32], orders: NDArray[np.int32], cases: Sequence[Case]
) -> TestSet:
    """Return the test set of these cases. orders: (n,) of training that hold each product; 0 is cold."""
    cold = orders == 0
    cold_ids = frozenset(product_ids[cold].tolist())
    # An order more for each, so that a product nobody bought is very novel and not infinitely so.
    shares = (orders + 1) / (orders.sum() + len(orders))
    return TestSet(
        product_ids, kinds, shares, cold, tuple(cases),
        tuple(_only(cases, lambda case: case.wanted.difference(case.history))),
        tuple(_only(cases, lambda case: case.wanted & cold_ids)),
    )  # fmt: skip


def recommendations_of(scorer: Scorer, test_set_of: TestSet, *, knows_cold: bool = False) -> Recommendations:
    """Return what a plain model recommends."""
    ids = test_set_of.product_ids
    return Recommendations(
        all=tops_of(scorer, ids, test_set_of.cases, K),
        discovery=tops_of(scorer, ids, test_set_of.discoveries, K, lambda case: _bought(ids, case)),
        cold=tops_of(scorer, ids, test_set_of.cold_cases, K, lambda _: ~test_set_of.cold)
        if knows_cold
        else None,
    )


def served_recommendations(model: Model, test_set_of: TestSet) -> Recommendations:
    """Return what ours recommends, through the very calls that serve."""
    return Recommendations(
        all=[ranked(model, case) for case in test_set_of.cases],
        discovery=[
            ranked(model, case, ~_bought(test_set_of.product_ids, case)) for case in test_set_of.discoveries
        ],
        cold=[_new(model, case) for case in test_set_of.cold_cases],
    )


def ranked(model: Model, case: Case, allowed: Mask | None = None) -> list[int]:
    """Return the ten best for a case."""
    best = model.rank(
        case.cart,
        k=K,
        customer_id=case.customer_id,
        history=case.history,
        orders=case.orders,
        allowed=allowed,
        keep=lambda ids, _: list(range(len(ids))),
    )
    return [one.product_id for one in best]


def by_case(metric: Metric, cases: Sequence[Case], tops: Tops, k: int) -> NDArray[np.float64]:
    """Return a metric of each case, (cases,)."""
    return np.array([metric(top, case.wanted, k) for case, top in zip(cases, tops, strict=True)])


def ndcg_of(model: Model, cases: Sequence[Case]) -> NDArray[np.float64]:
    """Return the model's NDCG@10 of each case, (cases,)."""
    return by_case(ndcg_at_k, cases, [ranked(model, case) for case in cases], K)


def anonymous(cases: Sequence[Case]) -> list[Case]:
    """Return the cases as they are without consent: nobody is known."""
    return [replace(case, customer_id=None, history={}, orders=0) for case in cases]


def _new(model: Model, case: Case) -> list[int]:
    visit = model.visit(case.cart, case.customer_id, case.history, case.orders)
    return [one.product_id for one in model.rank_new(visit, None, K)]


def _only(cases: Sequence[Case], wanted: Callable[[Case], frozenset[int]]) -> list[Case]:
    return [replace(case, wanted=left) for case in cases if (left := wanted(case))]


def _bought(product_ids: Ids, case: Case) -> Mask:
    mask: Mask = np.zeros(len(product_ids), dtype=np.bool_)
    mask[np.searchsorted(product_ids, list(case.history))] = True
    return mask
