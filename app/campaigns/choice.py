"""Thompson sampling among competing campaigns: draw probabilities learnt from the log. Pure.

Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933: an arm is
drawn as often as it is likely to be the best one. How likely that is is worked out when a snapshot is
taken; a decision only draws, so that its propensity is exact.

- **Late answers.** Who has not ordered yet may still do so. Whether an exposure ended in an order counts,
  whatever came of it, once its time is over: neither are successes counted before failures nor the other
  way round.
- **Early words.** That an offer was taken or sent away is known within minutes, and is no end: who sent it
  away may order, who took it may not. It counts at once for what it was worth so far: an arm's rate is how
  often each word is heard of it, of all whose first half hour is over, times how many of those ordered of
  whom the same was heard of the same arm, of all whose time is over. So a word that comes fast neither
  wins nor loses an arm anything by coming fast.
- **Like with like.** Arms are compared within the sets that competed for the same shoppers: a coupon for
  the hesitant is not worse than a banner for everyone because the hesitant buy less. Within a set an
  exposure weighs by how unlikely it was, so that an arm drawn more often of late is not judged by the
  season of late.
- **Uneven orders.** What an order of an arm is worth is drawn as well, by how widely orders differ, and the
  largest of a hundred counts as the next: one of a reseller makes no arm the best.
- **Floor.** No arm falls below its floor, so that a wrong start is found out and every arm can be measured.

The standing holdout and each campaign's own are no arms: who is in them takes no part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.experiments.assign import bucket
from app.experiments.units import winsorise

WINDOW_S = 24 * 3600
HEARD_S = 30 * 60  # what is said later of an offer is not waited for
FLOOR = 0.05
DRAWS = 4_000
WINSOR = 0.99
WORTH_PRIOR = 10  # as many orders, of what one usually brings, an arm begins with
PRIOR_EXPOSURES = 2.0  # what an arm begins with: one purchase in two, forgotten after a handful

Weights = dict[str, float]
Word = Literal["accepted", "dismissed", ""]
WORDS: tuple[Word, ...] = ("accepted", "dismissed", "")


class Draw(NamedTuple):
    """One decision that drew among several arms. at: epoch seconds. propensity: of the arm, as logged.

    bought: whether an order followed within the window; gained: what it left, in one unit for all.
    word: what the shopper said of it within HEARD_S.
    """

    choice: str
    arms: tuple[str, ...]
    drawn: str
    propensity: float
    at: float
    bought: bool = False
    gained: float = 1.0
    word: Word = ""


class FeedbackShare(NamedTuple):
    """The shoppers of an arm who gave one kind of feedback. share: of all of the arm.

    exposures: the effective number of those whose window is over; rate: the share of them with an order.
    """

    share: float = 0.0
    exposures: float = 0.0
    rate: float = 0.0


class ArmEvidence(NamedTuple):
    """What is known of an arm within one set. exposures: the effective number of the weighted ones.

    heard: by kind of feedback, in the order of WORDS. worth: of an order, on average; worth_error: its
    standard error.
    """

    exposures: float = 0.0
    heard: tuple[FeedbackShare, ...] = (FeedbackShare(),) * len(WORDS)
    worth: float = 1.0
    worth_error: float = 0.0

    @property
    def rate(self) -> float:
        """Return the expected share of orders, 0 while no shopper's window is over."""
        known = [each for each in self.heard if each.exposures]
        whole = sum(each.share for each in known)
        return sum(each.share * each.rate for each in known) / whole if whole else 0.0


def weights(
    trials: Iterable[Draw], now: float, window_s: float = WINDOW_S, floor: float = FLOOR
) -> dict[str, Weights]:
    """Return by choice and arm how often each is to be drawn, relative to the others; 1 is an even share.

    An arm that is not in them competes with 1. The same trials give the same weights.
    """
    by_set: dict[str, dict[tuple[str, ...], list[Draw]]] = defaultdict(lambda: defaultdict(list))
    for trial in trials:
        if trial.at + HEARD_S <= now and len(trial.arms) > 1:
            by_set[trial.choice][tuple(sorted(trial.arms))].append(trial)
    shares = {choice: _averaged(sets, choice, now - window_s) for choice, sets in by_set.items()}
    return {choice: _floored(found, floor) for choice, found in shares.items() if found}


def tallies(arms: Sequence[str], trials: Sequence[Draw], over: float) -> dict[str, ArmEvidence]:
    """Return what a set's trials tell of each of its arms. over: until when their time is."""
    trials = _winsorised(trials, over)
    values = [each.gained for each in trials if each.bought and each.at <= over]
    usual, variance = (float(np.mean(values)), float(np.var(values))) if values else (1.0, 0.0)
    of = {arm: [each for each in trials if each.drawn == arm] for arm in arms}
    return {arm: _tally(theirs, usual, variance, over) for arm, theirs in of.items()}


def best_shares(told: Mapping[str, ArmEvidence], seed: str) -> Weights:
    """Return how likely each arm is to be the best one, by draws that the seed repeats."""
    random = np.random.default_rng(int(bucket(seed, "draws") * 2**53))
    usual = _usual_shares(told.values())
    drawn = np.stack([_drawn(each, usual, random) for each in told.values()], axis=1)
    wins = np.bincount(drawn.argmax(axis=1), minlength=len(told)) / DRAWS
    return dict(zip(told, wins.tolist(), strict=True))


def _drawn(told: ArmEvidence, usual: Mapping[int, float], random: np.random.Generator) -> NDArray[np.float64]:
    """Return draws of what an exposure of the arm brings, from what is known of it."""
    shares = _drawn_shares(told, usual, random)
    rates = np.zeros_like(shares)
    for column, (word, share) in enumerate(usual.items()):
        heard, (ordered, passed) = told.heard[word], _prior(told, word, share)
        bought = heard.exposures * heard.rate
        rates[:, column] = random.beta(bought + ordered, heard.exposures - bought + passed, DRAWS)
    worth = told.worth + told.worth_error * random.standard_normal(DRAWS)
    brought: NDArray[np.float64] = (shares * rates).sum(axis=1) * worth
    return brought


def _prior(told: ArmEvidence, word: int, share: float) -> tuple[float, float]:
    """Return what is presumed of those who said the word: so many who ordered, so many who passed.

    share: of all who say it. A word that nobody said of this arm whose time is over says nothing yet: who
    says it orders as the arm's others do.
    """
    known = sum(each.exposures for each in told.heard)
    if told.heard[word].exposures or not known:
        return share * PRIOR_EXPOSURES / 2, share * PRIOR_EXPOSURES / 2
    bought = sum(each.exposures * each.rate for each in told.heard)
    usual = (bought + PRIOR_EXPOSURES / 2) / (known + PRIOR_EXPOSURES)
    return usual * PRIOR_EXPOSURES, (1 - usual) * PRIOR_EXPOSURES


def _drawn_shares(
    told: ArmEvidence, usual: Mapping[int, float], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return draws of how often each word is heard of the arm, a column each."""
    if len(usual) == 1:
        return np.ones((DRAWS, 1))
    counts = [
        told.exposures * told.heard[word].share + share * PRIOR_EXPOSURES for word, share in usual.items()
    ]
    return random.dirichlet(counts, DRAWS)


def _usual_shares(told: Iterable[ArmEvidence]) -> dict[int, float]:
    """Return how often each word is heard of all arms, by its place in WORDS; without those never heard."""
    every = [each for each in told if each.exposures]
    whole = sum(each.exposures for each in every)
    if not whole:
        return {WORDS.index(""): 1.0}
    heard = (sum(each.exposures * each.heard[word].share for each in every) for word in range(len(WORDS)))
    return {word: share / whole for word, share in enumerate(heard) if share}


def _winsorised(trials: Sequence[Draw], over: float) -> list[Draw]:
    """Return the trials, no order of which is worth more than all but one in a hundred of theirs."""
    gained = [each.gained for each in trials if each.bought and each.at <= over]
    _, cap = winsorise(np.array(gained, dtype=np.float64), WINSOR)
    return [
        each if abs(each.gained) <= cap else each._replace(gained=max(-cap, min(each.gained, cap)))
        for each in trials
    ]


def _tally(trials: Sequence[Draw], usual: float, variance: float, over: float) -> ArmEvidence:
    """Return the arm's own, each weighed by one over its propensity (Hájek's estimate).

    usual, variance: of what an order brings, in all arms.
    """
    if not trials:
        return ArmEvidence(worth=usual, worth_error=sqrt(variance / WORTH_PRIOR))
    whole = sum(map(_weight, trials))
    heard = tuple(_heard([each for each in trials if each.word == word], whole, over) for word in WORDS)
    gained = [each.gained for each in trials if each.bought and each.at <= over]
    # A handful of orders does not say what an order of this arm is worth.
    known = len(gained) + WORTH_PRIOR
    worth = (sum(gained) + WORTH_PRIOR * usual) / known
    return ArmEvidence(_alike(trials), heard, worth, sqrt(variance / known))


def _heard(trials: Sequence[Draw], whole: float, over: float) -> FeedbackShare:
    done = [each for each in trials if each.at <= over]
    weighed = sum(map(_weight, done))
    rate = sum(_weight(each) for each in done if each.bought) / weighed if weighed else 0.0
    return FeedbackShare(sum(map(_weight, trials)) / whole, _alike(done), rate)


def _alike(trials: Sequence[Draw]) -> float:
    """Return as many trials of one weight as these are worth (Kish's effective size)."""
    weighed = [_weight(each) for each in trials]
    return sum(weighed) ** 2 / sum(each * each for each in weighed) if weighed else 0.0


def _weight(trial: Draw) -> float:
    return 1 / max(trial.propensity, 1e-3)


def _averaged(sets: Mapping[tuple[str, ...], Sequence[Draw]], choice: str, over: float) -> Weights:
    """Return each arm's chance to be best, averaged over the decisions it could have been drawn in."""
    total: dict[str, float] = defaultdict(float)
    times: dict[str, int] = defaultdict(int)
    for arms, trials in sorted(sets.items()):
        known = sum(each.at <= over for each in trials)
        if not known:
            continue
        shares = best_shares(tallies(arms, trials, over), f"{choice} {' '.join(arms)}")
        for arm in arms:
            total[arm] += known * shares[arm]
            times[arm] += known
    return {arm: total[arm] / times[arm] for arm in sorted(total)}


def _floored(shares: Weights, floor: float) -> Weights:
    """Return weights of which none makes a share below the floor; all equal where that can't be."""
    least, whole = min(floor, 1 / len(shares)), sum(shares.values())
    left = 1 - least * len(shares)
    even = len(shares)
    return {arm: round(even * (least + left * share / whole), 6) for arm, share in shares.items()}
