"""What serves: a shop's trained model as plain arrays, and the ranking over them.

A ranking takes candidates first (neighbours of the cart, the shopper's history, best sellers) and scores
only those. Every term is a z-score over the whole catalogue all the same: the learned term's mean and
variance follow from the moments of the embeddings, the sparse terms' from their non-zero entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.recommend.reasons import Reason, explain

Basis = Literal["blend", "neighbours", "popularity", "content"]
Floats = NDArray[np.float32]
Positions = NDArray[np.intp]
Mask = NDArray[np.bool_]
Keep = Callable[[list[int], list[float]], list[int]]

POPULAR_CANDIDATES = 200
HISTORY_HALF_LIFE_DAYS = 90.0
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Scored:
    """A product, its score (comparable within one ranking only) and why it stands there."""

    product_id: int
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts; chosen per shop on its validation period."""

    together: float = 1.0
    learned: float = 0.0
    repeats: float = 0.0
    popular: float = 0.0
    fresh: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """A shopper as the arrays see them.

    cart, history: positions in the catalogue. together, repeats: (n,) raw values of these two terms.
    tastes: (2, d) float32, what the cart and what the customer id say.
    """

    cart: Positions
    history: Positions
    together: NDArray[np.float64]
    repeats: NDArray[np.float64]
    tastes: Floats


@dataclass(frozen=True, eq=False)
class Model:
    """One shop's model: n items, m neighbours a row, d dimensions, c customers. Arrays are read-only.

    product_ids (n,) int64 ascending; orders (n,) int32 training baskets that hold the item, 0 = never sold;
    popularity (n,) float32 time-decayed baskets; freshness (n,) float32 in [0, 1];
    neighbours (n, m) int32 positions, padded with the row's own, and neighbour_weights (n, m) float32;
    item_embeddings (n, d), item_biases (n,), cart_embeddings (n, d) float32; d = 0 when nothing was learnt;
    customer_ids (c,) int64 ascending, customer_embeddings (c, d) float32.
    """

    version: str
    basis: Basis
    weights: Weights
    product_ids: NDArray[np.int64]
    orders: NDArray[np.int32]
    popularity: Floats
    freshness: Floats
    neighbours: NDArray[np.int32]
    neighbour_weights: Floats
    item_embeddings: Floats
    item_biases: Floats
    cart_embeddings: Floats
    customer_ids: NDArray[np.int64]
    customer_embeddings: Floats

    def rank(
        self,
        cart: Sequence[int],
        *,
        k: int = 4,
        customer_id: int | None = None,
        history: Mapping[int, float] | None = None,
        allowed: Mask | None = None,
        new_slots: int = 0,
        keep: Keep | None = None,
    ) -> list[Scored]:
        """Return at most k products, best first, never one of the cart or one that is not allowed.

        cart: product ids, unknown ones are ignored. history: product id to times bought, for the personal
        rung only; best when a purchase counts half after HISTORY_HALF_LIFE_DAYS.
        allowed: mask aligned with product_ids (`Catalog.allowed`), None = all.
        new_slots: so many of the last places go to products that were never sold, when there are any.
        keep: says which of the k to return, from their ids and scores; only these are explained.
        """
        visit = self.visit(cart, customer_id, history or {})
        candidates = self.candidates(visit, allowed, k)
        parts = self.parts(visit, candidates)
        scores = parts.sum(axis=0)
        best = self._chosen(scores, candidates, k, new_slots)
        if keep is not None:
            best = best[keep(self.product_ids[candidates[best]].tolist(), scores[best].tolist())]
        chosen = candidates[best]
        terms = np.concatenate([self._learned(visit, chosen), parts[1:, best]])
        reasons = explain(self, visit, chosen, terms)
        ids = self.product_ids[chosen].tolist()
        return [Scored(*one) for one in zip(ids, scores[best].tolist(), reasons, strict=True)]

    def positions(self, product_ids: Sequence[int]) -> Positions:
        """Return where known products stand in product_ids, in the given order; unknown ones are left out."""
        at, known = self._find(product_ids)
        return at[known]

    def visit(self, cart: Sequence[int], customer_id: int | None, history: Mapping[int, float]) -> Visit:
        """Return the shopper as positions, counts and tastes."""
        in_cart = self.positions(list(dict.fromkeys(cart)))
        bought, known = self._find(list(history))
        times_bought = np.fromiter(history.values(), np.float64, len(history))[known]
        repeats = np.zeros(len(self.product_ids))
        repeats[bought[known]] = np.log1p(times_bought)
        tastes = np.stack([self._cart_taste(in_cart), self._customer_taste(customer_id)])
        return Visit(in_cart, bought[known], self._together(in_cart), repeats, tastes)

    def candidates(self, visit: Visit, allowed: Mask | None, k: int) -> Positions:
        """Return what is worth scoring; all that is allowed when that leaves fewer than k."""
        wanted = visit.together > 0
        wanted[visit.history] = True
        wanted[self._popular] = True
        offerable = np.ones(len(wanted), dtype=np.bool_) if allowed is None else allowed.copy()
        offerable[visit.cart] = False
        candidates = np.flatnonzero(wanted & offerable)
        return candidates if len(candidates) >= k else np.flatnonzero(offerable)

    def parts(self, visit: Visit, candidates: Positions) -> NDArray[np.float64]:
        """Return the weighted parts of each candidate's score, shape (5, candidates).

        Rows: learned, together, repeats, popular, fresh.
        """
        weights = self.weights
        # Without a known cart the neighbours are silent and best sellers speak up.
        popular = weights.popular if len(visit.cart) else max(weights.popular, 1.0)
        mean, scale = self._learned_scale(visit)
        learned = self.item_embeddings.take(candidates, axis=0) @ visit.tastes.sum(axis=0)
        parts = np.empty((5, len(candidates)))
        parts[0] = (learned + self.item_biases[candidates] - mean) * (weights.learned * scale)
        parts[1] = weights.together * standardised(visit.together, candidates)
        parts[2] = weights.repeats * standardised(visit.repeats, candidates)
        parts[3] = popular * self._popularity_z[candidates]
        parts[4] = weights.fresh * self.freshness[candidates]
        return parts

    def _find(self, product_ids: Sequence[int]) -> tuple[Positions, Mask]:
        wanted = np.array(product_ids, dtype=np.int64)
        if not len(self.product_ids):
            return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted), dtype=np.bool_)
        at = np.searchsorted(self.product_ids, wanted)
        at[at == len(self.product_ids)] = 0
        return at, self.product_ids[at] == wanted

    def _chosen(
        self, scores: NDArray[np.float64], candidates: Positions, k: int, new_slots: int
    ) -> Positions:
        best = top(scores, k)
        if new_slots <= 0:
            return best
        never_sold = np.flatnonzero(self.orders[candidates] == 0)
        never_sold = never_sold[~np.isin(never_sold, best)]
        new = never_sold[top(scores[never_sold], min(new_slots, k))]
        return np.concatenate([best[: max(0, k - len(new))], new])

    def _together(self, cart: Positions) -> NDArray[np.float64]:
        pulls = self.neighbour_weights[cart].ravel()
        return np.sqrt(np.bincount(self.neighbours[cart].ravel(), pulls, minlength=len(self.product_ids)))

    def _learned_scale(self, visit: Visit) -> tuple[float, float]:
        """Return the mean of the learned scores over the whole catalogue, and 1 / their deviation."""
        mean, covariance = self._moments
        direction = np.append(visit.tastes.sum(axis=0), 1.0)
        variance = float(direction @ covariance @ direction)
        return float(direction @ mean), variance**-0.5 if variance > NOTHING else 0.0

    def _learned(self, visit: Visit, items: Positions) -> NDArray[np.float64]:
        """Return the learned part taken apart, (3, items): of the cart, of the customer, of the item."""
        mean, _ = self._moments
        parts = np.empty((3, len(items)))
        parts[:2] = visit.tastes @ (self.item_embeddings[items] - mean[:-1]).T
        parts[2] = self.item_biases[items] - mean[-1]
        return parts * (self.weights.learned * self._learned_scale(visit)[1])

    def _cart_taste(self, cart: Positions) -> Floats:
        # Weighted 1/sqrt(n) in training, and so here.
        return np.asarray(
            self.cart_embeddings[cart].sum(axis=0) / np.sqrt(max(len(cart), 1)), dtype=np.float32
        )

    def _customer_taste(self, customer_id: int | None) -> Floats:
        at = 0 if customer_id is None else int(np.searchsorted(self.customer_ids, customer_id))
        if customer_id is None or at == len(self.customer_ids) or self.customer_ids[at] != customer_id:
            return np.zeros(self.item_embeddings.shape[1], dtype=np.float32)
        return np.asarray(self.customer_embeddings[at])

    @cached_property
    def _popular(self) -> Positions:
        return np.lexsort((-self.freshness, -self.popularity))[:POPULAR_CANDIDATES]

    @cached_property
    def _popularity_z(self) -> NDArray[np.float64]:
        return standardised(np.log1p(self.popularity.astype(np.float64)), np.arange(len(self.product_ids)))

    @cached_property
    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean (d + 1,) and covariance (d + 1, d + 1) of the embeddings with their biases."""
        columns = np.column_stack([self.item_embeddings, self.item_biases]).astype(np.float64)
        if not len(columns):
            return np.zeros(columns.shape[1]), np.zeros((columns.shape[1], columns.shape[1]))
        mean = columns.mean(axis=0)
        return mean, columns.T @ columns / len(columns) - np.outer(mean, mean)


def standardised(values: NDArray[np.float64], at: Positions) -> NDArray[np.float64]:
    """Return the z-scores, over all values, of those at the given positions; zeros when all are equal."""
    mean = values.sum() / max(len(values), 1)
    variance = values @ values / max(len(values), 1) - mean * mean
    if variance < NOTHING:
        return np.zeros(len(at))
    return np.asarray((values[at] - mean) / np.sqrt(variance))


def top(scores: NDArray[np.float64], k: int) -> Positions:
    """Return the positions of the k highest scores, highest first, ties by position."""
    if k <= 0:
        return np.empty(0, dtype=np.intp)
    if len(scores) > k:
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        contenders = np.flatnonzero(scores >= threshold)
    else:
        contenders = np.arange(len(scores))
    return contenders[np.argsort(-scores[contenders], kind="stable")][:k]
