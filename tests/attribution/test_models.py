from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attribution.models import MODELS, Model, weights

ages = st.lists(st.floats(0, 400), min_size=1, max_size=30).map(lambda all: sorted(all, reverse=True))


@given(st.sampled_from(sorted(MODELS)), ages)
def test_a_sale_is_shared_whole_and_nobody_owes_any(model: Model, ages: list[float]) -> None:
    shares = weights(model, ages)
    assert len(shares) == len(ages)
    assert isclose(sum(shares), 1, rel_tol=1e-9)
    assert min(shares) >= 0


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_only_touch_has_it_all(model: Model) -> None:
    assert weights(model, [3.0]) == [1.0]


def test_the_last_has_all_or_each_the_same() -> None:
    assert weights("last_touch", [5, 1, 0]) == [0, 0, 1]
    assert weights("linear", [5, 1, 0, 0]) == [0.25] * 4


def test_two_days_older_counts_for_half() -> None:
    assert weights("time_decay", [2, 0]) == pytest.approx([1 / 3, 2 / 3])
    assert weights("time_decay", [400, 398]) == pytest.approx([1 / 3, 2 / 3])


def test_the_first_and_the_last_have_four_tenths_each() -> None:
    assert weights("position", [9, 5, 1]) == pytest.approx([0.4, 0.2, 0.4])
    assert weights("position", [9, 5, 3, 1]) == pytest.approx([0.4, 0.1, 0.1, 0.4])
    assert weights("position", [9, 5]) == [0.5, 0.5]


def test_no_touch_is_no_sale_of_ours() -> None:
    with pytest.raises(ValueError, match="nobody"):
        weights("linear", [])
