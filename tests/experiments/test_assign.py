import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare, kstest, norm

from app.experiments.assign import (
    HOLDOUT,
    PERSONALISED,
    STATIC,
    Assignment,
    Experiment,
    assign,
    assignments_of,
    bucket,
    default_experiment,
    experiment,
    in_ramp,
    with_normalised_shares,
)

CASES = json.loads(Path(__file__).with_name("bucket.cases.json").read_text())
UNITS = [f"unit-{n}" for n in range(20_000)]
EVEN = with_normalised_shares({"a": 1, "b": 1})


@pytest.mark.parametrize("case", CASES["buckets"], ids=lambda case: case["unit"])
def test_buckets_are_the_same_everywhere(case: dict[str, object]) -> None:
    assert bucket(str(case["salt"]), str(case["unit"])) == case["bucket"]


@pytest.mark.parametrize("case", CASES["arms"], ids=lambda case: f"{case['unit']} {case['ramp']}")
def test_arms_are_the_same_everywhere(case: dict[str, object]) -> None:
    of = Experiment(case["salt"], with_normalised_shares(case["weights"]), case["ramp"])
    assert (assign(of, case["unit"]) if in_ramp(of, case["unit"]) else None) == case["arm"]


@pytest.mark.parametrize("salt", ["salt", "acme.myshopify.com", "acme.myshopify.com price 1"])
@pytest.mark.parametrize("units", [UNITS, [f"customer:{7 * 10**12 + n}" for n in range(20_000)]])
def test_buckets_are_uniform(salt: str, units: list[str]) -> None:
    points = [bucket(salt, unit) for unit in units]
    assert kstest(points, "uniform").pvalue > 0.001
    counts = Counter(int(point * 20) for point in points)
    assert chisquare([counts[n] for n in range(20)]).pvalue > 0.001


def test_shares_are_what_the_weights_say() -> None:
    split = experiment("salt", {HOLDOUT: 5, PERSONALISED: 85, STATIC: 10})
    counts = Counter(assign(split, unit) for unit in UNITS)
    expected = {HOLDOUT: 1_000, PERSONALISED: 17_000, STATIC: 2_000}  # of 20,000
    assert chisquare([counts[a] for a in expected], list(expected.values())).pvalue > 0.001


def test_no_experiment_follows_another() -> None:
    salts = [
        f"acme.myshopify.com {name} {version}" for name in ("price", "rank", "words") for version in (1, 2)
    ]
    arms = {salt: [assign(Experiment(salt, EVEN), unit) for unit in UNITS] for salt in salts}
    p_values = []
    for one, other in combinations(salts, 2):
        table = Counter(zip(arms[one], arms[other], strict=True))
        p_values.append(chi2_contingency([[table[a, b] for b in "ab"] for a in "ab"]).pvalue)
    assert min(p_values) > 0.001  # of 15 pairs, three experiments' two versions each
    assert kstest(p_values, "uniform").pvalue > 0.001


def test_who_the_ramp_lets_in_says_nothing_of_the_arm() -> None:
    of = Experiment("salt", EVEN, ramp=0.3)
    table = Counter((in_ramp(of, unit), assign(of, unit)) for unit in UNITS)
    assert chi2_contingency([[table[inside, arm] for arm in "ab"] for inside in (True, False)]).pvalue > 0.001
    inside = table[True, "a"] + table[True, "b"]
    assert 2 * norm.sf(abs(inside - 6_000) / 64.8) > 0.001  # 20,000 * .3, sd sqrt(20,000 * .3 * .7)


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_ramp_only_adds_units(unit: str, one: float, other: float) -> None:
    small, large = (Experiment("salt", EVEN, ramp) for ramp in sorted((one, other)))
    assert assign(small, unit) == assign(large, unit)
    assert in_ramp(large, unit) or not in_ramp(small, unit)


@given(st.text(), st.text())
def test_a_unit_stays_in_its_arm(salt: str, unit: str) -> None:
    assert 0 <= bucket(salt, unit) < 1
    split = default_experiment(salt)
    assert assign(split, unit) == assign(split, unit)


def test_personalised_static_and_nothing_is_what_a_shop_begins_with() -> None:
    first = default_experiment("salt")
    shares = {arm.name: arm.share for arm in first.arms}
    assert shares == pytest.approx({HOLDOUT: 0.05, PERSONALISED: 0.9, STATIC: 0.05})
    assert first.version == "holdout=0.05 personalised=0.9 static=0.05"


def test_a_larger_holdout_keeps_those_already_held_out_and_the_static() -> None:
    small, large = default_experiment("salt", 0.05), default_experiment("salt", 0.2)
    arms = [(assign(small, unit), assign(large, unit)) for unit in UNITS]
    assert {after for before, after in arms if before == HOLDOUT} == {HOLDOUT}
    assert {after for before, after in arms if before == STATIC} == {STATIC}
    assert {after for before, after in arms if before == PERSONALISED} == {HOLDOUT, PERSONALISED}


def test_other_shares_are_another_version() -> None:
    assert default_experiment("salt", 0.05).version != default_experiment("salt", 0.1).version


def test_nobody_of_the_holdout_is_in_any_experiment() -> None:
    standing, running = default_experiment("shop"), [Experiment("price", EVEN, id="price", version="2")]
    places = [assignments_of(standing, running, unit) for unit in UNITS]
    assert {len(each) for each in places if each[0].arm != PERSONALISED} == {1}
    assert {len(each) for each in places if each[0].arm == PERSONALISED} == {2}
    others = {each[1] for each in places if len(each) == 2}
    assert others == {Assignment("price", "2", "a", 0.5), Assignment("price", "2", "b", 0.5)}


def test_a_unit_that_the_ramp_has_not_reached_is_in_no_arm() -> None:
    running = [Experiment("price", EVEN, ramp=0.0, id="price")]
    assert len(assignments_of(default_experiment("shop", 0, 0), running, "unit")) == 1


def test_the_propensity_of_an_arm_is_its_share() -> None:
    split = experiment("salt", {HOLDOUT: 1, PERSONALISED: 3})
    assert (split.share(PERSONALISED), split.share("unknown")) == (0.75, 0)


@pytest.mark.parametrize(
    "weights", [{}, {"a": 0.0}, {"a": 1.0, "b": -0.5}, {"a": float("nan")}, {"a": float("inf")}]
)
def test_weights_that_split_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        experiment("salt", weights)
