"""What an experiment says where some of its visitors may not be remembered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from app.experiments.analysis import Comparison, Reading, Verdict, analyse
from app.experiments.mismatch import Mismatch
from app.experiments.outcomes import AnalysisScope, Observations, observe
from app.experiments.refusal import Cause, Refusal
from tests.experiments.factories import EVEN, exposed, ordered
from tests.experiments.test_outcomes import SCOPE
from tests.experiments.told import Exposure, Order, records_of

RATE = 0.2


def read_of(exposures: Iterable[Exposure], orders: Iterable[Order], scope: AnalysisScope = SCOPE) -> Reading:
    observed: Observations = observe(records_of(exposures, orders), scope)
    return analyse(observed.units, EVEN, observed.counts)


def conversion(found: Reading) -> Comparison:
    told = found.metrics["conversion"]
    assert not isinstance(told, Refusal), told
    return told[0]


def a_crowd(
    rng: np.random.Generator, allowing: tuple[float, float], of_named: float, of_nameless: float
) -> tuple[list[Exposure], list[Order]]:
    """Return what is kept of 30,000 visitors of two even arms. allowing: who may be remembered, by arm.

    of_named, of_nameless: the treated arm's lift among those who may be remembered, and among the others.
    """
    arm = rng.integers(0, 2, 30_000)
    named = rng.random(30_000) < np.array(allowing)[arm]
    lift = np.where(named, of_named, of_nameless) * arm
    bought = np.flatnonzero(rng.random(30_000) < RATE * (1 + lift))
    # A decision without a unit is no exposure that could be read; the order has its checkout all the same.
    exposures = [exposed(f"{n}", EVEN.arms[arm[n]]) for n in np.flatnonzero(named)]
    return exposures, [ordered(int(n) + 1, f"token-{n}") for n in bought]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_is_of_those_who_allow_and_says_nothing_of_the_others(seed: int) -> None:
    crowd = a_crowd(np.random.default_rng(seed), (0.5, 0.5), of_named=0.5, of_nameless=-0.5)
    told = conversion(read_of(*crowd))
    assert told.verdict is Verdict.BETTER
    assert told.lift is not None
    # Of everybody it is 0, and nobody could tell from what may be kept.
    assert told.lift.low < 0.5 < told.lift.high
    assert told.lift.low > 0


@pytest.mark.parametrize("seed", range(4))
def test_where_the_others_alone_are_moved_nothing_is_found(seed: int) -> None:
    crowd = a_crowd(np.random.default_rng(seed), (0.5, 0.5), of_named=0.0, of_nameless=0.8)
    assert conversion(read_of(*crowd)).verdict is Verdict.UNDECIDED


def test_an_arm_that_makes_more_people_allow_is_refused_as_a_mismatch() -> None:
    found = read_of(*a_crowd(np.random.default_rng(0), (0.5, 0.6), of_named=0.0, of_nameless=0.0))
    assert isinstance(found.mismatch, Mismatch)
    assert found.mismatch.found
    told = found.metrics["revenue"]
    assert isinstance(told, Refusal)
    assert told.cause is Cause.MISMATCH


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("lift", "verdict"), [(0.0, Verdict.UNDECIDED), (0.5, Verdict.BETTER)])
def test_an_arm_from_before_somebody_allowed_makes_an_effect_smaller_and_none_out_of_nothing(
    seed: int, lift: float, verdict: Verdict
) -> None:
    # Half of the visitors came before without a name, in an arm that still moves them one time in two.
    rng = np.random.default_rng(seed)
    arms, came_before = rng.integers(0, 2, (2, 20_000)), rng.random(20_000) < 0.5
    moved = np.where(came_before & (rng.random(20_000) < 0.5), arms[0], arms[1])
    bought = np.flatnonzero(rng.random(20_000) < RATE * (1 + lift * moved))
    exposures = [exposed(f"{n}", EVEN.arms[arms[1][n]]) for n in range(20_000)]
    told = conversion(read_of(exposures, [ordered(int(n) + 1, f"token-{n}") for n in bought]))
    assert told.verdict is verdict
    assert told.lift is not None
    assert told.lift.value < max(0.9 * lift, 0.1)
