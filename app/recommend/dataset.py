"""What a shop's orders and products look like to training: baskets and items, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

ANONYMOUS = -1
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, eq=False)
class Items:
    """The n products by ascending id, with f metadata features.

    features: (n, f) float32, 1 where a product has the feature (`vendor:acme`, `word:salt`).
    created: (n,) int64 seconds since the epoch, 0 when unknown.
    """

    product_ids: NDArray[np.int64]
    titles: tuple[str, ...]
    features: csr_matrix
    feature_names: tuple[str, ...]
    created: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.product_ids)


@dataclass(frozen=True, eq=False)
class Baskets:
    """The b orders, oldest first; order i holds items[indptr[i]:indptr[i + 1]], each item once.

    times: (b,) int64 seconds since the epoch, ascending. customers: (b,) int32 positions in
    `Dataset.customer_ids`, ANONYMOUS when nobody is known.
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    times: NDArray[np.int64]
    customers: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Return how many different items each order holds, shape (b,)."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Return the order of each entry of `items`."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def of(self, basket: int) -> NDArray[np.int32]:
        """Return the items of one order."""
        return self.items[self.indptr[basket] : self.indptr[basket + 1]]

    def between(self, start: int, stop: int) -> Baskets:
        """Return the orders start … stop - 1."""
        indptr = self.indptr[start : stop + 1]
        return Baskets(
            indptr - indptr[0],
            self.items[indptr[0] : indptr[-1]],
            self.times[start:stop],
            self.customers[start:stop],
        )

    def without(self, gone: NDArray[np.bool_]) -> Baskets:
        """Return the orders without the items of a mask (n,), and without those that held nothing else."""
        kept = ~gone[self.items]
        sizes = np.bincount(self.rows[kept], minlength=len(self))
        filled = sizes > 0
        indptr = np.concatenate([[0], np.cumsum(sizes[filled])]).astype(np.int64)
        return Baskets(indptr, self.items[kept], self.times[filled], self.customers[filled])

    def and_then(self, later: Baskets) -> Baskets:
        """Return these orders followed by later ones."""
        return Baskets(
            np.concatenate([self.indptr, self.indptr[-1] + later.indptr[1:]]),
            np.concatenate([self.items, later.items]),
            np.concatenate([self.times, later.times]),
            np.concatenate([self.customers, later.customers]),
        )

    def ages_days(self, now: int) -> NDArray[np.float64]:
        """Return each order's age at `now` (seconds since the epoch), never negative."""
        return np.asarray(np.maximum(now - self.times, 0) / SECONDS_A_DAY, dtype=np.float64)

    def matrix(self, items: int, weights: NDArray[np.float64] | None = None) -> csr_matrix:
        """Return the (b, items) matrix with each order's weight, or 1, at the items it holds."""
        values = np.ones(len(self.items)) if weights is None else np.repeat(weights, self.sizes)
        return csr_matrix((values, self.items, self.indptr), shape=(len(self), items))


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Orders in three parts, every order of one later than every order of the one before."""

    train: Baskets
    validation: Baskets
    test: Baskets


@dataclass(frozen=True, eq=False)
class Dataset:
    """One shop's orders, products and customers. counts: what was read, merged and left out."""

    items: Items
    baskets: Baskets
    customer_ids: NDArray[np.int64]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """Return the time of the last order, 0 when there is none: ages count from it."""
        return int(self.baskets.times[-1]) if len(self.baskets) else 0

    def split(self, validation_share: float = 0.1, test_share: float = 0.1) -> Split:
        """Return the oldest orders to train on, later ones to choose with, the last to test on."""
        times = self.baskets.times
        cuts = [1 - validation_share - test_share, 1 - test_share]
        first, second = (_boundary(times, int(len(times) * cut)) for cut in cuts)
        between = self.baskets.between
        return Split(between(0, first), between(first, second), between(second, len(times)))


def _boundary(times: NDArray[np.int64], at: int) -> int:
    """Return the first order with the time of order `at`, so that no moment is on both sides."""
    return at if at >= len(times) else int(np.searchsorted(times, times[at], side="left"))
