"""Test cases: a random half of a later basket is the cart, the rest is what should be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.recommend.dataset import ANONYMOUS, Baskets, Dataset
from app.recommend.terms import Past

MOST_IN_CART = 8
PRODUCTS_KEPT = 200  # of a shopper, as their profile keeps them


@dataclass(frozen=True, slots=True)
class Case:
    """A cart, what else was bought with it, and what was known of the shopper, all as product ids.

    orders: how many the shopper had placed before.
    """

    cart: tuple[int, ...]
    wanted: frozenset[int]
    customer_id: int | None
    history: Mapping[int, Past]
    orders: int = 0


def make_cases(dataset: Dataset, before: Baskets, later: Baskets, *, most: int, seed: int) -> list[Case]:
    """Return at most so many cases from the later baskets of two items or more, chosen at random.

    before: the orders that shoppers' histories are taken from, up to the moment of each case.
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

    def of(self, customer: int, now: int) -> tuple[dict[int, Past], int]:
        """Return what was bought before `now`, the 200 products bought last, and in how many orders."""
        if customer == ANONYMOUS:
            return {}, 0
        start, stop = np.searchsorted(self._customers, [customer, customer + 1])
        orders = self._by_customer[start:stop]
        orders = orders[self._baskets.times[orders] < now]
        if not len(orders):
            return {}, 0
        bought = self._bought[orders]
        times = np.bincount(bought.indices, minlength=bought.shape[1])
        days = np.full(bought.shape[1], np.inf)
        ages = self._baskets.ages_days(now)[orders]
        np.minimum.at(days, bought.indices, np.repeat(ages, np.diff(bought.indptr)))
        last = np.argsort(days, kind="stable")[: min(PRODUCTS_KEPT, int((times > 0).sum()))]
        past = map(Past._make, zip(times[last].tolist(), days[last].tolist(), strict=True))
        return dict(zip(self._product_ids[last].tolist(), past, strict=True)), len(orders)


def _case(
    dataset: Dataset, later: Baskets, basket: int, histories: Histories, random: np.random.Generator
) -> Case:
    ids = dataset.items.product_ids[random.permutation(later.of(basket))].tolist()
    size = min(len(ids) // 2, MOST_IN_CART)
    customer = int(later.customers[basket])
    customer_id = None if customer == ANONYMOUS else int(dataset.customer_ids[customer])
    history, orders = histories.of(customer, int(later.times[basket]))
    return Case(tuple(ids[:size]), frozenset(ids[size:]), customer_id, history, orders)
