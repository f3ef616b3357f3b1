"""Co-occurrence, likeness and popularity against their formulas."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommend.dataset import Dataset
from app.recommend.neighbours import (
    CosineParameters,
    cosine,
    likeness,
    neighbour_rows,
    popularity,
    stand_ins,
    with_cold_items,
)
from app.recommend.read import build_dataset

BASKETS = st.lists(st.sets(st.integers(0, 6), min_size=1, max_size=5), min_size=1, max_size=12)


def a_dataset(baskets: list[set[int]], titles: dict[int, str] | None = None) -> Dataset:
    """Return one basket a day over products 0 … 6."""
    rows = [(at, f"2026-01-{at + 1:02}", item) for at, items in enumerate(baskets) for item in sorted(items)]
    orders = pl.DataFrame(rows, schema=["order_id", "created_at", "product_id"], orient="row")
    ids = list(range(7))
    names = [(titles or {}).get(at, f"thing{at}") for at in ids]
    return build_dataset(orders, pl.DataFrame({"product_id": ids, "title": names}))


def slow_cosine(baskets: list[set[int]], p: float, a: float, half_life: float) -> np.ndarray:
    """S_ij = sum of w / (d_i^(1-a) d_j^a), as it is written."""
    weights = [
        len(items) ** -p * 2 ** (-(len(baskets) - 1 - day) / half_life) for day, items in enumerate(baskets)
    ]
    degrees = [sum(w for w, items in zip(weights, baskets, strict=True) if i in items) for i in range(7)]
    similar = np.zeros((7, 7))
    for i in range(7):
        for j in range(7):
            together = sum(w for w, items in zip(weights, baskets, strict=True) if {i, j} <= items)
            if i != j and together:
                similar[i, j] = together / (degrees[i] ** (1 - a) * degrees[j] ** a)
    return similar


@given(BASKETS, st.sampled_from([0.5, 1.0]), st.sampled_from([0.2, 0.35]), st.sampled_from([5.0, 90.0]))
def test_cosine_is_the_formula(baskets: list[set[int]], p: float, a: float, half_life: float) -> None:
    dataset = a_dataset(baskets)
    fast = cosine(dataset.baskets, 7, dataset.now, CosineParameters(p, a, half_life))
    assert fast.toarray() == pytest.approx(slow_cosine(baskets, p, a, half_life))


def test_popularity_halves_with_age() -> None:
    dataset = a_dataset([{0, 1}, {1}, {1, 2}])
    # Two days old, one day old, today; half-life one day.
    expected = [0.25, 0.25 + 0.5 + 1, 1, 0, 0, 0, 0]
    assert popularity(dataset.baskets, 7, dataset.now, 1.0).tolist() == expected


def test_rarer_words_make_products_more_alike() -> None:
    titles = {0: "sea salt fine", 1: "sea salt fine", 2: "salt block", 3: "salt block"}
    similar = likeness(a_dataset([{0}], titles).items).toarray()
    assert similar[0, 1] == pytest.approx(1)
    assert 0 < similar[0, 2] < similar[2, 3]
    assert not similar.diagonal().any()


def test_a_product_never_sold_stands_where_its_likes_stand() -> None:
    dataset = a_dataset([{0, 1}, {0, 1}], {0: "sea salt", 2: "sea salt"})
    sold = np.array([True, True, False, False, False, False, False])
    before = cosine(dataset.baskets, 7, dataset.now, CosineParameters())
    similar = with_cold_items(before, dataset.items, sold).toarray()
    assert similar[1, 2] == pytest.approx(similar[1, 0])
    assert similar[2, 1] == pytest.approx(similar[0, 1])
    assert similar[0, 1] == pytest.approx(before.toarray()[0, 1])
    assert not similar[3].any()


@given(st.sets(st.integers(0, 6)), st.lists(st.sampled_from(["sea salt", "salt", "tea", "mug"]), max_size=7))
def test_what_stands_in_is_known_and_alike(known: set[int], titles: list[str]) -> None:
    items = a_dataset([{0}], dict(enumerate(titles))).items
    alike = likeness(items).toarray() > 0
    found = stand_ins(items, np.isin(np.arange(7), list(known))).toarray()
    for item in range(7):
        wanted = np.array([other in known and item not in known and alike[item, other] for other in range(7)])
        assert found[item] == pytest.approx(wanted / max(wanted.sum(), 1))


@given(BASKETS)
def test_rows_of_neighbours_hold_the_matrix_best_first(baskets: list[set[int]]) -> None:
    dataset = a_dataset(baskets)
    similar = cosine(dataset.baskets, 7, dataset.now, CosineParameters())
    neighbours, weights = neighbour_rows(similar)
    rebuilt = np.zeros((7, 7), dtype=np.float32)
    np.add.at(rebuilt, (np.arange(7)[:, None], neighbours), weights)
    assert rebuilt == pytest.approx(similar.toarray(), abs=1e-6)
    assert (np.diff(weights, axis=1) <= 0).all()
