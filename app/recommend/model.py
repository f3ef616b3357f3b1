"""What serves: a shop's trained model as plain arrays, and the ranking over them.

A ranking of many products takes candidates first (neighbours of the cart and of the shopper's history, that
history, best sellers) and scores only those. What goes with the cart or the shopper is a z-score over the
whole catalogue all the same: the learned term's mean and variance follow from the moments of the
embeddings. Each term by itself is worked out only for what is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.recommend.parts import parts
from app.recommend.place import Ranking as Ranking
from app.recommend.place import place
from app.recommend.reasons import Reason, explain
from app.recommend.score import NOTHING, WHOLE, Doubles, Positions, Pull, highest, pull, scores
from app.recommend.score import top as top
from app.recommend.terms import AT, BOUGHT, KINDS, STANDING, TERMS, Past, circumstances, no_shifts, of_history
from app.recommend.terms import Weights as Weights  # what a model is made of is found beside it
from app.recommend.trees import Trees, no_trees
from app.recommend.visit import Visit as Visit

Basis = Literal["blend", "neighbours", "popularity", "content"]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Keep = Callable[[list[int], list[float]], list[int]]

POPULAR_CANDIDATES = 200
TOGETHER_CANDIDATES = 400
HISTORY_CANDIDATES = 200
NEW_CANDIDATES = 1_000
HISTORY_PULLS = 64  # the products bought most and last speak for the whole history


_NEVER = of_history(np.zeros(0), np.zeros(0), 0)


class Scored(msgspec.Struct, frozen=True, gc=False):
    """A product, its score (comparable within one ranking only) and why it stands there."""

    product_id: int
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """One shop's model: n items, m neighbours a row, d dimensions, c customers, t terms. Read-only.

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

    def rank(
        self,
        cart: Sequence[int],
        *,
        k: int = 4,
        customer_id: int | None = None,
        history: Mapping[int, Past] | None = None,
        orders: int = 0,
        allowed: Mask | None = None,
        new_slots: int = 0,
        keep: Keep | None = None,
    ) -> list[Scored]:
        """Return at most k products, best first, never one of the cart or one that is not allowed.

        cart: product ids, unknown ones are ignored. history: what was bought before, by product id,
        and orders: in how many orders; for the personal rung only.
        allowed: mask aligned with product_ids (`Catalog.allowed`), None = all.
        new_slots: so many of the last places go to products that were never sold, when there are any.
        keep: says which of the k to return, from their ids and scores; only these are explained.
        """
        visit = self.visit(cart, customer_id, history or {}, orders)
        ranking = self.ranking(visit, allowed, k)
        ids, found = self.product_ids.take(ranking.chosen).tolist(), ranking.scores.tolist()
        kept = range(len(ids)) if keep is None else keep(ids, found)
        scored = self.explained(visit, ranking, kept)
        return self._with_new(scored, visit, allowed, k, new_slots) if new_slots > 0 else scored

    def ranking(self, visit: Visit, allowed: Mask | None, k: int) -> Ranking:
        """Return the k best for the visit."""
        few = len(self.product_ids) <= WHOLE
        candidates = self._offerable(visit, allowed) if few else self.candidates(visit, allowed, k)
        return place(self, visit, candidates, self._weights_for(visit), k)

    def explained(self, visit: Visit, ranking: Ranking, kept: Sequence[int]) -> list[Scored]:
        """Return these places of a ranking with what speaks for each. visit: whose ranking it is."""
        if not len(kept):
            return []
        chosen, corrected = ranking.chosen[kept], ranking.corrected[kept]
        return self._scored(visit, chosen, ranking.weights, corrected)

    def rank_new(self, visit: Visit, allowed: Mask | None, k: int) -> list[Scored]:
        """Return at most k products that were never sold, those first that fit the visit best."""
        candidates = self.new_candidates(visit, allowed)
        if not len(candidates):
            return []
        weights = self._new_weights_for(visit)
        best = top(scores(self, visit, candidates, weights), k)
        return self._scored(visit, candidates[best], weights, np.zeros(len(best)))

    def unsold(self, allowed: Mask | None) -> list[int]:
        """Return the ids of the allowed products that were never sold."""
        eligible = self.orders == 0 if allowed is None else allowed & (self.orders == 0)
        found: list[int] = self.product_ids[eligible].tolist()
        return found

    def positions(self, product_ids: Sequence[int]) -> Positions:
        """Return where known products stand in product_ids, in the given order; unknown ones are left out."""
        found = map(self._position.get, product_ids)
        return np.array([at for at in found if at is not None], dtype=np.intp)

    def visit(
        self, cart: Sequence[int], customer_id: int | None, history: Mapping[int, Past], orders: int = 0
    ) -> Visit:
        """Return the shopper as positions, counts and tastes."""
        in_cart = self.positions(list(dict.fromkeys(cart)))
        known = [product_id for product_id in history if product_id in self._position]
        before = self.positions(known)
        past = np.fromiter(chain.from_iterable(history[product_id] for product_id in known), np.float64)
        past = past.reshape(-1, 2)
        bought = of_history(past[:, 0], past[:, 1], orders) if known else _NEVER
        tastes = np.array([self._cart_taste(in_cart), self._customer_taste(customer_id)])
        learned_mean, learned_scale = self._learned_scale(tastes)
        return Visit(
            cart=in_cart,
            history=before,
            bought=bought,
            together=self._pull(in_cart, None) if len(in_cart) else self._unpulled,
            with_history=self._history_pull(before, bought[0]) if known else self._unpulled,
            repeats=self._repeats(before, bought[0]) if known else self._unpulled,
            tastes=tastes,
            kinds=self._of_kinds(in_cart, before, bought[0]),
            learned_mean=learned_mean,
            learned_scale=learned_scale,
            circumstances=circumstances(len(in_cart), bool(history), orders),
        )

    def candidates(self, visit: Visit, allowed: Mask | None, k: int) -> Positions:
        """Return what is worth scoring; all that is allowed when that leaves fewer than k."""
        wanted = np.zeros(len(self.product_ids), dtype=np.bool_)
        wanted[highest(visit.together.values, TOGETHER_CANDIDATES)] = True
        wanted[highest(visit.with_history.values, HISTORY_CANDIDATES)] = True
        wanted[visit.history] = True
        wanted[self._popular] = True
        offerable = self._offerable(visit, allowed)
        candidates = offerable[wanted[offerable]]
        return candidates if len(candidates) >= k else offerable

    def new_candidates(self, visit: Visit, allowed: Mask | None = None) -> Positions:
        """Return the products that were never sold, of very many those alike to the cart or newest."""
        eligible = self.orders == 0 if allowed is None else allowed & (self.orders == 0)
        eligible[visit.cart] = False
        new = np.flatnonzero(eligible)
        return new[top(visit.together.values[new] + self.freshness[new], NEW_CANDIDATES)] if len(new) else new

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

    def linear_scores(self, visit: Visit, candidates: Positions) -> Doubles:
        """Return the candidates' scores before the trees, up to what is the same for all of them."""
        return scores(self, visit, candidates, self._weights_for(visit))

    def trees_for(self, visit: Visit) -> Trees:
        """Return the trees that place the visit's best anew."""
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

    def _of_kinds(self, cart: Positions, history: Positions, repeats: Doubles) -> Doubles:
        if not len(self.kinds):
            return np.zeros((2, 0))
        kinds = np.zeros((2, len(self._kind_popularity)))
        kinds[0] = np.minimum(np.bincount(self.kinds[cart], minlength=kinds.shape[1]), 2)
        bought = np.expm1(repeats)
        if (total := bought.sum()) > 0:
            kinds[1] = np.sqrt(np.bincount(self.kinds[history], bought, kinds.shape[1]) / total)
        return kinds

    def _offerable(self, visit: Visit, allowed: Mask | None) -> Positions:
        """Return all that is allowed and not in the cart."""
        mask = np.ones(len(self.product_ids), dtype=np.bool_) if allowed is None else allowed.copy()
        mask[visit.cart] = False
        return mask.nonzero()[0]

    def _weights_for(self, visit: Visit) -> Doubles:
        weights = _shifted(self._rows, visit)
        if not len(visit.cart):
            # Without a known cart the neighbours are silent and best sellers speak up.
            weights[AT["popular"]] = max(weights[AT["popular"]], 1.0)
        return weights

    def _new_weights_for(self, visit: Visit) -> Doubles:
        return _shifted(self.new_weights, visit) if len(self.new_weights) else self._weights_for(visit)

    def _with_new(
        self, scored: list[Scored], visit: Visit, allowed: Mask | None, k: int, new_slots: int
    ) -> list[Scored]:
        there = {one.product_id for one in scored}
        new = [one for one in self.rank_new(visit, allowed, k) if one.product_id not in there][:new_slots]
        return scored[: max(0, k - len(new))] + new

    def _scored(self, visit: Visit, chosen: Positions, weights: Doubles, added: Doubles) -> list[Scored]:
        of_each = parts(self, visit, chosen, weights)
        reasons = explain(self, visit, chosen, of_each)
        ids = self.product_ids[chosen].tolist()
        totals = [sum(of_one) + more for of_one, more in zip(of_each, added.tolist(), strict=True)]
        return [Scored(*one) for one in zip(ids, totals, reasons, strict=True)]

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

    def _pull(self, rows: Positions, weights: Doubles | None) -> Pull:
        """Return the root of how strongly the rows' neighbours are pulled, each row weighted."""
        pulls = self.neighbour_weights.take(rows, axis=0)
        if weights is not None:
            pulls = pulls * weights[:, None].astype(np.float32)
        at = self.neighbours.take(rows, axis=0).ravel()
        return pull(np.sqrt(np.bincount(at, pulls.ravel(), minlength=len(self.product_ids))))

    def _history_pull(self, history: Positions, repeats: Doubles) -> Pull:
        if len(history) <= HISTORY_PULLS:
            return self._pull(history, np.expm1(repeats))
        strongest = top(repeats, HISTORY_PULLS)
        return self._pull(history[strongest], np.expm1(repeats[strongest]))

    def _repeats(self, history: Positions, repeats: Doubles) -> Pull:
        values = np.zeros(len(self.product_ids))
        values[history] = repeats
        return pull(values)

    def _learned_scale(self, tastes: Floats) -> tuple[float, float]:
        """Return the mean of the learned scores over the whole catalogue, and 1 / their deviation."""
        mean, covariance = self._moments
        direction = np.ones(len(mean))
        np.add(tastes[0], tastes[1], out=direction[:-1])
        variance = float(direction @ covariance @ direction)
        return float(direction @ mean), variance**-0.5 if variance > NOTHING else 0.0

    def _cart_taste(self, cart: Positions) -> Floats:
        # Weighted 1/sqrt(n) in training, and so here.
        weights = np.full(len(cart), max(len(cart), 1) ** -0.5, dtype=np.float32)
        return np.asarray(weights @ self.cart_embeddings[cart])

    def _customer_taste(self, customer_id: int | None) -> Floats:
        at = 0 if customer_id is None else int(self.customer_ids.searchsorted(customer_id))
        if customer_id is None or at == len(self.customer_ids) or self.customer_ids[at] != customer_id:
            return np.zeros(self.item_embeddings.shape[1], dtype=np.float32)
        return np.asarray(self.customer_embeddings[at])

    @cached_property
    def _popular(self) -> Positions:
        return np.lexsort((-self.freshness, -self.popularity))[:POPULAR_CANDIDATES]

    @property
    def centre(self) -> Doubles:
        """Return the mean of the items' embeddings, (d,)."""
        return self._moments[0][:-1]

    @cached_property
    def _unpulled(self) -> Pull:
        return Pull(np.zeros(len(self.product_ids)), 0.0, 0.0)

    @cached_property
    def _position(self) -> dict[int, int]:
        return {product_id: at for at, product_id in enumerate(self.product_ids.tolist())}

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

    @cached_property
    def _rows(self) -> Doubles:
        return np.vstack([self.weights.row(), self.shifts])

    @cached_property
    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean (d + 1,) and covariance (d + 1, d + 1) of the embeddings with their biases."""
        columns = np.column_stack([self.item_embeddings, self.item_biases]).astype(np.float64)
        if not len(columns):
            return np.zeros(columns.shape[1]), np.zeros((columns.shape[1], columns.shape[1]))
        mean = columns.mean(axis=0)
        return mean, columns.T @ columns / len(columns) - np.outer(mean, mean)


def _shifted(rows: Doubles, visit: Visit) -> Doubles:
    """Return (4, t) weights and shifts as the visit's circumstances make them, (t,)."""
    return np.asarray(rows[0] + visit.circumstances @ rows[1:])
