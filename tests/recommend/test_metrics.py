"""Metrics against slow, obvious versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommend.metrics import hit_at_k, ndcg_at_k, paired_interval, recall_at_k

RANKED = st.lists(st.integers(0, 20), unique=True, max_size=15)
WANTED = st.frozensets(st.integers(0, 20), min_size=1)


def slow_ndcg(ranked: list[int], wanted: frozenset[int], k: int) -> float:
    gain = 0.0
    for place in range(min(k, len(ranked))):
        if ranked[place] in wanted:
            gain += 1 / math.log2(place + 2)
    best = sum(1 / math.log2(place + 2) for place in range(min(k, len(wanted))))
    return gain / best


@pytest.mark.parametrize(
    ("ranked", "recall", "ndcg", "hit"),
    [
        ([1, 2, 3], 1.0, 1.0, 1.0),  # both wanted ones stand first
        ([3, 1, 4], 0.5, (1 / math.log2(3)) / (1 + 1 / math.log2(3)), 1.0),  # one, in second place
        ([3, 4, 5], 0.0, 0.0, 0.0),
        ([], 0.0, 0.0, 0.0),
    ],
)
def test_metrics_by_hand(ranked: list[int], recall: float, ndcg: float, hit: float) -> None:
    assert recall_at_k(ranked, {1, 2}, 3) == recall
    assert ndcg_at_k(ranked, {1, 2}, 3) == pytest.approx(ndcg)
    assert hit_at_k(ranked, {1, 2}, 3) == hit


@given(RANKED, WANTED, st.integers(1, 12))
def test_metrics_agree_with_their_definitions(ranked: list[int], wanted: frozenset[int], k: int) -> None:
    found = [item for item in ranked[:k] if item in wanted]
    assert recall_at_k(ranked, wanted, k) == len(found) / len(wanted)
    assert hit_at_k(ranked, wanted, k) == (1.0 if found else 0.0)
    assert ndcg_at_k(ranked, wanted, k) == pytest.approx(slow_ndcg(ranked, wanted, k))


def test_nothing_wanted_has_no_recall() -> None:
    with pytest.raises(ValueError, match="nothing is wanted"):
        recall_at_k([1], set(), 1)
    with pytest.raises(ValueError, match="nothing is wanted"):
        ndcg_at_k([1], set(), 1)


def test_the_interval_holds_a_true_difference_and_not_zero() -> None:
    random = np.random.default_rng(1)
    theirs = random.random(2_000)
    interval = paired_interval(theirs + random.normal(0.05, 0.1, 2_000), theirs, seed=2)
    assert 0 < interval.low < 0.05 < interval.high
    # The standard error is 0.1 / sqrt(2000) = 0.0022, so the interval spans about 4 * 0.0022.
    assert interval.high - interval.low == pytest.approx(4 * 0.1 / math.sqrt(2_000), rel=0.15)


def test_the_interval_of_equal_models_is_zero() -> None:
    scores = np.array([0.1, 0.9, 0.4])
    interval = paired_interval(scores, scores, seed=0)
    assert (interval.mean, interval.low, interval.high) == (0, 0, 0)
