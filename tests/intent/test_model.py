"""Served as plain numbers: the same as the arrays it was trained with."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from app.intent.features import FEATURES
from app.intent.model import Head, IntentModel, logistic
from app.intent.prior import PRIOR, SHARED
from app.profiles.classifier_training import as_trees
from app.profiles.trees import Sigmoid

numbers = st.floats(-20, 20)
rows = st.lists(numbers, min_size=len(FEATURES), max_size=len(FEATURES))


@given(st.floats(-1e6, 1e6))
def test_a_probability_is_the_logistic_of_its_log_odds(score: float) -> None:
    assert logistic(score) == pytest.approx(expit(score))


@given(rows)
def test_a_purchase_now_is_one_within_the_visit(row: list[float]) -> None:
    told = PRIOR.chances(row)
    assert 0 <= told.now <= told.visit <= 1
    assert (PRIOR.now(row), PRIOR.visit(row)) == told


def test_trees_speak_where_there_are_some() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(500, len(FEATURES)))
    fitted = HistGradientBoostingClassifier(max_iter=5).fit(features, features[:, 0] > 0)
    head = Head(trees=as_trees(fitted), sigmoid=Sigmoid(1.0, 0.0))
    ours = [head.probability(row) for row in features.tolist()]
    assert ours == pytest.approx(fitted.predict_proba(features)[:, 1])


def test_a_model_comes_back_from_json_as_it_was() -> None:
    kept = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(PRIOR)))
    assert msgspec.convert(kept, IntentModel) == PRIOR


def test_the_shared_model_says_where_it_is_from_and_reads_no_prices() -> None:
    assert "retentioneering" in SHARED.card["made_from"]
    assert SHARED.card["figures"]["now"]["auc"] > 0.7
    for name in SHARED.card["unread"]:
        at = FEATURES.index(name)
        assert PRIOR.soon.weights[at] == PRIOR.ever.weights[at] == 0


def test_the_shared_model_rises_with_the_checkouts_steps() -> None:
    row = [0.0] * len(FEATURES)
    row[FEATURES.index("seen")] = 1
    chances = []
    for step in ("in_cart", "started", "contact", "address", "shipping"):
        row[FEATURES.index(step)] = 1
        chances.append(PRIOR.visit(row))
    assert chances == sorted(chances)


def test_where_nothing_is_known_of_the_visit_it_is_calibrated_apart() -> None:
    head = Head((0.0,) * len(FEATURES), 1.0, alone=Sigmoid(2.0, 0.5))
    seen, unseen = [0.0] * len(FEATURES), [0.0] * len(FEATURES)
    seen[FEATURES.index("seen")] = 1.0
    assert head.probability(seen) == pytest.approx(expit(1.0))
    assert head.probability(unseen) == pytest.approx(expit(2.5))  # 2.0 * 1.0 + 0.5
