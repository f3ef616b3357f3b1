"""Whether a coupon is worth its price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intent.rates import rate
from app.intent.uplift import Effect
from app.intent.worth import bought_anyway_said, is_explored, threshold, worth

SURE = Effect(0.05, 0.03, 0.07)
money = st.integers(0, 10**7)
shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("margin", "discount", "uplift", "value"),
    [
        (4_000, 1_000, 0.05, 0.15),  # 0.05 * 30.00 / 10.00
        (2_000, 1_000, 0.05, 0.05),  # 0.05 * 10.00 / 10.00
        (1_000, 1_000, 0.05, 0.0),  # nothing left
        (900, 1_000, 0.05, 0.0),  # less than nothing left
        (4_000, 0, 0.05, 1.0),  # costs nothing
        (4_000, 0, 0.0, 0.0),  # changes nothing
        (9_000, 10, 0.05, 1.0),  # 0.05 * 89.90 / 0.10 is 45
    ],
)
def test_a_threshold_is_what_is_won_over_what_is_given(
    margin: int, discount: int, uplift: float, value: float
) -> None:
    assert threshold(margin, discount, uplift) == pytest.approx(value)


@given(money, money, shares, st.floats(-1, 1))
def test_a_coupon_that_is_given_gains(margin: int, discount: int, chance: float, effect: float) -> None:
    told = worth(margin, discount, chance, Effect(effect, effect, effect))
    if told.give:
        after = min(chance + effect, 1.0)
        assert after * (margin - discount) > chance * margin
        assert margin > discount


@pytest.mark.parametrize(
    ("margin", "chance", "effect", "reason"),
    [
        (4_000, 0.10, SURE, "pays"),
        (4_000, 0.20, SURE, "intent_high"),
        (1_000, 0.10, SURE, "no_margin"),
        (4_000, 0.10, Effect(0.05, -0.01, 0.11), "no_effect"),
    ],
)
def test_the_reason_is_told(margin: int, chance: float, effect: Effect, reason: str) -> None:
    told = worth(margin, 1_000, chance, effect)
    assert (told.reason, told.give) == (reason, reason == "pays")


def test_what_was_measured_is_said() -> None:
    assert bought_anyway_said(rate(12, 200)) == (
        "Of 200 shoppers who matched and were held back, 12 bought anyway: 6.0%, between 3.5% and 10.2%."
    )
    assert bought_anyway_said(rate(0, 0)).startswith("Nobody was held back yet")


def test_one_in_twenty_is_explored_and_stays_so() -> None:
    explored = [is_explored("ten", f"unit {number}") for number in range(20_000)]
    assert 900 < sum(explored) < 1_100
    assert explored == [is_explored("ten", f"unit {number}") for number in range(20_000)]
