"""Test cases: a random half of a later basket is the cart, the rest is what should be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.recommend.dataset import ANONYMOUS, Baskets, Dataset

MOST_IN_CART = 8


@dataclass(frozen=True, slots=True)
class Case:
    """A cart, what else was bought with it, and what was known of the shopper, all as product ids."""

    cart: tuple[int, ...]
    wanted: frozenset[int]
    customer_id: int | None
    history: Mapping[int, int]


def make_cases(dataset: Dataset, before: Baskets, later: Baskets, *, most: int, seed: int) -> list[Case]:
    """Return at most so many cases from the later baskets of two items or more, chosen at random.

    before: every order that came earlier; shoppers' histories are counted in it.
    """
    random = np.random.default_rng(seed)
    usable = np.flatnonzero(later.sizes >= 2)
    chosen = np.sort(random.permutation(usable)[:most])
    histories = _histories(dataset, before, {int(later.customers[basket]) for basket in chosen})
    return [_case(dataset, later, int(basket), histories, random) for basket in chosen]


def _case(
    dataset: Dataset,
    later: Baskets,
    basket: int,
    histories: Mapping[int, Mapping[int, int]],
    random: np.random.Generator,
) -> Case:
    ids = dataset.items.product_ids[random.permutation(later.of(basket))].tolist()
    size = min(len(ids) // 2, MOST_IN_CART)
    customer = int(later.customers[basket])
    customer_id = None if customer == ANONYMOUS else int(dataset.customer_ids[customer])
    return Case(tuple(ids[:size]), frozenset(ids[size:]), customer_id, histories.get(customer, {}))


def _histories(dataset: Dataset, before: Baskets, customers: set[int]) -> dict[int, dict[int, int]]:
    """Return how often each of these customers bought what, by customer position."""
    histories: dict[int, dict[int, int]] = {customer: {} for customer in customers - {ANONYMOUS}}
    for basket in np.flatnonzero(np.isin(before.customers, list(histories))):
        history = histories[int(before.customers[basket])]
        for product_id in dataset.items.product_ids[before.of(int(basket))].tolist():
            history[product_id] = history.get(product_id, 0) + 1
    return histories
