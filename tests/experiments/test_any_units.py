"""Whatever units there are, each metric is told with finite numbers or refused with a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.experiments.analysis import AnalysisPlan, Comparison, Interval, analyse
from app.experiments.metrics import METRICS
from app.experiments.refusal import Refusal
from app.experiments.units import Units
from tests.experiments.factories import EVEN

THREE = AnalysisPlan(("a", "b", "c"), (0.1, 0.6, 0.3), "b", primary="aov")
AMOUNTS = st.sampled_from([0.0, 0.0, 1.0, 999.0, 1_000.0, 10.0**12])


@st.composite
def any_units(draw: st.DrawFn, plan: AnalysisPlan) -> Units:
    size = draw(st.sampled_from([0, 3, 150, 900, 3_000, 3_000, 3_000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pick = rng.choice([draw(AMOUNTS) for _ in range(4)], (2, size))
    arm = rng.choice(len(plan.arms), size, p=plan.shares)
    if draw(st.integers(0, 9)) == 0:
        arm = np.zeros(size, dtype=np.int64)
    bought = (rng.random(size) < draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))).astype(float)
    if draw(st.integers(0, 4)) == 0:
        bought *= arm == 0
    cost = draw(st.sampled_from([0.0, 0.5, 2.0, np.nan]))
    back = bought * (rng.random(size) < draw(st.sampled_from([0.0, 0.5, 1.0])))
    return Units(
        arm, bought, bought, bought * pick[0], bought * pick[0] * (1 - cost), bought, back, back, pick[1]
    )


@pytest.mark.parametrize("plan", [EVEN, THREE])
@given(data=st.data())
@settings(max_examples=150)
def test_every_metric_is_told_or_refused(plan: AnalysisPlan, data: st.DataObject) -> None:
    units = data.draw(any_units(plan))
    found = analyse(units, plan, units.counts(len(plan.arms)))
    assert set(found.metrics) == set(METRICS)
    for told in found.metrics.values():
        if isinstance(told, Refusal):
            assert told.says
        else:
            assert len(told) == len(plan.arms) - 1
            assert all(map(is_sound, told))


def is_sound(each: Comparison) -> bool:
    intervals: list[Interval] = [each.difference, *([each.lift] if each.lift else [])]
    numbers = [each.figure, each.control_figure, each.p_value, each.variance_kept]
    numbers += [number for one in intervals for number in (one.value, one.low, one.high)]
    ordered = all(one.low <= one.value <= one.high for one in intervals)
    return bool(np.isfinite(numbers).all()) and ordered and 0 <= each.p_value <= 1
