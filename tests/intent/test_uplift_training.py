"""What a coupon changes, in a made-up shop where that is known."""

import numpy as np
import pytest

from app.intent.exposures import Exposures
from app.intent.features import FEATURES
from app.intent.uplift import Effect, UpliftModel
from app.intent.uplift_training import FEWEST_EXPOSURES, train
from benchmarks.shop_with_truth import deciders, features

RANDOM = np.random.default_rng(3)
OF = deciders(9_000, RANDOM)
ROWS = features(OF)
EFFECTS = OF.buys_with_coupon - OF.buys


def exposed(propensity: np.ndarray, *, changes: bool = True, seed: int = 0) -> Exposures:
    """Return the shoppers of whom chance gave so many the coupon."""
    random = np.random.default_rng(seed)
    shown = random.random(len(OF)) < propensity
    with_it = OF.buys_with_coupon if changes else OF.buys
    bought = random.random(len(OF)) < np.where(shown, with_it, OF.buys)
    return Exposures(ROWS, shown, propensity, bought)


EVEN = np.full(len(OF), 0.5)


def test_whom_the_coupon_changes_is_told_apart() -> None:
    model, report = train("ten", exposed(EVEN))
    assert model is not None
    assert (model.basis, report.basis, len(model.effects)) == ("by_shopper", "by_shopper", 5)
    assert report.ours is not None
    assert report.response is not None
    assert report.ours.low > 0
    assert report.ours.value > report.response.value
    told = np.array([model.effect(row).mean for row in ROWS.tolist()])
    assert np.corrcoef(told, EFFECTS)[0, 1] > 0.5


def test_the_intervals_hold_the_truth() -> None:
    model, report = train("ten", exposed(EVEN))
    assert model is not None
    assert report.average is not None
    assert report.average.low <= EFFECTS.mean() <= report.average.high
    fifths = [model.effect(row) for row in ROWS.tolist()]
    held = 0
    for effect in model.effects:
        truth = EFFECTS[[each is effect for each in fifths]].mean()
        held += effect.low <= truth <= effect.high
    assert held >= 4


def test_unequal_propensities_do_not_bias_the_effect() -> None:
    """Where the coupon went more often to those who buy anyway, as a policy of the past might have done."""
    propensity = np.where(OF.buys > 0.4, 0.85, 0.3)
    given = exposed(propensity, seed=4)
    naive = given.bought[given.shown].mean() - given.bought[~given.shown].mean()
    _, report = train("ten", given)
    assert report.average is not None
    assert naive > report.average.high
    assert report.average.low <= EFFECTS.mean() <= report.average.high


def test_a_coupon_that_changes_nothing_is_never_surely_worth_it() -> None:
    model, report = train("ten", exposed(EVEN, changes=False, seed=2))
    assert model is not None
    assert model.basis == "average"
    assert model.effects[0].low <= 0
    assert "not sure" in report.reason


def test_shoppers_of_whom_nothing_tells_them_apart_are_one_part_and_stop_no_training() -> None:
    # Three in four allow nothing to be read, and the coupon changes the others alone.
    random = np.random.default_rng(5)
    known, shown = random.random(8_000) < 0.25, random.random(8_000) < 0.5
    rows = np.zeros((8_000, len(FEATURES)))
    rows[known, 0] = 1.0
    bought = random.random(8_000) < np.where(known & shown, 0.5, 0.2)
    model, report = train("ten", Exposures(rows, shown, np.full(8_000, 0.5), bought))
    assert model is not None
    assert report.basis == "by_shopper"
    assert model.effect(rows[known][0].tolist()).low > 0.2
    assert model.effect(rows[~known][0].tolist()).high < 0.05


def test_too_few_exposures_leave_the_rule() -> None:
    few = np.arange(len(OF)) < FEWEST_EXPOSURES - 1
    model, report = train("ten", exposed(EVEN).where(few))
    assert model is None
    assert report.basis == "rule"
    assert report.reason.startswith(f"Too few exposures by chance: {FEWEST_EXPOSURES - 1}")


def test_none_at_all_leave_the_rule() -> None:
    model, report = train("ten", exposed(EVEN).where(np.zeros(len(OF), bool)))
    assert (model, report.exposures) == (None, 0)


def test_what_was_no_chance_is_not_counted() -> None:
    sure = np.ones(len(OF))
    model, report = train("ten", exposed(sure))
    assert (model, report.exposures) == (None, 0)


def test_the_same_exposures_give_the_same_model() -> None:
    assert train("ten", exposed(EVEN)) == train("ten", exposed(EVEN))


@pytest.mark.parametrize(("value", "fifth"), [(-9.0, 0), (0.0, 1), (0.4, 1), (0.5, 2), (9.0, 2)])
def test_a_shopper_has_the_effect_of_their_part(value: float, fifth: int) -> None:
    effects = tuple(Effect(number, number, number) for number in range(3))
    nothing = (0.0,) * (len(FEATURES) - 1)
    model = UpliftModel(
        "ten", FEATURES, "by_shopper", effects, (0.0, *nothing), 0.0, (0.0, 0.5), (1.0, *nothing), 0.0
    )
    assert model.effect([value, *nothing]) is effects[fifth]
    assert model.without([value, *nothing]) == 0.5
