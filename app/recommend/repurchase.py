"""How much a shop's customers repurchase, which scales what their history counts in a ranking. Pure."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from app.recommend.dataset import ANONYMOUS, Baskets
from app.recommend.terms import OF_HISTORY, Weights

# From so much oftener on than in others' orders a product is in the one after an order that held it, the
# default weights of a history fit; a shop is taken to be so until as many purchases by chance tell otherwise.
USUAL = 3.0
EVIDENCE = 1.0
MOST_AGAINST = 3.0  # log odds


def repurchase_lift(baskets: Baskets) -> float:
    """Return the log of how much likelier a product is in its buyer's next order than in others'."""
    items = int(baskets.items.max(initial=-1)) + 1
    followed, now, then = consecutive_orders(baskets, items)
    if not len(followed):
        return log(USUAL)
    by_chance, again = _by_others(baskets, items, followed, now), float(now.multiply(then).sum())
    return log((again + EVIDENCE * USUAL) / (by_chance + EVIDENCE))


def with_repurchase_lift(weights: Weights, log_lift: float) -> Weights:
    """Return default weights, those of a history scaled by how much its shop's customers repurchase.

    Where what was bought is bought less than by chance, that speaks against it, but for what somebody has
    bought twice.
    """
    fits, against = min(max(log_lift / log(USUAL), 0.0), 1.0), min(max(-log_lift, 0.0), MOST_AGAINST)
    kept = replace(weights, **{name: fits * getattr(weights, name) for name in OF_HISTORY})
    return replace(kept, bought=kept.bought - against, twice=kept.twice + against)


def _by_others(baskets: Baskets, items: int, followed: NDArray[np.intp], now: csr_matrix) -> float:
    """Return how much of these orders the next would hold by chance: as much as orders of others do."""
    held, shopper = baskets.matrix(items), baskets.customers + 1
    belongs = csr_matrix((np.ones(len(baskets)), (shopper, np.arange(len(baskets)))))
    own = (belongs @ held)[shopper[followed]].multiply(now > 0)
    orders = len(baskets) - np.bincount(shopper)[shopper[followed]]
    others = now @ np.bincount(baskets.items, minlength=items) - np.asarray(own.sum(axis=1)).ravel()
    return float((others / np.maximum(orders, 1)).sum())


def consecutive_orders(baskets: Baskets, items: int) -> tuple[NDArray[np.intp], csr_matrix, csr_matrix]:
    """Return the orders that their shopper followed up, as positions, then as rows, then what followed them.

    Rows are matrices of (orders, items), 1 where the order holds the item.
    """
    by_shopper = np.argsort(baskets.customers, kind="stable")  # and each one's by time, as they are
    customers, held = baskets.customers[by_shopper], baskets.matrix(items)
    again = np.flatnonzero((customers[1:] == customers[:-1]) & (customers[1:] != ANONYMOUS))
    now, then = by_shopper[again], by_shopper[again + 1]
    return now, held[now], held[then]
