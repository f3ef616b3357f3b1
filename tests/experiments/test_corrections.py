import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.experiments.corrections import holm


def test_the_smallest_pays_for_all_and_the_largest_for_itself() -> None:
    # .01 * 3, then .02 * 2, then .5 * 1
    assert holm([0.5, 0.01, 0.02]) == pytest.approx([0.5, 0.03, 0.04])


def test_a_later_one_is_never_less_than_an_earlier_one() -> None:
    # .01 * 3 = .03, and .011 * 2 = .022 becomes .03
    assert holm([0.01, 0.011, 0.9]) == pytest.approx([0.03, 0.03, 0.9])


@given(st.lists(st.floats(0, 1), min_size=1))
def test_nothing_becomes_more_certain_and_nothing_above_one(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    bonferroni = [min(1, len(p_values) * p) for p in p_values]
    assert all(a <= b + 1e-12 for a, b in zip(adjusted, bonferroni, strict=True))


def test_without_comparisons_there_is_nothing_to_correct() -> None:
    assert holm([]) == []
