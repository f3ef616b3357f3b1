"""What serves: a shop's trained model, and the ranking over its arrays.

A ranking of many products takes candidates first (neighbours of the cart and of the shopper's history, that
history, best sellers) and scores only those. What goes with the cart or the shopper is a z-score over the
whole catalogue all the same: the learned term's mean and variance follow from the moments of the
embeddings. Each term by itself is worked out only for what is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import msgspec
import numpy as np

from app.recommend.arrays import Arrays, Floats, Mask
from app.recommend.arrays import Basis as Basis
from app.recommend.contributions import contributions
from app.recommend.pull import NOTHING, Doubles, Positions, Pull, pull
from app.recommend.ranking import Ranking as Ranking
from app.recommend.ranking import rank_candidates
from app.recommend.reasons import Reason, explain
from app.recommend.score import WHOLE, highest, scores
from app.recommend.score import top as top
from app.recommend.terms import AT, Past, circumstances, of_history
from app.recommend.terms import Weights as Weights  # what a model is made of is found beside it
from app.recommend.visit import Visit as Visit

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
class Model(Arrays):
    """One shop's model: its arrays with the ranking over them. Read-only."""

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
        return rank_candidates(self, visit, candidates, self._weights_for(visit), k)

    def explained(self, visit: Visit, ranking: Ranking, kept: Sequence[int]) -> list[Scored]:
        """Return these places of a ranking with the reasons for each. visit: whose ranking it is."""
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

    def linear_scores(self, visit: Visit, candidates: Positions) -> Doubles:
        """Return the candidates' scores before the trees, up to what is the same for all of them."""
        return scores(self, visit, candidates, self._weights_for(visit))

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
        of_each = contributions(self, visit, chosen, weights)
        reasons = explain(self, visit, chosen, of_each)
        ids = self.product_ids[chosen].tolist()
        totals = [sum(of_one) + more for of_one, more in zip(of_each, added.tolist(), strict=True)]
        return [Scored(*one) for one in zip(ids, totals, reasons, strict=True)]

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

    @cached_property
    def _unpulled(self) -> Pull:
        return Pull(np.zeros(len(self.product_ids)), 0.0, 0.0)

    @cached_property
    def _rows(self) -> Doubles:
        return np.vstack([self.weights.row(), self.shifts])


def _shifted(rows: Doubles, visit: Visit) -> Doubles:
    """Return (4, t) weights and shifts as the visit's circumstances make them, (t,)."""
    return np.asarray(rows[0] + visit.circumstances @ rows[1:])
