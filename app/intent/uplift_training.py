"""Learning whom a coupon changes, from exposures that chance decided: training only.

The DR-learner (Kennedy, "Towards optimal doubly robust estimation of heterogeneous causal effects",
2023): what each shopper would do with and without the coupon is predicted by models that did not see
them; the difference, corrected by what they did and how likely they were to be exposed, is regressed on
what was known of them. Chance decided, and the log tells how often, so that the correction is right whatever
the models.

A shopper's own effect is nothing that can be seen. So shoppers are put in fifths by what is predicted of
them, and what serves is the effect measured in each fifth, with its interval, by forecasts that did not
see them either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from sklearn.linear_model import RidgeCV

from app.intent.exposures import Exposures
from app.intent.features import FEATURES
from app.intent.fitting import Flags, Floats, probabilities, shrunk_logistic
from app.intent.qini import Qini, qini
from app.intent.rates import Z
from app.intent.uplift import Effect, UpliftModel

FEWEST_EXPOSURES = 1_000
FEWEST_PURCHASES = 50  # in each arm
FOLDS, FIFTHS = 5, 5
LEAST_OF_A_FIFTH = 100
TESTED = 0.3
PENALTY = 30.0
RIDGES = (1e1, 1e2, 1e3, 1e4, 1e5)
LEAST_PROPENSITY = 0.01  # a rarer exposure says too little of too many

Predict = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class UpliftReport:
    """The evaluation of an uplift model, on exposures later than all it was trained on.

    average: over all exposures. ours: Qini of ranking by the effect predicted; response: of ranking by the
    probability to buy, what is usually done; ranking at random has 0.
    """

    exposures: int
    purchases_with: int
    purchases_without: int
    tested: int
    average: Effect | None
    ours: Qini | None
    response: Qini | None
    basis: str
    reason: str


def train(campaign: str, given: Exposures, seed: int = 0) -> tuple[UpliftModel | None, UpliftReport]:
    """Return the campaign's uplift model, None where its rule alone is to decide, and its evaluation."""
    usable = given.where((given.propensity >= LEAST_PROPENSITY) & (given.propensity <= 1 - LEAST_PROPENSITY))
    bought_with = int((usable.bought & usable.shown).sum())
    bought_without = int((usable.bought & ~usable.shown).sum())
    counts = (len(usable), bought_with, bought_without)
    if len(usable) < FEWEST_EXPOSURES or min(bought_with, bought_without) < FEWEST_PURCHASES:
        return None, UpliftReport(*counts, 0, None, None, None, "rule", _too_few(*counts))
    effects = _predicted(usable, seed)
    average = _effect(effects)
    ours, response, tested = _judged(usable, seed)
    base, base_bias = _arm(usable, ~usable.shown)
    basis: Literal["by_shopper", "average"] = "by_shopper" if ours.low > 0 else "average"
    report = UpliftReport(*counts, tested, average, ours, response, basis, _reason(ours, average))
    model = UpliftModel(
        campaign, FEATURES, "average", (average,), tuple(base.tolist()), base_bias, exposures=len(usable)
    )
    return (_by_shopper(model, usable, effects, seed) if basis == "by_shopper" else model), report


def _judged(given: Exposures, seed: int) -> tuple[Qini, Qini, int]:
    """Return how well the latest exposures are ranked by what the earlier ones taught."""
    tested = np.arange(len(given)) >= round(len(given) * (1 - TESTED))
    before, test = given.where(~tested), given.where(tested)
    weights, bias = _regressed(before.features, _predicted(before, seed))
    base, base_bias = _arm(before, ~before.shown)
    without, with_it = _models(before)
    effects = _doubly_robust(test, without(test.features), with_it(test.features))
    predicted = test.features @ weights + bias
    response = test.features @ base + base_bias
    return qini(predicted, effects, seed), qini(response, effects, seed), len(test)


def _predicted(given: Exposures, seed: int) -> Floats:
    """Return the doubly robust effects, cross-fitted: each fold's by models of the other folds."""
    fold = np.random.default_rng(seed).permutation(len(given)) % FOLDS
    effects = np.empty(len(given))
    for number in range(FOLDS):
        held = fold == number
        without, with_it = _models(given.where(~held))
        part = given.where(held)
        effects[held] = _doubly_robust(part, without(part.features), with_it(part.features))
    return effects


def _doubly_robust(given: Exposures, without: Floats, with_it: Floats) -> Floats:
    shown, share = given.shown.astype(np.float64), given.propensity
    bought = given.bought.astype(np.float64)
    effects: Floats = (
        with_it - without
        + shown * (bought - with_it) / share
        - (1 - shown) * (bought - without) / (1 - share)
    )  # fmt: skip
    return effects


def _models(given: Exposures) -> tuple[Predict, Predict]:
    """Return the probability to buy without the coupon and with it, as functions of features."""
    return _predictor(*_arm(given, ~given.shown)), _predictor(*_arm(given, given.shown))


def _predictor(weights: Floats, bias: float) -> Predict:
    return lambda features: probabilities(features @ weights + bias)


def _arm(given: Exposures, arm: Flags) -> tuple[Floats, float]:
    part = given.where(arm)
    return shrunk_logistic(part.features, part.bought, np.zeros(len(part)), PENALTY)


def _regressed(features: Floats, effects: Floats) -> tuple[Floats, float]:
    """Return weights and bias of a ridge regression of the effects; the data choose its penalty."""
    means, scales = features.mean(axis=0), features.std(axis=0)
    scales = np.where(scales > 1e-9, scales, np.inf)
    fitted = RidgeCV(alphas=RIDGES).fit((features - means) / scales, effects)
    weights = fitted.coef_ / scales
    return weights, float(fitted.intercept_ - weights @ means)


def _by_shopper(average: UpliftModel, given: Exposures, effects: Floats, seed: int) -> UpliftModel:
    """Return the model with the effect of each fifth, measured by forecasts that did not see it.

    Where many are predicted alike, a cut between two fifths falls among them and one of the two has nobody,
    or hardly anybody: it gets the average.
    """
    fold = np.random.default_rng(seed + 1).permutation(len(given)) % FOLDS
    fifth = np.empty(len(given), dtype=np.int64)
    for number in range(FOLDS):
        held = fold == number
        weights, bias = _regressed(given.features[~held], effects[~held])
        predicted = given.features @ weights + bias
        fifth[held] = np.searchsorted(_cuts(predicted), predicted[held], side="right")
    weights, bias = _regressed(given.features, effects)
    parts = [effects[fifth == at] for at in range(FIFTHS)]
    told = (_effect(part) if len(part) >= LEAST_OF_A_FIFTH else average.effects[0] for part in parts)
    return msgspec.structs.replace(
        average,
        basis="by_shopper",
        effects=tuple(told),
        cuts=tuple(_cuts(given.features @ weights + bias).tolist()),
        weights=tuple(weights.tolist()),
        bias=bias,
    )


def _cuts(predicted: Floats) -> Floats:
    cuts: Floats = np.quantile(predicted, np.arange(1, FIFTHS) / FIFTHS)
    return cuts


def _effect(effects: Floats) -> Effect:
    mean = float(effects.mean())
    reach = Z * float(effects.std(ddof=1)) / float(np.sqrt(len(effects)))
    return Effect(mean, mean - reach, mean + reach)


def _reason(ours: Qini, average: Effect) -> str:
    who = f"Qini {ours.value:+.4f} ({ours.low:+.4f} to {ours.high:+.4f})"
    said = f"{average.mean:+.1%} of shoppers buy because of it ({average.low:+.1%} to {average.high:+.1%})"
    if ours.low > 0:
        return f"It can be told whom the coupon changes: {who}; on average {said}."
    if average.low > 0:
        return f"Whom the coupon changes can't be told apart: {who}; on average {said}."
    return f"That the coupon changes anything is not sure: on average {said}."


def _too_few(exposures: int, bought_with: int, bought_without: int) -> str:
    return (
        f"Too few exposures by chance: {exposures}, with {bought_with} purchases with the coupon and "
        f"{bought_without} without; {FEWEST_EXPOSURES} and {FEWEST_PURCHASES} of each are needed."
    )
