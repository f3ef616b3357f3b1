"""Lifetime value against the papers' printed results, the printed formulas and simulated customers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import hyp2f1

from app.profiles.lifetime import (
    BgNbd,
    GammaGamma,
    Lifetime,
    expected_orders,
    expected_spend,
    expected_value,
    probability_alive,
)
from app.profiles.lifetime_training import (
    MODEL,
    evaluate,
    fit,
    fit_pace,
    fit_worth,
    pace_likelihood,
    spend,
    spend_figures,
    summarise,
)
from app.profiles.purchases import DAY_S, clean, history_of
from benchmarks.histories import cdnow, cdnow_sample, complete_journey, last_moment
from tests.profiles.histories import a_shop
from tests.profiles.purchase_factories import NOW_S, Row, orders_of

# Weeks; table 2 of the 2005 paper.
PAPER = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def arrays(*values: float) -> tuple[np.ndarray, ...]:
    return tuple(np.array([value], dtype=float) for value in values)


def test_the_papers_parameters_are_found_on_the_papers_data() -> None:
    repeats, last, known, mean = np.array(cdnow_sample()).T
    pace = fit_pace(repeats, last, known)
    assert (pace.r, pace.alpha, pace.a, pace.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=0.001)
    assert pace_likelihood(pace, repeats, last, known).sum() == pytest.approx(-9582.4, abs=0.05)
    back = repeats > 0
    worth = fit_worth(repeats[back], mean[back])
    # Note 025 prints p = 6.25, q = 3.74, gamma = 15.44.
    assert (worth.p, worth.q, worth.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.02)


def test_the_papers_example_customer() -> None:
    # Customer 1 of the data: two repeats, the last in week 30.43 of 38.86; 1.226 in the next 39 weeks
    # is what Hardie's spreadsheet (note 004) shows.
    (expected,) = expected_orders(PAPER, *arrays(2, 30.43, 38.86), days=39)
    assert expected == pytest.approx(1.226, abs=0.001)


def printed_formula(pace: BgNbd, x: float, t_x: float, known: float, days: float) -> float:
    """Equation 10 of the paper, as it is printed."""
    r, alpha, a, b = pace.r, pace.alpha, pace.a, pace.b
    z = days / (alpha + known + days)
    shrunk = ((alpha + known) / (alpha + known + days)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
    above = (a + b + x - 1) / (a - 1) * (1 - shrunk)
    gone = a / (b + x - 1) * ((alpha + known) / (alpha + t_x)) ** (r + x) if x else 0
    return float(above / (1 + gone))


paces = st.builds(BgNbd, *(st.floats(0.2, 3) for _ in range(4))).filter(lambda pace: abs(pace.a - 1) > 0.01)


@given(paces, st.integers(0, 15), st.floats(0, 1), st.floats(1, 100), st.floats(0.5, 100))
def test_expected_orders_are_the_printed_formula(
    pace: BgNbd, repeats: int, share: float, known: float, days: float
) -> None:
    pace = BgNbd(pace.r, pace.alpha, pace.a, pace.b + 1)
    last = share * known if repeats else 0.0
    (ours,) = expected_orders(pace, *arrays(repeats, last, known), days)
    assert ours == pytest.approx(printed_formula(pace, repeats, last, known, days), rel=1e-6, abs=1e-9)


@given(paces, st.integers(0, 5_000), st.floats(0, 1), st.floats(1, 2_000))
def test_expectations_are_finite_and_grow_with_time(
    pace: BgNbd, repeats: int, share: float, known: float
) -> None:
    history = arrays(repeats, share * known if repeats else 0.0, known)
    (alive,) = probability_alive(pace, *history)
    (month,), (year,) = (expected_orders(pace, *history, days) for days in (30, 365))
    assert 0 <= alive <= 1
    assert 0 <= month <= year < np.inf


def test_simulated_customers_come_back_as_often_as_expected() -> None:
    random = np.random.default_rng(0)
    pace, known, days = BgNbd(r=0.8, alpha=20.0, a=0.9, b=3.0), 200.0, 100.0
    rows, came = [], []
    for rate, leaving in zip(
        random.gamma(pace.r, 1 / pace.alpha, 20_000), random.beta(pace.a, pace.b, 20_000), strict=True
    ):
        times, at = [], 0.0
        while (at := at + random.exponential(1 / rate)) < known + days:
            times.append(at)
            if random.random() < leaving:
                break
        seen = [time for time in times if time < known]
        rows.append((len(seen), max(seen, default=0.0), known))
        came.append(len(times) - len(seen))
    history = np.array(rows, dtype=float).T
    found = fit_pace(*history)
    expected = expected_orders(found, *history, days)
    assert expected.sum() == pytest.approx(sum(came), rel=0.05)
    for repeats in range(4):
        alike = history[0] == repeats
        assert expected[alike].mean() == pytest.approx(np.array(came)[alike].mean(), rel=0.2)


def test_a_first_order_says_little_and_many_say_much_of_what_the_next_is_worth() -> None:
    worth = GammaGamma(p=6.0, q=4.0, v=1_500.0)
    usual = 6 * 1_500 / 3
    once, often = (float(expected_value(worth, *arrays(orders, 9_000))[0]) for orders in (1, 100))
    assert usual < once < often < 9_000
    assert float(expected_value(worth, *arrays(0, 0))[0]) == pytest.approx(usual)


rows = st.builds(
    Row, st.integers(1, 5), st.floats(-3, 300), st.integers(-500, 5_000), st.integers(0, 600), st.booleans(),
    st.none(),
)  # fmt: skip
MODELLED = Lifetime(BgNbd(0.5, 30.0, 0.7, 2.0), GammaGamma(4.0, 3.0, 2_000.0))


@given(st.lists(rows, max_size=25))
def test_many_at_once_and_one_at_a_time_agree(history: list[Row]) -> None:
    purchases = clean(orders_of(history), NOW_S)
    summary = summarise(purchases, NOW_S)
    together = spend(MODELLED, summary, 90).round().tolist()
    singly = [
        expected_spend(MODELLED, history_of(purchases, int(each)), NOW_S, 90) for each in summary.customer_ids
    ]
    assert singly == pytest.approx(together, abs=1)


def test_a_stranger_is_expected_to_spend_nothing() -> None:
    assert expected_spend(MODELLED, (), NOW_S, 90) == 0


def test_purchases_of_one_day_are_one_purchase() -> None:
    noon = NOW_S % DAY_S / DAY_S - 0.5
    rows = [Row(7, 20 + noon, 1_000), Row(7, 20.1 + noon, 500), Row(7, 8 + noon, 700), Row(7, 8 + noon, 0)]
    summary = summarise(clean(orders_of(rows), NOW_S), NOW_S)
    assert (summary.repeats[0], summary.last[0], summary.orders[0]) == (1, 12, 2)
    assert summary.mean_minor[0] == 1_100  # (1,500 + 700) / 2


@pytest.mark.parametrize("customers", [0, 1, 4, 90])
def test_too_few_customers_have_no_model(customers: int) -> None:
    purchases = a_shop(customers)
    assert fit(summarise(purchases, NOW_S)) is None
    assert evaluate(purchases, NOW_S) is None


@pytest.mark.parametrize("free", [{"amount_minor": 0}, {"own_currency": False}])
def test_a_shop_that_nobody_pays_in_its_currency_has_no_model(free: dict[str, int]) -> None:
    rows = [Row(customer, days, **free) for customer in range(120) for days in (100 + customer, 95, 10)]
    purchases = clean(orders_of(rows), NOW_S)
    assert fit(summarise(purchases, NOW_S)) is None
    assert evaluate(purchases, NOW_S) is None


def test_on_a_music_shop_the_model_beats_every_plain_way() -> None:
    orders = cdnow()
    now = last_moment(orders)
    report = evaluate(clean(orders, now), now)
    assert report is not None
    assert report.publish
    assert report.serves == MODEL
    assert abs(report.ours.bias) < 0.15


def test_on_a_grocer_the_last_window_serves_because_the_model_is_no_better() -> None:
    orders = complete_journey()
    now = last_moment(orders)
    report = evaluate(clean(orders, now), now)
    assert report is not None
    assert not report.publish
    assert report.serves != MODEL
    assert report.plain[report.serves].rmse == min(each.rmse for each in report.plain.values())


def test_figures_of_expectations_by_hand() -> None:
    said = spend_figures(np.array([0.0, 100.0, 200.0]), np.array([30.0, 60.0, 240.0]))
    assert said.rmse == pytest.approx(((900 + 1600 + 1600) / 3) ** 0.5)
    assert said.mae == pytest.approx(110 / 3)
    assert said.rank == pytest.approx(1)
    assert said.bias == pytest.approx(0.1)
    assert spend_figures(np.zeros(2), np.ones(2)).rank == 0
