"""Fitting lifetime value to a shop, and whether it foresees better than the plain ways do.

By maximum likelihood with scipy: the libraries that fit these models are unmaintained (`lifetimes`,
`btyd`) or bring a probabilistic programming language (`pymc-marketing`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import rankdata

from app.profiles.lifetime import BgNbd, GammaGamma, Lifetime, expected_orders, expected_value
from app.profiles.purchases import DAY_S, Ints, Purchases
from app.profiles.snapshots import FEATURES, snapshot
from app.wording import wording

HORIZON_DAYS = 90
FEWEST_CUSTOMERS = 100
FEWEST_REPEATERS = 30
RESAMPLES = 1_000
MODEL = "BG/NBD and Gamma-Gamma"
SAME_AGAIN = wording("the same spend again")
OWN_PACE, EVERYONE = wording("own pace"), wording("the shop's average")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the models know of each customer, float64, by customer id.

    repeats: days with a purchase after the first. last, known: days from the first purchase to the
    last one and to now. orders: days on which something was paid; mean_minor: what, on average.
    """

    customer_ids: Ints
    repeats: Floats
    last: Floats
    known: Floats
    orders: Floats
    mean_minor: Floats

    def __len__(self) -> int:
        return len(self.customer_ids)


@dataclass(frozen=True, slots=True)
class SpendFigures:
    """How good expectations are. rmse, mae: minor units. rank: Spearman's. bias: expected / spent - 1."""

    rmse: float
    mae: float
    rank: float
    bias: float


@dataclass(frozen=True, slots=True)
class SpendReport:
    """The model beside the plain ways, on a window it did not see.

    gains: by plain way, the 95 % interval of how much lower the model's squared error is, as a share
    of the plain one's. publish: whether it is surely lower than each. serves: what foresees this
    shop's spend, the model or else the plain way with the lowest error.
    """

    days: int
    tested: int
    ours: SpendFigures
    plain: dict[str, SpendFigures]
    gains: dict[str, tuple[float, float]]
    publish: bool
    serves: str


def summarise(purchases: Purchases, now: int) -> Summary:
    """Return each customer's history as the models read it. Purchases of one day are one purchase."""
    bought = purchases.where(purchases.counts)
    days = np.minimum(bought.placed_at, now) // DAY_S
    customer_ids, first, rows = np.unique(bought.customer_ids, return_index=True, return_counts=True)
    if not len(customer_ids):
        empty = np.zeros(0)
        return Summary(customer_ids, empty, empty, empty, empty, empty)
    new_day = np.diff(days, prepend=days[:1] - 1) != 0
    new_day[first] = True
    starts = np.flatnonzero(new_day)
    spent = np.add.reduceat(bought.net_minor.astype(np.float64), first)
    worth = np.add.reduceat(bought.net_minor, starts) > 0
    owner = np.searchsorted(first, starts, side="right") - 1
    orders = np.bincount(owner, weights=worth, minlength=len(first)).astype(np.float64)
    begun = days[first]
    return Summary(
        customer_ids=customer_ids,
        repeats=np.add.reduceat(new_day, first, dtype=np.float64) - 1,
        last=(days[first + rows - 1] - begun).astype(np.float64),
        known=(now // DAY_S - begun).astype(np.float64),
        orders=orders,
        mean_minor=spent / np.maximum(orders, 1),
    )


def fit(summary: Summary) -> Lifetime | None:
    """Return the shop's model, None with too few customers who came back, or who paid anything."""
    repeaters, valued = summary.repeats > 0, summary.orders > 0
    if len(summary) < FEWEST_CUSTOMERS or min(repeaters.sum(), valued.sum()) < FEWEST_REPEATERS:
        return None
    return Lifetime(
        fit_pace(summary.repeats, summary.last, summary.known),
        fit_worth(summary.orders[valued], summary.mean_minor[valued]),
    )


def fit_pace(repeats: Floats, last: Floats, known: Floats) -> BgNbd:
    """Return the most likely BG/NBD parameters, in the unit of time that is given."""
    unit = float(known.mean())
    rows, counts = np.unique(np.stack([repeats, last / unit, known / unit]), axis=1, return_counts=True)
    r, alpha, a, b = _most_likely(lambda p: float(counts @ pace_likelihood(BgNbd(*p), *rows)), 4)
    return BgNbd(r, alpha * unit, a, b)


def fit_worth(orders: Floats, mean_minor: Floats) -> GammaGamma:
    """Return the most likely Gamma-Gamma parameters, in the unit of money that is given."""
    unit = float(mean_minor.mean())

    def likelihood(p: Floats) -> float:
        return float(worth_likelihood(GammaGamma(p[0], 1 + p[1], p[2]), orders, mean_minor / unit).sum())

    p, q, v = _most_likely(likelihood, 3)
    return GammaGamma(p, 1 + q, v * unit)


def pace_likelihood(pace: BgNbd, repeats: Floats, last: Floats, known: Floats) -> Floats:
    """Return each customer's log-likelihood (equation 6 of the 2005 paper)."""
    r, alpha, a, b = pace.r, pace.alpha, pace.a, pace.b
    shape = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha)
    stayed = gammaln(a + b) + gammaln(b + repeats) - gammaln(b) - gammaln(a + b + repeats)
    alive = -(r + repeats) * np.log(alpha + known)
    gone = np.log(a) - np.log(np.maximum(b + repeats - 1, 1e-12)) - (r + repeats) * np.log(alpha + last)
    either = np.where(repeats > 0, np.logaddexp(alive, gone), alive)
    likelihood: Floats = shape + stayed + either
    return likelihood


def worth_likelihood(worth: GammaGamma, orders: Floats, mean_minor: Floats) -> Floats:
    """Return each customer's log-likelihood (equation 1a of note 025)."""
    shape = worth.p * orders
    likelihood: Floats = (
        gammaln(shape + worth.q) - gammaln(shape) - gammaln(worth.q) + worth.q * np.log(worth.v)
        + (shape - 1) * np.log(mean_minor) + shape * np.log(orders)
        - (shape + worth.q) * np.log(worth.v + orders * mean_minor)
    )  # fmt: skip
    return likelihood


def spend(lifetime: Lifetime, summary: Summary, days: float) -> Floats:
    """Return what each customer is expected to spend in the next days, minor units."""
    orders = expected_orders(lifetime.pace, summary.repeats, summary.last, summary.known, days)
    return orders * expected_value(lifetime.worth, summary.orders, summary.mean_minor)


def evaluate(
    purchases: Purchases, now: int, *, days: int = HORIZON_DAYS, seed: int = 0
) -> SpendReport | None:
    """Return how well the last days' spend could have been foreseen, None with too few customers."""
    moment = now - days * DAY_S
    before = purchases.before(moment)
    summary = summarise(before, moment)
    lifetime = fit(summary)
    if lifetime is None:
        return None
    seen = snapshot(purchases, moment, days)
    ours = spend(lifetime, summary, days)
    plain = _plain_ways(seen.features, _usual_spend(before, moment, days), days)
    spent = seen.spent_minor.astype(np.float64)
    gains = {name: _gain(spent, ours, theirs, seed) for name, theirs in plain.items()}
    said = {name: spend_figures(spent, theirs) for name, theirs in plain.items()}
    publish = all(low > 0 for low, _ in gains.values())
    return SpendReport(
        days=days,
        tested=len(spent),
        ours=spend_figures(spent, ours),
        plain=said,
        gains=gains,
        publish=publish,
        serves=MODEL if publish else min(said, key=lambda name: said[name].rmse),
    )


def spend_figures(spent: Floats, expected: Floats) -> SpendFigures:
    """Return how good the expectations are; a rank of 0 where one side is all equal."""
    ranks = rankdata(spent), rankdata(expected)
    varied = all(np.ptp(each) > 0 for each in ranks)
    return SpendFigures(
        rmse=float(np.sqrt(np.mean((spent - expected) ** 2))),
        mae=float(np.mean(np.abs(spent - expected))),
        rank=float(np.corrcoef(*ranks)[0, 1]) if varied else 0.0,
        bias=float(expected.sum() / max(spent.sum(), 1) - 1),
    )


def _plain_ways(features: Floats, usual: float, days: int) -> dict[str, Floats]:
    """Return what needs no model: the last window's spend again, the own pace so far, the average."""
    known = np.maximum(features[:, FEATURES.index("known_days")], days)
    return {
        SAME_AGAIN: features[:, FEATURES.index("spent_last_window")],
        OWN_PACE: features[:, FEATURES.index("spent")] / known * days,
        EVERYONE: np.full(len(features), usual),
    }


def _usual_spend(before: Purchases, moment: int, days: int) -> float:
    """Return what customers spent on average in the window that ended at the moment."""
    spent = snapshot(before, moment - days * DAY_S, days).spent_minor
    return float(spent.mean()) if len(spent) else 0.0


def _gain(spent: Floats, ours: Floats, theirs: Floats, seed: int) -> tuple[float, float]:
    """Return the bootstrap's 95 % interval of 1 - ours / theirs, in squared error; customers resampled."""
    random = np.random.default_rng(seed)
    errors = np.stack([(spent - ours) ** 2, (spent - theirs) ** 2])
    shares = []
    for _ in range(RESAMPLES):
        our_error, their_error = errors[:, random.integers(0, len(spent), len(spent))].sum(axis=1)
        shares.append(1 - our_error / max(their_error, 1e-12))
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def _most_likely(likelihood: Callable[[Floats], float], parameters: int) -> list[float]:
    """Return the positive parameters with the highest likelihood, searched on their logarithms."""
    found = minimize(
        lambda logs: -likelihood(np.exp(logs)), np.zeros(parameters), method="L-BFGS-B",
        bounds=[(-9, 9)] * parameters,
    )  # fmt: skip
    best: list[float] = np.exp(found.x).tolist()
    return best
