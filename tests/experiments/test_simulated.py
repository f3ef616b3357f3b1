"""The claims of docs/measurement.md on fewer seeds, all fixed: what holds once always holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma, ttest_ind

from app.experiments.analysis import AnalysisPlan, Comparison, Verdict, analyse
from app.experiments.refusal import Refusal
from app.experiments.units import Units
from benchmarks.known_uplift import World, first, units
from benchmarks.measurement import EVEN, STANDING, adjustment, bugs, power, wrong_hash

SEEDS = 60
LOOKS = np.unique(np.geomspace(300, 6_000, 12).astype(int))


def looks(world: World, seed: int) -> list[Units]:
    drawn = units(world, int(LOOKS[-1]), np.random.default_rng(seed))
    return [first(drawn, slice(int(n))) for n in LOOKS]


def told(found: Units, plan: AnalysisPlan, metric: str) -> tuple[Comparison, ...]:
    pairs = analyse(found, plan, found.counts(len(plan.arms))).metrics[metric]
    return () if isinstance(pairs, Refusal) else pairs


def decided(world: World, metric: str, seed: int) -> bool:
    each = (pair for found in looks(world, seed) for pair in told(found, world.plan, metric))
    return any(pair.verdict is not Verdict.UNDECIDED for pair in each)


@pytest.mark.parametrize(("plan", "lifts"), [(EVEN, (0.0, 0.0)), (STANDING, (0.0, 0.0, 0.0))])
def test_who_looks_all_the_time_finds_nothing_where_there_is_nothing(
    plan: AnalysisPlan, lifts: tuple[float, ...]
) -> None:
    world = World("", plan, lifts)
    assert sum(decided(world, "revenue", seed) for seed in range(SEEDS)) <= 0.05 * SEEDS


def test_who_looks_all_the_time_at_a_plain_test_does() -> None:
    world, found = World("", EVEN, (0.0, 0.0)), 0
    for seed in range(SEEDS):
        seen = ([each.revenue[each.arm == arm] for arm in (0, 1)] for each in looks(world, seed))
        found += any(ttest_ind(*arms, equal_var=False).pvalue < 0.05 for arms in seen)
    assert found >= 0.15 * SEEDS


def test_intervals_hold_the_truth_at_every_look() -> None:
    # A shopper orders with chance min(.3 taste, .8), a fifth more in the treated arm; taste is gamma(2, 1/2).
    chance, _ = quad(lambda taste: min(0.3 * taste, 0.8) * gamma.pdf(taste, 2, scale=0.5), 0, 20)
    world = World("", replace(EVEN, primary="conversion"), (0.0, 0.2))
    missed = 0
    for seed in range(SEEDS):
        pairs = [pair for found in looks(world, seed) for pair in told(found, world.plan, "conversion")]
        assert pairs
        missed += any(not each.difference.low <= 0.2 * chance <= each.difference.high for each in pairs)
    assert missed <= 0.05 * SEEDS


def test_the_adjustment_shifts_nothing_and_narrows_by_what_the_past_tells() -> None:
    bias, ratio, expected, honest = adjustment(300, size=1_000)
    assert abs(bias) < 3
    assert ratio == pytest.approx(expected, abs=0.05)
    assert honest == pytest.approx(1, abs=0.2)  # a variance of 300 draws is known to a tenth


def test_planted_bugs_are_caught_and_none_is_not() -> None:
    caught = {name: many for name, (many, _) in bugs(15, size=12_000).items()}
    assert caught["none"] == 0
    assert caught["every tenth exposure of one arm is not written down"] == 15


def test_a_ramp_drawn_by_the_arms_own_hash_is_caught() -> None:
    right, wrong = wrong_hash(4_000)
    assert right > 0.001
    assert wrong < 1e-12


def test_what_was_planned_for_is_found_as_often_as_planned() -> None:
    needed, fixed, found, last = power(25)
    assert needed > fixed
    assert found >= last >= 0.65 * 25  # 80 % planned; with 25 runs, 65 % is 1.9 standard errors below
