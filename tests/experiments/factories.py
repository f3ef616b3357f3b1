"""Units of an experiment; each test varies only what matters to it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from app.experiments.analysis import AnalysisPlan
from app.experiments.units import Units
from tests.experiments.told import Exposure, Order

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVEN = AnalysisPlan(arms=("control", "treated"), shares=(0.5, 0.5), control="control")


def drawn(
    seed: int = 0, size: int = 4_000, lift: float = 0.0, rate: float = 0.2, spread: float = 0.6
) -> Units:
    """Return units of two even arms. lift: of the treated arm's chance to order. spread: of order values."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, size)
    taste = rng.gamma(2, 0.5, size)
    before = np.where(rng.random(size) < 0.7, taste * rng.lognormal(8, 0.4, size), 0).round()
    bought = (rng.random(size) < np.minimum(rate * taste * np.where(arm == 1, 1 + lift, 1), 1)).astype(float)
    revenue = (bought * rng.lognormal(8, spread, size)).round()
    given_back = bought * (rng.random(size) < 0.1)
    accepted = bought * (rng.random(size) < 0.3)
    return Units(arm, bought, bought, revenue, revenue * 0.4, bought, given_back, accepted, before)


def these(units: Units, rows: Any) -> Units:
    """Return these of the units."""
    return Units(**{field.name: getattr(units, field.name)[rows] for field in fields(units)})


def with_columns(units: Units, **columns: Any) -> Units:
    """Return the units with these columns in place of theirs."""
    return replace(units, **{name: np.asarray(values, dtype=float) for name, values in columns.items()})


def exposed(decision_id: str, arm: str = "control", days_ago: float = 20, **changes: Any) -> Exposure:
    """Return a decision for a browser of its own, whose window of 14 days is over."""
    fields: dict[str, Any] = {"unit": f"client:{decision_id}", "checkout_token": f"token-{decision_id}"}
    return Exposure(decision_id, NOW - timedelta(days=days_ago), arm, **(fields | changes))


def ordered(order_id: int, token: str | None = None, days_ago: float = 19, **changes: Any) -> Order:
    """Return an order of 10.00."""
    return Order(
        order_id, NOW - timedelta(days=days_ago), **({"minor": 1_000, "checkout_token": token} | changes)
    )
