import numpy as np
import pytest
from scipy.stats import chisquare

from app.experiments.mismatch import check_srm, mismatch, sequential_srm


@pytest.mark.parametrize("counts", [[480, 520], [10, 30], [1, 0]])
def test_one_look_is_the_chi_squared_test(counts: list[int]) -> None:
    assert check_srm(counts, [0.5, 0.5]) == pytest.approx(chisquare(counts).pvalue)


def test_a_split_as_planned_is_no_mismatch_and_a_lost_tenth_is() -> None:
    assert not mismatch([5_030, 4_970], [1, 1]).found
    assert mismatch([5_000, 4_500], [1, 1]).found  # p = 3e-7 for one look
    assert mismatch([5_300, 89_400, 5_300], [0.05, 0.9, 0.05]).found


def test_looking_all_the_time_does_not_raise_a_false_alarm() -> None:
    shares, alarms = np.array([0.05, 0.9, 0.05]), 0
    for seed in range(200):
        units = np.random.default_rng(seed).choice(3, size=5_000, p=shares)
        counts = np.cumsum(units[:, None] == np.arange(3), axis=0)[9::50]
        alarms += min(sequential_srm(each.tolist(), shares.tolist()) for each in counts) < 0.05
    assert alarms <= 10  # of 200 at 5 %: ten are expected at most, and fewer come


def test_the_evidence_is_a_fair_bet() -> None:
    # One over the p-value is a martingale that starts at one: its mean over all splits of two is one.
    splits = [([2, 0], 0.25), ([1, 1], 0.5), ([0, 2], 0.25)]
    assert all(sequential_srm(counts, [0.5, 0.5]) == 1 or chance < 0.5 for counts, chance in splits)
    weights = {(n, 20 - n): np.exp(_log_binomial(20, n)) / 2**20 for n in range(21)}
    mean = sum(
        chance / max(sequential_srm(list(counts), [0.5, 0.5]), 1e-300) for counts, chance in weights.items()
    )
    assert mean >= 1  # capped at one from below, so never less
    assert mean < 1.01


def _log_binomial(n: int, k: int) -> float:
    from math import lgamma

    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


@pytest.mark.parametrize(("counts", "shares"), [([0, 0], [1, 1]), ([1, 2], [1]), ([1, 2], [1, 0])])
def test_a_split_without_units_or_shares_is_refused(counts: list[int], shares: list[float]) -> None:
    with pytest.raises(ValueError, match="share"):
        mismatch(counts, shares)
