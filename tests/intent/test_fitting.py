"""The fit against scikit-learn's, and its ends: nothing learnt, nothing known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from app.intent.fitting import log_losses, platt, probabilities, shrunk_logistic

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(2_000, 4)) * [1, 5, 0.2, 1] + [0, 3, 1, 0]
LABELS = RANDOM.random(2_000) < probabilities(ROWS @ np.array([0.8, -0.2, 1.0, 0.0]) - 1)
NONE = np.zeros(len(LABELS))


def test_without_anything_known_it_is_plain_logistic_regression() -> None:
    weights, bias = shrunk_logistic(ROWS, LABELS, NONE, penalty=1e-9, intercept_penalty=0)
    theirs = LogisticRegression(C=1e9, tol=1e-8, max_iter=1_000).fit(ROWS, LABELS)
    assert weights == pytest.approx(theirs.coef_[0], abs=1e-3)
    assert bias == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_a_penalty_is_in_standard_deviations() -> None:
    scaled = ROWS * [1, 100, 0.01, 7]
    plain, _ = shrunk_logistic(ROWS, LABELS, NONE, penalty=50)
    other, _ = shrunk_logistic(scaled, LABELS, NONE, penalty=50)
    assert other * [1, 100, 0.01, 7] == pytest.approx(plain)


def test_what_is_known_stays_where_little_speaks_against_it() -> None:
    known = ROWS @ np.array([0.8, -0.2, 1.0, 0.0])
    weights, bias = shrunk_logistic(ROWS[:20], LABELS[:20], known[:20], penalty=1e6, intercept_penalty=1e6)
    assert np.abs(weights * ROWS.std(axis=0)).max() < 1e-3
    assert abs(bias) < 1e-3


def test_a_feature_that_never_varies_weighs_nothing() -> None:
    weights, _ = shrunk_logistic(np.hstack([ROWS, np.ones((2_000, 1))]), LABELS, NONE, penalty=1)
    assert weights[-1] == 0


def test_labels_of_one_kind_have_an_answer() -> None:
    weights, bias = shrunk_logistic(ROWS, np.ones(2_000, bool), NONE, penalty=1)
    assert np.isfinite(weights).all()
    assert bias > 3


def test_platt_undoes_what_is_too_sure() -> None:
    truth = RANDOM.normal(size=20_000)
    labels = RANDOM.random(20_000) < probabilities(truth)
    sigmoid = platt(3 * truth + 1, labels)
    assert sigmoid.slope == pytest.approx(1 / 3, abs=0.03)
    assert sigmoid.slope + sigmoid.intercept == pytest.approx(0, abs=0.1)


def test_a_cost_is_minus_the_logarithm_of_what_was_promised() -> None:
    costs = log_losses(np.array([True, False]), np.array([0.25, 0.25]))
    assert costs.tolist() == pytest.approx([-np.log(0.25), -np.log(0.75)])
