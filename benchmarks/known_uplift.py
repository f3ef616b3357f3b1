"""Shoppers whose answer to an experiment is known: what the measurement is judged by.

A shopper has a taste (gamma, mean 1) that moves both what they spent before and whether and for how much
they order now. An arm multiplies the chance to order, and nothing else. Order values are lognormal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np

from app.experiments.analysis import AnalysisPlan
from app.experiments.estimates import mean_of, ratio_of
from app.experiments.metrics import METRICS
from app.experiments.units import Floats, Units, winsorised

_MEAN_LOG_VALUE = 8.0  # about 30.00
_MARGIN = 0.4
_KNOWN = 0.6  # of shoppers, have a past
_TRUTH_UNITS = 4_000_000


@dataclass(frozen=True, slots=True)
class World:
    """A shop and an experiment in it. lifts: of the chance to order, by arm. spread: of log order values."""

    name: str
    plan: AnalysisPlan
    lifts: tuple[float, ...]
    rate: float = 0.3
    spread: float = 0.8


def units(world: World, size: int, rng: np.random.Generator) -> Units:
    """Return that many shoppers, each in an arm by chance."""
    arm = rng.choice(len(world.lifts), size=size, p=np.array(world.plan.shares))
    return _shoppers(world, arm, rng)


def without(found: Units, lost: Callable[[Units], object]) -> Units:
    """Return the units but those for whom a bug loses the exposure."""
    return first(found, np.flatnonzero(~np.asarray(lost(found), dtype=bool)))


def first(found: Units, rows: object) -> Units:
    """Return these rows of the units."""
    return Units(**{field.name: getattr(found, field.name)[rows] for field in fields(found)})


@cache
def truth(world: World) -> dict[str, tuple[float, ...]]:
    """Return each metric's true difference to the control by arm, of winsorised values as they are analysed.

    From four million shoppers an arm's share of whom is drawn once with its lift and once without, so that
    chance differs between arms as little as it can.
    """
    rng = np.random.default_rng(99)
    pooled = units(world, _TRUTH_UNITS, rng)
    caps = {name: _cap(pooled, name, world.plan.winsor) for name in ("revenue", "profit", "before")}
    figures = []
    for arm in range(len(world.lifts)):
        of = _shoppers(world, np.full(_TRUTH_UNITS, arm), np.random.default_rng(7))
        held = replace(of, **{name: np.clip(getattr(of, name), -cap, cap) for name, cap in caps.items()})
        figures.append({name: _figure(held, name) for name in METRICS})
    base = figures[world.plan.arms.index(world.plan.control)]
    return {name: tuple(each[name] - base[name] for each in figures) for name in METRICS}


def _cap(found: Units, name: str, quantile: float) -> float:
    return float(np.abs(getattr(winsorised(found, quantile), name)).max())


def _figure(found: Units, name: str) -> float:
    metric = METRICS[name]
    if metric.below is None:
        return mean_of(getattr(found, metric.above)).value
    ratio = ratio_of(getattr(found, metric.above), getattr(found, metric.below))
    assert ratio is not None
    return ratio.value


def _shoppers(world: World, arm: object, rng: np.random.Generator) -> Units:
    arms = np.asarray(arm, dtype=np.int64)
    size = len(arms)
    taste = rng.gamma(2, 0.5, size)
    before = np.where(rng.random(size) < _KNOWN, taste * rng.lognormal(_MEAN_LOG_VALUE, 0.5, size), 0.0)
    chance = np.minimum(world.rate * taste, 0.8) * (1 + np.array(world.lifts)[arms])
    bought: Floats = (rng.random(size) < chance).astype(np.float64)
    revenue = (bought * rng.lognormal(_MEAN_LOG_VALUE, world.spread, size) * (0.5 + 0.5 * taste)).round()
    given_back: Floats = bought * (rng.random(size) < 0.08)
    accepted: Floats = bought * (rng.random(size) < 0.2)
    return Units(
        arms, bought, bought, revenue, revenue * _MARGIN, bought, given_back, accepted, before.round()
    )
