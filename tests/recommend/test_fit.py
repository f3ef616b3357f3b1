"""LightFM on baskets: how they are split, and that the same seed learns the same."""

from __future__ import annotations

import numpy as np

from app.recommend.dataset import Baskets, Items
from app.recommend.fit import MOST_IN_CART, FitParameters, fit, split_baskets
from tests.recommend.shops import a_shop

SMALL = FitParameters(dimensions=8, epochs=3)


def test_each_basket_is_split_into_a_cart_and_something_to_find() -> None:
    baskets = a_shop(200).baskets
    carts, positives = split_baskets(baskets, 20, 9, np.random.default_rng(0))
    in_cart, found = carts[:, :20].toarray() > 0, positives.toarray() > 0
    held = baskets.matrix(20).toarray() > 0
    assert not (in_cart & found).any()
    assert ((in_cart | found) == held).all()
    assert found.any(axis=1).all()
    several = baskets.sizes > 1
    assert in_cart[several].any(axis=1).all()
    assert not in_cart[~several].any()
    assert in_cart.sum(axis=1).max() <= MOST_IN_CART


def test_a_cart_weighs_the_same_whatever_its_size_and_half_the_customers_are_named() -> None:
    shop = a_shop(600)
    carts, _ = split_baskets(shop.baskets, 20, len(shop.customer_ids), np.random.default_rng(0))
    squares = carts[:, :20].power(2).sum(axis=1)
    assert np.allclose(squares[shop.baskets.sizes > 1], 1)  # n * (1 / sqrt(n))^2
    named = np.asarray(carts[:, 20:].sum(axis=1)).ravel()
    known = shop.baskets.customers >= 0
    assert not named[~known].any()
    assert 0.4 < named[known].mean() < 0.6


def test_two_splits_differ_so_that_every_item_is_cart_and_target_in_turn() -> None:
    random = np.random.default_rng(0)
    first, second = (split_baskets(a_shop(50).baskets, 20, 9, random)[0] for _ in range(2))
    assert (first != second).nnz


def learned(items: Items, customers: int, baskets: Baskets) -> list[np.ndarray]:
    embeddings = fit(items, customers, baskets, SMALL)
    return [embeddings.items, embeddings.item_biases, embeddings.carts, embeddings.customers]


def test_the_same_seed_learns_the_same() -> None:
    shop = a_shop(80)
    first, second = (learned(shop.items, len(shop.customer_ids), shop.baskets) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_every_epoch_is_heard() -> None:
    shop, heard = a_shop(30), []
    fit(shop.items, len(shop.customer_ids), shop.baskets, SMALL, heard.append)
    assert heard == [1, 2, 3]


def test_what_was_never_sold_has_no_taste_of_its_own() -> None:
    shop = a_shop(80)
    embeddings = fit(shop.items, len(shop.customer_ids), shop.baskets, SMALL)
    never_sold = np.bincount(shop.baskets.items, minlength=20) == 0
    assert never_sold.tolist() == [False] * 18 + [True] * 2
    assert not embeddings.carts[never_sold].any()
    # Its metadata ("salt") was learnt from others, and speaks for the one that has any.
    assert embeddings.items[18].any()
    assert not embeddings.items[19].any()
