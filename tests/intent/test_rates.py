import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from app.intent.rates import rate


@given(st.integers(1, 5_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_is_wilsons(counts: tuple[int, int]) -> None:
    ours, theirs = rate(*counts), binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours.share is not None
    assert ours.low <= ours.share <= ours.high


def test_of_nobody_everything_is_possible() -> None:
    assert (rate(0, 0).share, rate(0, 0).low, rate(0, 0).high) == (None, 0, 1)


def test_more_than_there_were_is_refused() -> None:
    with pytest.raises(ValueError, match="5 of 4"):
        rate(5, 4)
