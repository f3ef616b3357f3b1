import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare, kstest

from app.experiments.assign import (
    HOLDOUT,
    PERSONALISED,
    STATIC,
    assign,
    bucket,
    default_experiment,
    experiment,
)

CASES = json.loads(Path(__file__).with_name("cases.json").read_text())
UNITS = [f"unit-{n}" for n in range(20_000)]


@pytest.mark.parametrize("case", CASES["buckets"], ids=lambda case: case["unit"])
def test_buckets_are_the_same_everywhere(case: dict[str, object]) -> None:
    assert bucket(str(case["salt"]), str(case["unit"])) == pytest.approx(case["bucket"], abs=1e-15)


@pytest.mark.parametrize("case", CASES["arms"], ids=lambda case: case["unit"])
def test_arms_are_the_same_everywhere(case: dict[str, object]) -> None:
    assert assign(experiment(case["salt"], case["weights"]), case["unit"]) == case["arm"]


def test_buckets_are_uniform() -> None:
    points = [bucket("salt", unit) for unit in UNITS]
    assert kstest(points, "uniform").pvalue > 0.001
    counts = Counter(int(point * 20) for point in points)
    assert chisquare([counts[n] for n in range(20)]).pvalue > 0.001


def test_shares_are_what_the_weights_say() -> None:
    split = experiment("salt", {HOLDOUT: 5, PERSONALISED: 85, STATIC: 10})
    counts = Counter(assign(split, unit) for unit in UNITS)
    expected = {HOLDOUT: 1_000, PERSONALISED: 17_000, STATIC: 2_000}  # of 20,000
    assert chisquare([counts[a] for a in expected], list(expected.values())).pvalue > 0.001


def test_two_experiments_do_not_follow_each_other() -> None:
    one, two = default_experiment("one", 0.5), default_experiment("two", 0.5)
    table = Counter((assign(one, unit), assign(two, unit)) for unit in UNITS)
    arms = (HOLDOUT, PERSONALISED)
    assert chi2_contingency([[table[a, b] for b in arms] for a in arms]).pvalue > 0.001


@given(st.text(), st.text())
def test_a_unit_stays_in_its_arm(salt: str, unit: str) -> None:
    assert 0 <= bucket(salt, unit) < 1
    split = default_experiment(salt)
    assert assign(split, unit) == assign(split, unit)


def test_a_larger_holdout_keeps_those_already_held_out() -> None:
    small, large = default_experiment("salt", 0.05), default_experiment("salt", 0.2)
    held_out = [unit for unit in UNITS if assign(small, unit) == HOLDOUT]
    assert all(assign(large, unit) == HOLDOUT for unit in held_out)


def test_the_propensity_of_an_arm_is_its_share() -> None:
    split = experiment("salt", {HOLDOUT: 1, PERSONALISED: 3})
    assert (split.share(PERSONALISED), split.share("unknown")) == (0.75, 0)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 1.0, "b": -0.5}])
def test_weights_that_split_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        experiment("salt", weights)
