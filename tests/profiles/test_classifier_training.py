from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import brier_score_loss

from app.profiles.classifier_training import (
    AT_RISK,
    LOYAL,
    as_trees,
    calibration_error,
    evaluate,
    figures,
    train,
)
from app.profiles.purchases import DAY_S, Purchases, clean
from app.profiles.snapshots import snapshot
from app.profiles.trees import Classifier, probability, raw_score
from benchmarks.histories import complete_journey, last_moment
from tests.profiles.histories import a_shop
from tests.profiles.purchase_factories import NOW_S, Row, orders_of


@pytest.fixture(scope="module")
def shop() -> Purchases:
    return a_shop()


def test_trees_as_plain_numbers_add_up_to_the_librarys_score() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(800, 6))
    labels = rows[:, 0] * rows[:, 1] + random.normal(0, 0.3, 800) > 0
    fitted = HistGradientBoostingClassifier(max_iter=40, random_state=0).fit(rows, labels)
    trees = as_trees(fitted)
    fresh = random.normal(size=(500, 6)) * 2
    ours = [raw_score(trees, row) for row in fresh.tolist()]
    assert ours == pytest.approx(fitted.decision_function(fresh).tolist(), abs=1e-12)


@pytest.mark.parametrize("label", [AT_RISK, LOYAL])
def test_on_a_real_history_a_label_is_foreseen_better_than_by_the_rule(label: str) -> None:
    orders = complete_journey()
    now = last_moment(orders)
    report = evaluate(clean(orders, now), label, now)
    assert report is not None
    assert report.publish
    assert report.gain_low > 0
    assert report.ours.auc > report.rule.auc
    assert report.ours.pr_auc > report.rule.pr_auc
    assert report.ours.ece < 0.05


def test_where_nothing_can_be_foreseen_nothing_is_published() -> None:
    report = evaluate(a_shop(customers=1_500, telling=False), AT_RISK, NOW_S)
    assert report is not None
    assert not report.publish
    assert report.reason.startswith("Not surely better than days since the last order alone")


@pytest.mark.parametrize("customers", [0, 1, 4, 60])
def test_too_few_customers_have_no_classifier(customers: int) -> None:
    purchases = a_shop(customers)
    assert evaluate(purchases, AT_RISK, NOW_S) is None
    assert train(purchases, LOYAL, NOW_S) is None


def test_a_shop_whose_customers_all_do_the_same_has_no_classifier() -> None:
    rows = [Row(customer, days) for customer in range(300) for days in range(0, 400, 10)]
    assert train(clean(orders_of(rows), NOW_S), AT_RISK, NOW_S) is None


def test_what_was_trained_does_not_know_what_came_after(shop: Purchases) -> None:
    then = NOW_S - 60 * DAY_S
    assert train(shop, AT_RISK, then, days=28) == train(shop.before(then), AT_RISK, then, days=28)


def test_the_same_purchases_and_seed_give_the_same_classifier(shop: Purchases) -> None:
    assert train(shop, LOYAL, NOW_S, seed=5) == train(shop, LOYAL, NOW_S, seed=5)


def test_a_classifier_survives_being_stored(shop: Purchases) -> None:
    classifier = train(shop, AT_RISK, NOW_S)
    stored = msgspec.json.decode(msgspec.json.encode(classifier), type=Classifier)
    assert stored == classifier
    rows = snapshot(shop, NOW_S, 28).features.tolist()
    told = [probability(stored, row) for row in rows]
    assert all(0 <= each <= 1 for each in told)
    assert len(set(told)) > 50


def test_calibration_error_by_hand() -> None:
    # Ten bins of two: .25 promised and .5 come in each of the first five, .75 and .5 in the others.
    probabilities = np.repeat([0.25, 0.75], 10)
    labels = np.array([0, 1] * 10, dtype=bool)
    assert calibration_error(labels, probabilities) == pytest.approx(0.25)
    assert calibration_error(labels, labels.astype(float)) == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=60))
def test_figures_agree_with_their_definitions(told: list[tuple[bool, float]]) -> None:
    labels = np.array([True, False, *(label for label, _ in told)])
    probabilities = np.array([0.5, 0.5, *(each for _, each in told)])
    said = figures(labels, probabilities)
    pairs = [(a, b) for a in probabilities[labels] for b in probabilities[~labels]]
    assert said.auc == pytest.approx(sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs))
    assert said.brier == pytest.approx(brier_score_loss(labels, probabilities))
    assert 0 <= said.ece <= 1
