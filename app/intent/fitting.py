"""Logistic regression that starts from what is known already: fitted by Newton's steps. Pure.

What is learnt is the difference to an offset, and it is drawn towards none: with few rows the offset
decides, with many the rows do. A Gaussian prior on the difference, found at its mode.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.profiles.trees import Sigmoid

STEPS = 50
_SMALL = 1e-9

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def shrunk_logistic(
    features: Floats, labels: Flags, offset: Floats, penalty: float, intercept_penalty: float = 1.0
) -> tuple[Floats, float]:
    """Return weights and bias of what is added to the offset, a row's log-odds.

    features: float64 of shape (rows, features). penalty: on squared weights, in standard deviations of
    their feature; a feature that never varies gets weight 0.
    """
    means, scales = features.mean(axis=0), features.std(axis=0)
    varies = scales > _SMALL
    columns = (features[:, varies] - means[varies]) / scales[varies]
    design = np.concatenate([np.ones((len(columns), 1)), columns], axis=1)
    ridge = np.array([intercept_penalty] + [penalty] * columns.shape[1])
    fitted = _newton(design, labels.astype(np.float64), offset, ridge)
    weights = np.zeros(features.shape[1])
    weights[varies] = fitted[1:] / scales[varies]
    return weights, float(fitted[0] - weights @ means)


def platt(scores: Floats, labels: Flags, penalty: float = 10.0) -> Sigmoid:
    """Return the sigmoid that fits the log-odds, drawn towards leaving them as they are."""
    centre = float(scores.mean())
    design = np.stack([np.ones_like(scores), scores - centre], axis=1)
    spread = max(float(scores.var()), _SMALL)
    bias, slope = _newton(design, labels.astype(np.float64), scores, np.array([1.0, penalty * spread]))
    return Sigmoid(float(1 + slope), float(bias - slope * centre))


def probabilities(scores: Floats) -> Floats:
    """Return the probabilities of log-odds."""
    ours: Floats = 1 / (1 + np.exp(-np.clip(scores, -700, 700)))
    return ours


def log_losses(labels: Flags, chances: Floats) -> Floats:
    """Return what each row costs, in nats: minus the logarithm of what was promised of what came."""
    kept = np.clip(chances, 1e-6, 1 - 1e-6)
    costs: Floats = -np.where(labels, np.log(kept), np.log(1 - kept))
    return costs


def _newton(design: Floats, labels: Floats, offset: Floats, ridge: Floats) -> Floats:
    found = np.zeros(design.shape[1])
    loss = _penalised(design, labels, offset, ridge, found)
    for _ in range(STEPS):
        chances = probabilities(offset + design @ found)
        gradient = design.T @ (chances - labels) + ridge * found
        curve = (design * (chances * (1 - chances))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curve, gradient)
        size = 1.0
        while (
            after := _penalised(design, labels, offset, ridge, found - size * step)
        ) > loss and size > 1e-6:
            size /= 2
        if loss - after <= 1e-10 * max(loss, 1.0):
            break
        found, loss = found - size * step, after
    return found


def _penalised(design: Floats, labels: Floats, offset: Floats, ridge: Floats, at: Floats) -> float:
    scores = offset + design @ at
    return float(np.logaddexp(0, scores).sum() - labels @ scores + (ridge * at * at).sum() / 2)
