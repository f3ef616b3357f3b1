"""Which of the campaigns that compete is drawn how often: Thompson sampling from the log. Pure.

Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933: an arm is
drawn as often as it is likely to be the best one. How likely that is is worked out when a snapshot is
taken; a decision only draws, so that its propensity is exact.

- **Late answers.** Who has not ordered yet may still do so. An exposure counts, whatever came of it, once
  its time is over: neither are successes counted before failures nor the other way round.
- **Like with like.** Arms are compared within the sets that competed for the same shoppers: a coupon for
  the hesitant is not worse than a banner for everyone because the hesitant buy less. Within a set an
  exposure weighs by how unlikely it was, so that an arm drawn more often of late is not judged by the
  season of late.
- **Floor.** No arm falls below its floor, so that a wrong start is found out and every arm can be measured.

The standing holdout and each campaign's own are no arms: who is in them takes no part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from app.experiments.assign import bucket

WINDOW_S = 24 * 3600
FLOOR = 0.05
DRAWS = 4_000
PRIOR_EXPOSURES = 2.0  # what an arm begins with: one purchase in two, forgotten after a handful

Weights = dict[str, float]


class Trial(NamedTuple):
    """One decision that drew among several arms. at: epoch seconds. propensity: of the arm, as logged.

    bought: whether an order followed within the window; gained: what it left, in one unit for all.
    """

    choice: str
    arms: tuple[str, ...]
    drawn: str
    propensity: float
    at: float
    bought: bool = False
    gained: float = 1.0


class Tally(NamedTuple):
    """What is known of an arm within one set. exposures: as many alike ones as the weighed ones are worth.

    rate: of those with an order. worth: of an order, on average.
    """

    exposures: float = 0.0
    rate: float = 0.0
    worth: float = 1.0


def weights(
    trials: Iterable[Trial], now: float, window_s: float = WINDOW_S, floor: float = FLOOR
) -> dict[str, Weights]:
    """Return by choice and arm how often each is to be drawn, relative to the others; 1 is an even share.

    An arm that is not in them competes with 1. The same trials give the same weights.
    """
    by_set: dict[str, dict[tuple[str, ...], list[Trial]]] = defaultdict(lambda: defaultdict(list))
    for trial in trials:
        if trial.at + window_s <= now and len(trial.arms) > 1:
            by_set[trial.choice][tuple(sorted(trial.arms))].append(trial)
    return {choice: _floored(_averaged(sets, choice), floor) for choice, sets in by_set.items()}


def tallies(arms: Sequence[str], trials: Sequence[Trial]) -> dict[str, Tally]:
    """Return what a set's trials tell of each of its arms."""
    values = [each.gained for each in trials if each.bought]
    usual = sum(values) / len(values) if values else 1.0
    return {arm: _tally([each for each in trials if each.drawn == arm], usual) for arm in arms}


def best_shares(told: Mapping[str, Tally], seed: str) -> Weights:
    """Return how likely each arm is to be the best one, by draws that the seed repeats."""
    random = np.random.default_rng(int(bucket(seed, "draws") * 2**53))
    alpha = np.array([each.exposures * each.rate + PRIOR_EXPOSURES / 2 for each in told.values()])
    beta = np.array([each.exposures * (1 - each.rate) + PRIOR_EXPOSURES / 2 for each in told.values()])
    worth = np.array([each.worth for each in told.values()])
    drawn = random.beta(alpha, beta, (DRAWS, len(told))) * worth
    wins = np.bincount(drawn.argmax(axis=1), minlength=len(told)) / DRAWS
    return dict(zip(told, wins.tolist(), strict=True))


def _tally(trials: Sequence[Trial], usual: float) -> Tally:
    """Return the arm's own, each weighed by one over its propensity (Hájek's estimate)."""
    if not trials:
        return Tally(worth=usual)
    weighed = np.array([1 / max(each.propensity, 1e-3) for each in trials])
    bought = np.array([each.bought for each in trials])
    gained = [each.gained for each in trials if each.bought]
    # A handful of orders does not say what an order of this arm is worth.
    worth = (sum(gained) + 10 * usual) / (len(gained) + 10)
    alike = float(weighed.sum() ** 2 / np.square(weighed).sum())
    return Tally(alike, float(weighed @ bought / weighed.sum()), worth)


def _averaged(sets: Mapping[tuple[str, ...], Sequence[Trial]], choice: str) -> Weights:
    """Return each arm's chance to be best, averaged over the decisions it could have been drawn in."""
    total: dict[str, float] = defaultdict(float)
    times: dict[str, int] = defaultdict(int)
    for arms, trials in sorted(sets.items()):
        shares = best_shares(tallies(arms, trials), f"{choice} {' '.join(arms)}")
        for arm in arms:
            total[arm] += len(trials) * shares[arm]
            times[arm] += len(trials)
    return {arm: total[arm] / times[arm] for arm in sorted(total)}


def _floored(shares: Weights, floor: float) -> Weights:
    """Return weights of which none makes a share below the floor; all equal where that can't be."""
    least, whole = min(floor, 1 / len(shares)), sum(shares.values())
    left = 1 - least * len(shares)
    even = len(shares)
    return {arm: round(even * (least + left * share / whole), 6) for arm, share in shares.items()}
