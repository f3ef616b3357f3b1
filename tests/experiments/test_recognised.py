"""An arm that changes who is recognised finds more orders of its units: told, not believed."""

from __future__ import annotations

import numpy as np
import pytest

from app.experiments.analysis import Reading, Verdict, analyse
from app.experiments.mismatch import Mismatch
from app.experiments.outcomes import observe
from app.experiments.refusal import Cause, Refusal
from tests.experiments.factories import EVEN, exposed, ordered
from tests.experiments.test_outcomes import SCOPE
from tests.experiments.told import records_of


def two_devices(seed: int, signing_in: tuple[float, float], people: int = 4_000) -> Reading:
    """Return what is read of people with a phone and a desk, whom no arm makes buy any more.

    signing_in: how many use their account on both, by the arm of their phone: only then are the two one.
    """
    rng = np.random.default_rng(seed)
    arms, signs_in = rng.integers(0, 2, (people, 2)), rng.random(people)
    exposures, orders = [], []
    for n in range(people):
        account = n + 1 if signs_in[n] < signing_in[arms[n, 0]] else None
        for device, arm, ago in (("phone", arms[n, 0], 20.0), ("desk", arms[n, 1], 19.5)):
            name = f"{device}-{n}"
            exposures.append(exposed(name, EVEN.arms[arm], days_ago=ago, checkout_token=name))
            if account:
                again = {"unit": f"customer:{account}", "customer_id": account, "checkout_token": name}
                exposures.append(exposed(f"{name}-in", EVEN.arms[arm], days_ago=ago - 0.1, **again))
            if rng.random() < 0.2:
                orders.append(ordered(len(orders) + 1, name))
    observed = observe(records_of(exposures, orders), SCOPE)
    return analyse(observed.units, EVEN, observed.counts, observed.recognised)


@pytest.mark.parametrize("seed", range(3))
def test_an_arm_that_makes_people_sign_in_is_refused_and_not_taken_for_better(seed: int) -> None:
    found = two_devices(seed, signing_in=(0.1, 0.7))
    assert isinstance(found.mismatch, Mismatch)
    assert not found.mismatch.found  # as many persons as planned
    assert found.recognised is not None
    assert found.recognised.found
    told = found.metrics["conversion"]
    assert isinstance(told, Refusal)
    assert told.cause is Cause.MISMATCH
    assert "changes who is recognised" in told.says


@pytest.mark.parametrize("seed", range(3))
def test_people_who_sign_in_whatever_the_arm_take_nothing_from_it(seed: int) -> None:
    found = two_devices(seed, signing_in=(0.4, 0.4))
    assert found.recognised is not None
    assert not found.recognised.found
    told = found.metrics["conversion"]
    assert not isinstance(told, Refusal)
    assert told[0].verdict is Verdict.UNDECIDED


def test_who_is_recognised_after_their_order_was_made_so_by_it_and_alarms_nobody() -> None:
    # Half of one arm buys, an eighth of the other, and all buyers sign in on the thank-you page.
    buyers = [n for n in range(600) if n % (4 if n % 2 else 16) == n % 2]
    first = [exposed(f"{n}", EVEN.arms[n % 2], checkout_token=f"t{n}") for n in range(600)]
    then = [
        exposed(f"{n}b", EVEN.arms[n % 2], days_ago=19, unit=f"customer:{n}", customer_id=n + 1,
                checkout_token=f"t{n}", surface="thank_you")
        for n in buyers
    ]  # fmt: skip
    orders = [ordered(n, f"t{n}", days_ago=19.5) for n in buyers]
    observed = observe(records_of(first + then, orders), SCOPE)
    assert (observed.counts, observed.recognised) == ((300, 300), (0, 0))
    found = analyse(observed.units, EVEN, observed.counts, observed.recognised).metrics["conversion"]
    assert not isinstance(found, Refusal)
    assert found[0].verdict is Verdict.BETTER


def test_buyers_who_come_back_to_their_account_alarm_nobody_because_their_arm_sells_more() -> None:
    # Half of one arm buys, an eighth of the other; all buyers come again, signed in, for another checkout.
    buyers = [n for n in range(600) if n % (4 if n % 2 else 16) == n % 2]
    first = [exposed(f"{n}", EVEN.arms[n % 2], checkout_token=f"t{n}") for n in range(600)]
    then = [
        exposed(f"{n}{page}", EVEN.arms[n % 2], days_ago=ago, unit=f"customer:{n}", customer_id=n + 1,
                checkout_token=f"{token}{n}", surface=page)
        for n in buyers
        for page, ago, token in (("thank_you", 19.4, "t"), ("cart", 10, "u"))
    ]  # fmt: skip
    orders = [ordered(n, f"t{n}", days_ago=19.5) for n in buyers]
    observed = observe(records_of(first + then, orders), SCOPE)
    assert (observed.counts, observed.recognised) == ((300, 300), (0, 0))


def test_where_nobody_has_a_second_name_there_is_nothing_to_split() -> None:
    assert two_devices(0, signing_in=(0.0, 0.0), people=300).recognised is None
