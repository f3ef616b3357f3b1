"""The reward model of the doubly robust estimate, cross-fitted on logged decisions. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]

FOLDS = 5
_LEAST_LEAF = 40


def cross_fitted(
    seen: Floats, reward: Floats, others: Floats, of: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return what was predicted of each logged row, and of each of the others.

    seen: float64, finite, a row a decision: its situation and its action. others: the same with other
    actions; of: int64, the decision each of them is of. No decision is predicted by a model that saw its own
    outcome (cross-fitting: Chernozhukov and others, Econometrics Journal 2018), so a model that learns by
    heart moves no estimate.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor  # seconds, which no other command waits for

    folds = np.arange(len(seen)) % FOLDS
    predicted, elsewhere = np.zeros(len(seen)), np.zeros(len(others))
    for fold in range(FOLDS):
        learnt, asked = folds != fold, folds == fold
        model = HistGradientBoostingRegressor(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=_LEAST_LEAF, random_state=0
        )
        varies = np.flatnonzero(np.ptp(seen[learnt], axis=0) > 0)
        if not len(varies):
            predicted[asked], elsewhere[folds[of] == fold] = reward[learnt].mean(), reward[learnt].mean()
            continue
        with threadpool_limits(limits=1):  # threads that wait for each other cost more than they save
            model.fit(seen[learnt][:, varies], reward[learnt])
        predicted[asked] = model.predict(seen[asked][:, varies])
        theirs = folds[of] == fold
        if theirs.any():
            elsewhere[theirs] = model.predict(others[theirs][:, varies])
    return predicted, elsewhere
