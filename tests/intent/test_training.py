"""Learning intent in a made-up shop whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from app.intent.judging import TESTED, IntentReport, judged, train
from app.intent.model import IntentModel
from app.intent.moments import moments_of
from app.intent.prior import PRIOR
from app.intent.table import FEWEST_VISITS, Table, halves, table_of
from app.intent.training import chances, fit, fit_prior
from benchmarks.shop_with_truth import OVER, browsing, checkouts_and_truth, shoppers


def a_shop(visits: int, seed: int = 0) -> Table:
    random = np.random.default_rng(seed)
    told = browsing(shoppers(visits, random), random)
    return table_of([(at, moment) for at, (each, _) in enumerate(told) for moment in moments_of(each, OVER)])


@pytest.fixture(scope="module")
def table() -> Table:
    return a_shop(1_800)


@pytest.fixture(scope="module")
def trained(table: Table) -> tuple[IntentModel | None, IntentReport]:
    return train(table, PRIOR)


def test_a_shops_own_model_serves_when_it_is_better_on_later_visits(
    trained: tuple[IntentModel | None, IntentReport],
) -> None:
    model, report = trained
    assert report.publish
    assert model is not None
    assert report.heads["now"].gain_low > 0
    assert report.heads["now"].ours.auc > max(report.heads["now"].rule.auc, report.heads["now"].prior.auc)


def test_what_leaks_the_outcome_looks_far_better_and_is_not_used(
    trained: tuple[IntentModel | None, IntentReport],
) -> None:
    told = trained[1].heads["visit"]
    assert told.leaky.auc > 0.99 > told.ours.auc + 0.1


def test_probabilities_are_near_the_true_ones(table: Table) -> None:
    """Right after an event in a checkout, when nobody can have bought yet."""
    model, (rows, truth) = fit(table, PRIOR), checkouts_and_truth(2_000, seed=7)
    predicted = chances(model.ever, rows)
    assert predicted.mean() == pytest.approx(truth.mean(), abs=0.06)
    assert np.corrcoef(predicted, truth)[0, 1] > 0.4


def test_the_same_visits_give_the_same_model(table: Table) -> None:
    assert fit(table, PRIOR) == fit(table, PRIOR)


def test_too_few_visits_leave_the_shared_model() -> None:
    model, report = train(a_shop(FEWEST_VISITS - 1), PRIOR)
    assert model is None
    assert report.reason.startswith(f"Too few to learn from: {FEWEST_VISITS - 1} visits")


def test_no_visits_at_all_leave_the_shared_model() -> None:
    model, report = train(table_of([]), PRIOR)
    assert (model, report.visits, report.purchases) == (None, 0, 0)


def test_a_shop_in_which_nobody_buys_leaves_the_shared_model(table: Table) -> None:
    nobody = np.zeros(len(table), bool)
    bare = Table(table.features, table.leaky, nobody, nobody, table.visit, table.cart_alone)
    assert not judged(bare, PRIOR).publish


def test_a_model_that_is_no_better_does_not_serve() -> None:
    """Beside weights that were fitted to far more of the same shop, its own few visits add nothing."""
    better = fit_prior(a_shop(3_000, seed=5))
    assert not judged(a_shop(600, seed=3), better).publish


def test_all_rows_at_once_are_scored_as_each_alone(table: Table) -> None:
    head = fit(table, PRIOR).ever
    some = table.features[:500]
    assert chances(head, some) == pytest.approx([head.probability(row) for row in some.tolist()])


def test_time_runs_one_way(table: Table) -> None:
    first, later = halves(table, 0.3)
    assert (first ^ later).all()
    assert table.visit[first].max() < table.visit[later].min()
    assert len(np.unique(table.visit[later])) == pytest.approx(0.3 * table.visits, abs=1)


@pytest.mark.filterwarnings("error")
def test_where_all_or_none_of_the_latest_bought_nothing_is_known_of_the_model(table: Table) -> None:
    """Ranking those who buy before those who do not means nothing then: no figure says how good it is."""
    latest = halves(table, TESTED)[1]
    everyone = replace(table, ever=table.ever | latest, now=table.now | latest)
    model, report = train(everyone, PRIOR)
    assert (model, report.publish, report.heads) == (None, False, {})
    assert report.reason == "In a part of the visits all bought, or none: how good a model is can't be told."
