"""A shop's trained model as plain arrays, and what follows from them for every visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.recommend.pull import Doubles, Positions, pull
from app.recommend.terms import AT, BOUGHT, KINDS, STANDING, TERMS, Weights, no_shifts
from app.recommend.trees import Trees, no_trees
from app.recommend.visit import Visit

Basis = Literal["blend", "neighbours", "popularity", "content"]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Arrays:
    """What one shop's model is: n items, m neighbours a row, d dimensions, c customers, t terms. Read-only.

    product_ids (n,) int64 ascending; orders (n,) int32 training baskets that hold the item, 0 = never sold;
    popularity, recent (n,) float32 baskets, decayed over months and weeks; freshness (n,) float32 in [0, 1];
    kinds (n,) int32, equal for products of one type; bought_twice (n,) float32, of the orders that hold one
    of its kind the share that hold two different ones;
    neighbours (n, m) int32 positions, padded with the row's own, and neighbour_weights (n, m) float32;
    item_embeddings (n, d), item_biases (n,), cart_embeddings (n, d) float32; d = 0 when nothing was learnt;
    customer_ids (c,) int64 ascending, customer_embeddings (c, d) float32.
    shifts (3, t) float64: how circumstances change the weights; new_weights (4, t) float64: weights and
    shifts among products that were never sold. rebought (n,) float32, of the orders that hold a product, the
    share whose shopper buys it again the next time; kind_links (kinds, kinds) float32, how much kinds go with
    one another, none when there are too many; tree_asks, tree_edges, tree_leaves: see `Trees`; stranger_…:
    the same for who bought nothing before, none: the others serve. variety (2,) float64: see `Variety`, (0,)
    where nothing was chosen. appeal (n,) float32: log odds of being taken when shown, (0,) where unknown.
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
    recent: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    kinds: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    bought_twice: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    shifts: Doubles = field(default_factory=no_shifts)
    new_weights: Doubles = field(default_factory=lambda: np.zeros((0, len(TERMS))))
    rebought: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    kind_links: Floats = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    tree_asks: NDArray[np.int32] = field(default_factory=lambda: no_trees().asks)
    tree_edges: Floats = field(default_factory=lambda: no_trees().edges)
    tree_leaves: Floats = field(default_factory=lambda: no_trees().leaves)
    stranger_asks: NDArray[np.int32] = field(default_factory=lambda: no_trees().asks)
    stranger_edges: Floats = field(default_factory=lambda: no_trees().edges)
    stranger_leaves: Floats = field(default_factory=lambda: no_trees().leaves)
    variety: Doubles = field(default_factory=lambda: np.zeros(0))
    appeal: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def unsold(self, allowed: Mask | None) -> list[int]:
        """Return the ids of the allowed products that were never sold."""
        eligible = self.orders == 0 if allowed is None else allowed & (self.orders == 0)
        found: list[int] = self.product_ids[eligible].tolist()
        return found

    def positions(self, product_ids: Sequence[int]) -> Positions:
        """Return where known products stand in product_ids, in the given order; unknown ones are left out."""
        found = map(self._position.get, product_ids)
        return np.array([at for at in found if at is not None], dtype=np.intp)

    def features(self, visit: Visit, candidates: Positions) -> Doubles:
        """Return what each term says of each candidate, shape (t, candidates), in the order of TERMS."""
        terms = np.zeros((len(TERMS), len(candidates)))
        self.add_features(terms, visit, candidates)
        return terms

    def add_features(self, terms: Floats | Doubles, visit: Visit, candidates: Positions) -> None:
        """Put the features into rows that are 0."""
        terms[STANDING] = self.standing.take(candidates, axis=1)
        terms[AT["together"]] = visit.together.at(candidates)
        self._add_learned(terms, visit, candidates)
        if len(visit.history) and len(candidates):
            self._add_history(terms, visit, candidates)
        if len(self.kinds):
            terms[KINDS] = visit.kinds.take(self.kinds.take(candidates), axis=1)

    def trees_for(self, visit: Visit) -> Trees:
        """Return the trees that rank the visit's best again."""
        stranger = len(self.strangers_trees) and not len(visit.history)
        return self.strangers_trees if stranger else self.trees

    @cached_property
    def trees(self) -> Trees:
        """Return the trees that were grown for shoppers with a history, or for everyone."""
        return Trees(self.tree_asks, self.tree_edges, self.tree_leaves)

    @cached_property
    def strangers_trees(self) -> Trees:
        """Return the trees that were grown for who bought nothing before."""
        return Trees(self.stranger_asks, self.stranger_edges, self.stranger_leaves)

    @property
    def centre(self) -> Doubles:
        """Return the mean of the items' embeddings, (d,)."""
        return self._moments[0][:-1]

    @cached_property
    def standing(self) -> Doubles:
        """Return the terms that a product has whoever asks, (5, n): those of STANDING, in its order."""
        recent = self.recent if len(self.recent) else self.popularity
        every = np.arange(len(self.product_ids))
        of_kind = self._kind_popularity[self.kinds] if len(self.kinds) else np.zeros(len(every))
        return np.array(
            [
                pull(np.log1p(self.popularity.astype(np.float64))).at(every),
                pull(np.log1p(recent.astype(np.float64))).at(every),
                self.freshness,
                of_kind,
                self.item_biases - self._moments[0][-1],
            ],
            dtype=np.float64,
        )

    @cached_property
    def _kind_popularity(self) -> Doubles:
        """Return the logarithm of the orders a product of each kind has on average."""
        sizes = np.bincount(self.kinds)
        return np.log1p(np.bincount(self.kinds, self.popularity) / np.maximum(sizes, 1))

    def _add_learned(self, terms: Floats | Doubles, visit: Visit, candidates: Positions) -> None:
        cart, customer = visit.tastes @ self.item_embeddings.take(candidates, axis=0).T
        learned = cart + customer + self.item_biases.take(candidates) - visit.learned_mean
        terms[AT["learned"]] = learned * visit.learned_scale
        terms[AT["learned_customer"]] = customer - self.centre @ visit.tastes[1]

    def _add_history(self, terms: Floats | Doubles, visit: Visit, candidates: Positions) -> None:
        terms[AT["with_history"]] = visit.with_history.at(candidates)
        terms[AT["repeats"]] = visit.repeats.at(candidates)
        before = np.full(len(self.product_ids), -1)
        before[visit.history] = np.arange(len(visit.history))
        there = before.take(candidates)
        (at,) = (there >= 0).nonzero()
        terms[BOUGHT[:, None], at] = visit.bought[1:].take(there.take(at), axis=1)
        for name in ("together", "popular"):
            terms[AT[f"{name}_again"], at] = terms[AT[name], at]

    @cached_property
    def _position(self) -> dict[int, int]:
        return {product_id: at for at, product_id in enumerate(self.product_ids.tolist())}

    @cached_property
    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean (d + 1,) and covariance (d + 1, d + 1) of the embeddings with their biases."""
        columns = np.column_stack([self.item_embeddings, self.item_biases]).astype(np.float64)
        if not len(columns):
            return np.zeros(columns.shape[1]), np.zeros((columns.shape[1], columns.shape[1]))
        mean = columns.mean(axis=0)
        return mean, columns.T @ columns / len(columns) - np.outer(mean, mean)
