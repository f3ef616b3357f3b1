"""Products' appeal from acceptances and dismissals, as a ranking term of the model. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.experiments.appeal import Appeal
from app.recommend.card import Difference
from app.recommend.model import Model


def with_appeal(model: Model, found: Appeal | None) -> Model:
    """Return the model with each product's appeal in log odds; without any where none is found."""
    if found is None:
        return replace(model, appeal=np.zeros(0, dtype=np.float32))
    of_each = [found.log_odds.get(product_id, 0.0) for product_id in model.product_ids.tolist()]
    return replace(model, appeal=np.array(of_each, dtype=np.float32))


def appeal_of(model: Model, product_ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the appeal of these products, 0 for new ones; an empty array for a model without appeal."""
    if not len(model.appeal):
        return model.appeal
    known = dict(zip(model.product_ids.tolist(), model.appeal.tolist(), strict=True))
    return np.array([known.get(each, 0.0) for each in product_ids.tolist()], dtype=np.float32)


def gain_of(found: Appeal | None) -> Difference | None:
    """Return by how much appeal improves the prediction of showings, for the model card; None without any."""
    if found is None:
        return None
    return Difference(found.gain.value, found.gain.low, found.gain.high, found.showings)
