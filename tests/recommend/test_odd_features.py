"""Numbers that are none, in a merchant's files and in what is learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from app.errors import InputError
from app.recommend.fit import FitParameters, fit
from app.recommend.read import build_dataset
from tests.recommend.shops import a_shop
from tests.recommend.test_odd_shops import model_of, orders_of

NAN = float("nan")


def test_product_data_that_is_not_a_number_says_nothing() -> None:
    products = pl.DataFrame(
        {
            "product_id": [1, 2, 3], "title": ["salt a", "salt b", "tea"],
            "vendor": [NAN] * 3, "product_type": [NAN, NAN, None], "tags": [None, "x", "x"],
        }
    )  # fmt: skip
    dataset = build_dataset(orders_of([1, 2], [2, 3]), products)
    assert dataset.items.feature_names == ("tag:x", "word:salt")
    assert {one.product_id for one in model_of(dataset).rank([1], k=4)} == {2, 3}


def test_a_quantity_that_is_not_a_number_is_refused_by_its_row() -> None:
    lines = orders_of([1, 2]).with_columns(quantity=pl.lit(NAN))
    with pytest.raises(InputError, match="row 1: quantity"):
        build_dataset(lines)


def test_nothing_is_learnt_from_features_that_are_not_numbers() -> None:
    shop = a_shop(60)
    features = shop.items.features.copy()
    features.data[0] = np.nan
    with pytest.raises(ValueError, match=r"NaN|finite|infinit"):
        fit(
            replace(shop.items, features=features), len(shop.customer_ids), shop.baskets,
            FitParameters(dimensions=4, epochs=1),
        )  # fmt: skip
