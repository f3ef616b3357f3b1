from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommend.drift import ShownOffers, calibration, psi, shifts


def sample(seed: int, size: int = 2_000, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, size)


def shown(seed: int, size: int = 4_000, factor: float = 1.0) -> ShownOffers:
    """Return offers of which those with higher scores are accepted more often; factor: of all chances."""
    random = np.random.default_rng(seed)
    score, place = random.normal(-4, 1, size), random.integers(0, 3, size).astype(float)
    chance = factor / (1 + np.exp(-(score + 2 - 0.5 * place)))
    return ShownOffers(score, place, random.random(size) < chance)


def test_psi_is_what_the_textbook_says_of_two_shares() -> None:
    # 5,000 and 5,000 against 6,500 and 3,500: (.15 ln 1.3) + (-.15 ln .7) = .0394 + .0535 = .0929
    before = np.repeat([0.0, 1.0], 5_000)
    now = np.repeat([0.0, 1.0], [6_500, 3_500])
    assert psi(before, now) == pytest.approx(0.0929, abs=0.0005)


def test_psi_of_the_same_population_is_about_nought_however_few_were_drawn() -> None:
    for size in (60, 500, 5_000):
        found = [psi(sample(at, size), sample(1_000 + at, size)) for at in range(60)]
        assert np.mean(found) < 0.1


def test_psi_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        psi(np.zeros(0), np.ones(3))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_psi_is_never_negative_and_always_a_number(before: list[float], now: list[float]) -> None:
    assert 0 <= psi(np.array(before), np.array(now)) < np.inf


def test_planted_drift_is_found_and_named_and_nothing_else_is() -> None:
    before = {"cart": sample(1), "score": sample(2), "popular": np.zeros(2_000)}
    now = {"cart": sample(3), "score": sample(4, mean=0.8), "popular": np.zeros(2_000)}
    assert [each.measure for each in shifts(before, now)] == ["score"]


def test_without_drift_nothing_is_found_in_a_hundred_looks() -> None:
    for at in range(100):
        before = {str(each): sample(10_000 * at + each, 400) for each in range(20)}
        now = {str(each): sample(10_000 * at + 500 + each, 400) for each in range(20)}
        assert shifts(before, now) == []


def test_too_few_visits_tell_nothing() -> None:
    assert shifts({"score": sample(1, 199)}, {"score": sample(2, 5_000, mean=9)}) == []


def test_promises_that_hold_are_not_off() -> None:
    for seed in range(40):
        for size in (600, 4_000):
            found = calibration(shown(seed, size), shown(100 + seed, size))
            assert found is not None
            assert not found.off
            assert found.error < 5 / size**0.5


def test_higher_promises_are_accepted_more_often() -> None:
    found = calibration(shown(1), shown(2))
    assert found is not None
    assert found.bins[-1].accepted > 2 * found.bins[0].accepted
    assert sum(each.offers for each in found.bins) == 4_000


def test_shoppers_who_accept_half_as_much_as_promised_are_noticed() -> None:
    found = calibration(shown(1), shown(2, factor=0.5))
    assert found is not None
    assert found.off
    assert 0.4 < found.ratio < 0.6
    assert found.low < found.ratio < found.high < 1


def test_too_few_offers_promise_nothing() -> None:
    assert calibration(shown(1, 150), shown(2)) is None
    assert calibration(shown(1), shown(2, 150)) is None


def test_a_window_without_a_single_acceptance_is_as_bad_as_can_be() -> None:
    found = calibration(shown(1), shown(2, factor=0.0))
    assert found is not None
    assert found.off
    assert (found.accepted, found.ratio, found.low) == (0, 0.0, 0.0)
