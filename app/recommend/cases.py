"""Test cases: a random half of a later basket is the cart, the rest is what should be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from app.recommend.dataset import ANONYMOUS, Baskets, Dataset
from app.recommend.model import HISTORY_HALF_LIFE_DAYS
from app.recommend.neighbours import decay

MOST_IN_CART = 8


@dataclass(frozen=True, slots=True)
class Case:
    """A cart, what else was bought with it, and what was known of the shopper, all as product ids."""

    cart: tuple[int, ...]
    wanted: frozenset[int]
    customer_id: int | None
    history: Mapping[int, float]


def make_cases(dataset: Dataset, before: Baskets, later: Baskets, *, most: int, seed: int) -> list[Case]:
    """Return at most so many cases from the later baskets of two items or more, chosen at random.

    before: every order that came earlier; shoppers' histories are taken from it.
    """
    random = np.random.default_rng(seed)
    usable = np.flatnonzero(later.sizes >= 2)
    chosen = np.sort(random.permutation(usable)[:most])
    histories = Histories(dataset, before)
    return [_case(dataset, later, int(basket), histories, random) for basket in chosen]


class Histories:
    """What each customer bought before a moment, as `Model.rank` takes it."""

    def __init__(self, dataset: Dataset, before: Baskets) -> None:
        self._product_ids = dataset.items.product_ids
        self._baskets = before
        self._bought = before.matrix(len(dataset.items))
        self._by_customer = np.argsort(before.customers, kind="stable")
        self._customers = before.customers[self._by_customer]

    def of(self, customer: int, now: int) -> dict[int, float]:
        """Return product id to times bought, each purchase halved every 90 days; empty when anonymous."""
        if customer == ANONYMOUS:
            return {}
        start, stop = np.searchsorted(self._customers, [customer, customer + 1])
        orders = self._by_customer[start:stop]
        weights = decay(self._baskets.ages_days(now)[orders], HISTORY_HALF_LIFE_DAYS)
        bought = csr_matrix(weights @ self._bought[orders]) if len(orders) else csr_matrix((1, 0))
        ids = self._product_ids[bought.indices].tolist()
        return dict(zip(ids, bought.data.tolist(), strict=True))


def _case(
    dataset: Dataset, later: Baskets, basket: int, histories: Histories, random: np.random.Generator
) -> Case:
    ids = dataset.items.product_ids[random.permutation(later.of(basket))].tolist()
    size = min(len(ids) // 2, MOST_IN_CART)
    customer = int(later.customers[basket])
    customer_id = None if customer == ANONYMOUS else int(dataset.customer_ids[customer])
    history = histories.of(customer, int(later.times[basket]))
    return Case(tuple(ids[:size]), frozenset(ids[size:]), customer_id, history)
