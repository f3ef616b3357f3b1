"""Estimates of another policy on logged decisions whose truth is known: do their intervals hold it?

python -m benchmarks.offpolicy --runs 200
"""

from __future__ import annotations

import argparse
from functools import cache

import numpy as np

from app.offpolicy.estimate import PolicyEstimate, WeightedDecisions, estimate
from app.offpolicy.outcome_training import Floats, cross_fitted

ACTIONS = 3
_NOISE = 0.3


def logged(decisions: int, seed: int) -> tuple[WeightedDecisions, float]:
    """Return decisions of a policy that follows the situation by chance, and what another would earn.

    The other policy nearly always takes the best of three actions; skewed rewards, most of them zero.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(decisions, 2))
    served, other = _shares(x, 0.8), _shares(x, -2.5)
    action = (rng.random((decisions, 1)) > served.cumsum(axis=1)).sum(axis=1).clip(0, ACTIONS - 1)
    worth = _worth(x)
    buys = rng.random(decisions) < 0.3
    reward = (
        buys * worth[np.arange(decisions), action] / 0.3 * rng.lognormal(-_NOISE / 2, _NOISE**0.5, decisions)
    )
    rows = np.arange(decisions)
    weight = other[rows, action] / served[rows, action]
    one_hot = np.eye(ACTIONS)
    seen = np.hstack([x, one_hot[action]])
    every = np.vstack([np.hstack([x, np.tile(one_hot[each], (decisions, 1))]) for each in range(ACTIONS)])
    predicted, elsewhere = cross_fitted(seen, reward, every, np.tile(rows, ACTIONS))
    by_target = (other * elsewhere.reshape(ACTIONS, decisions).T).sum(axis=1)
    return WeightedDecisions(weight, reward, predicted, by_target), _truth()


def _shares(x: Floats, slope: float) -> Floats:
    utility = np.stack([slope * -x[:, 0], 0 * x[:, 0], slope * -x[:, 1]], axis=1)
    shares = np.exp(utility - utility.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(0.9 * shares + 0.1 / ACTIONS)


def _worth(x: Floats) -> Floats:
    return np.asarray(np.stack([10 + 4 * x[:, 0], 10 + 0 * x[:, 0], 10 + 4 * x[:, 1]], axis=1).clip(0))


@cache
def _truth() -> float:
    x = np.random.default_rng(10**6).normal(size=(2_000_000, 2))
    return float((_shares(x, -2.5) * _worth(x)).sum(axis=1).mean())


def coverage(runs: int, decisions: int) -> dict[str, float]:
    """Return how often each estimator's 95 % interval held the truth."""
    held = dict.fromkeys(("ips", "self_normalised", "doubly_robust"), 0)
    for seed in range(runs):
        trials, truth = logged(decisions, seed)
        found = estimate(trials)
        assert isinstance(found, PolicyEstimate)
        for name in held:
            each = getattr(found, name)
            held[name] += each.low <= truth <= each.high
    return {name: count / runs for name, count in held.items()}


def main() -> None:
    """Print the coverage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--decisions", type=int, default=5_000)
    given = parser.parse_args()
    for name, share in coverage(given.runs, given.decisions).items():
        print(f"{name}: the 95 % interval held the truth in {share:.1%} of {given.runs} runs")


if __name__ == "__main__":
    main()
