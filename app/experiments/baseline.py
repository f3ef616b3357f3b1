"""What the shop's units did of late: what an experiment that is planned starts from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.connections import Connections
from app.errors import InputError
from app.experiments.assign import PERSONALISED, STANDING
from app.experiments.design import ArmDesign, Design
from app.experiments.estimates import mean_of, ratio_of
from app.experiments.metrics import METRICS
from app.experiments.ready import LEAST_UNITS
from app.experiments.store import latest_standing, observed_since
from app.experiments.units import Units, winsorised
from app.values import ShopDomain

_DAYS = 28  # four whole weeks
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A metric of the units that were served personally: its mean and deviation a unit, and their number.

    days: in which they came, fewer than four weeks in a shop that began of late.
    """

    mean: float
    deviation: float
    units: int
    days: int
    units_a_day: float


async def baseline_of(
    connections: Connections, shop: ShopDomain, metric: str, window_days: int, now: datetime
) -> Baseline:
    """Return the metric of who came in the four weeks before the last window.

    Raises InputError for too few of them, NotFound for a shop without decisions.
    """
    came = (await _came(connections, shop, [window_days], now))[window_days]
    return _baseline(came, metric, window_days)


async def baselines_of(
    connections: Connections, shop: ShopDomain, windows: Sequence[int], now: datetime
) -> dict[int, dict[str, Baseline]]:
    """Return the same of every metric by window, by records that are read once; none where nobody can say.

    Raises NotFound as `baseline_of`.
    """
    found: dict[int, dict[str, Baseline]] = {each: {} for each in windows}
    for window_days, came in (await _came(connections, shop, windows, now)).items():
        for metric in METRICS:
            with suppress(InputError):
                found[window_days][metric] = _baseline(came, metric, window_days)
    return found


@dataclass(frozen=True, slots=True)
class _Came:
    """Units whose window is over, and in how many days they came."""

    units: Units
    days: float


async def _came(
    connections: Connections, shop: ShopDomain, windows: Sequence[int], now: datetime
) -> dict[int, _Came]:
    """Return who came in the four weeks before the last window, by its days."""
    served = (ArmDesign(PERSONALISED), ArmDesign("nobody"))
    designs = {
        now - timedelta(days=days + _DAYS): Design(
            id=STANDING, arms=served, control=PERSONALISED, window_days=days
        )
        for days in windows
    }
    version = await latest_standing(connections, shop)
    observed = await observed_since(connections, shop, designs, version, now)
    found = {}
    for since, each in observed.items():
        design = designs[since]
        begun = now - timedelta(days=design.window_days) - (each.began or since)
        days = max(1.0, min(begun / _DAY, _DAYS))
        found[design.window_days] = _Came(winsorised(each.units, design.winsor), days)
    return found


def _baseline(came: _Came, metric: str, window_days: int) -> Baseline:
    units = came.units
    if len(units) < LEAST_UNITS:
        raise InputError(
            f"{len(units)} units completed their window in the last {window_days + _DAYS} days; a plan needs "
            f"{LEAST_UNITS} to go by"
        )
    mean, deviation = _of_unit(units, metric)
    return Baseline(mean, deviation, len(units), round(came.days), len(units) / came.days)


def _of_unit(units: Units, metric: str) -> tuple[float, float]:
    """Return the mean and the deviation that gives its variance over that many units."""
    measured = METRICS[metric]
    values = getattr(units, measured.above)
    known = np.isfinite(values)
    if measured.below is None:
        if not known.any():
            raise InputError(f"{measured.says}: not known of any unit")
        found = mean_of(values[known])
    else:
        ratio = ratio_of(values[known], getattr(units, measured.below)[known])
        if ratio is None:
            raise InputError(f"{measured.says}: there is no order to divide by")
        found = ratio
    return found.value, float(np.sqrt(found.variance * found.n))
