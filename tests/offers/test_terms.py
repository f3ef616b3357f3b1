"""A merchant's wishes, read from settings that may hold anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.catalog.costs import NO_COSTS, costs_of
from app.offers.choose import choose
from app.offers.rerank import Terms
from app.offers.terms import terms_of
from tests.offers.factories import a_catalog, a_product, a_shop, a_situation, goes_together

ROOT = Path(__file__).parents[2]


def test_wishes_are_read() -> None:
    settings = {"pinned": [10], "boosts": {"20": 2, "30": 0, "40": 99}, "dear_ratio": 3}
    terms = terms_of(settings, a_catalog(), {}, None)
    assert terms == Terms(pinned=frozenset({10}), boosts={20: 2.0}, dear_ratio=3.0)


@pytest.mark.parametrize(
    "settings", [{}, {"pinned": "all", "boosts": [1], "dear_ratio": "high"}, {"dear_ratio": -1}]
)
def test_what_is_absent_or_unusable_is_as_usual(settings: dict[str, object]) -> None:
    assert terms_of(settings, a_catalog(), NO_COSTS, None) == Terms()


def test_what_the_model_holds_back_is_not_held_back_twice() -> None:
    varied = goes_together({}, variety=np.array([0.2, 0.1]))
    terms = terms_of({}, a_catalog(), NO_COSTS, varied)
    assert (terms.substitute, terms.same_type) == (0.0, 0.0)
    assert terms_of({}, a_catalog(), NO_COSTS, goes_together({})) == Terms()


def test_the_usual_margin_is_the_median_of_the_known_ones() -> None:
    catalog = a_catalog(a_product(10, 1_000), a_product(20, 1_000), a_product(30, 1_000), a_product(40, 0))
    told = {"10": 900, "20": 400, "30": 500, "40": 5, "99": 5, "50": -1}
    costs = costs_of({"costs": told}, catalog)
    assert terms_of({}, catalog, costs, None).margin == pytest.approx(0.5)  # of .1, .6 and .5


def test_kinds_that_people_buy_twice_come_from_their_orders() -> None:
    catalog = a_catalog(a_product(10, product_type="Yogurt"), a_product(20, product_type="Oil"))
    model = goes_together({}, items=2, bought_twice=np.array([0.4, 0.05], dtype=np.float32))
    assert terms_of({}, catalog, NO_COSTS, model).bought_twice == frozenset({"Yogurt"})


def test_a_pinned_product_leads_even_where_the_model_would_not_think_of_it() -> None:
    shop = a_shop(model=goes_together({(10, 30): 0.9}), settings={"pinned": [10, 40]})
    first = choose(shop, a_situation(10))[0]
    assert (first.product.product_id, first.message.key) == (
        "gid://shopify/Product/40",
        "upsell.merchant_pick",
    )


def test_the_more_profitable_of_two_that_fit_alike_is_offered_first() -> None:
    links = {(10, 20): 0.50, (10, 30): 0.49}
    shop = a_shop(model=goes_together(links), settings={"costs": {"20": 450, "30": 100}})
    offers = choose(shop, a_situation(10))
    assert offers[0].product.product_id == "gid://shopify/Product/30"


def test_a_snapshots_version_is_the_same_in_every_process() -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-c", "from tests.offers.test_terms import a_version; print(a_version())"],
        env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert elsewhere.stdout.strip() == a_version()


def a_version() -> str:
    """Return the version of a shop with sets in it, whose order is another in each process."""
    typed = [a_product(10 * n, product_type=kind) for n, kind in enumerate("abcd", 1)]
    model = goes_together({}, items=5, bought_twice=np.ones(5, dtype=np.float32))
    return a_shop(*typed, a_product(50), model=model, settings={"pinned": [10, 20]}).version
