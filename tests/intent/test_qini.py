import numpy as np
import pytest

from app.intent.qini import areas, qini


def slow_areas(ordered: list[float]) -> tuple[float, float]:
    """Return the same by its definition: trapezoids under what is won from the top."""
    n = len(ordered)
    curve = [sum(ordered[:k]) / n for k in range(n + 1)]
    auuc = sum((curve[k] + curve[k + 1]) / 2 / n for k in range(n))
    return auuc, auuc - curve[n] / 2


def test_areas_are_what_their_definition_says() -> None:
    effects = np.random.default_rng(0).normal(0.05, 1, 60)
    assert areas(effects) == pytest.approx(slow_areas(effects.tolist()))


def test_the_true_order_is_surely_better_than_chance_and_its_reverse_worse() -> None:
    random = np.random.default_rng(1)
    truth = random.normal(0.05, 0.2, 4_000)
    effects = truth + random.normal(0, 0.5, 4_000)
    assert qini(truth, effects).low > 0
    assert qini(-truth, effects).high < 0


def test_shoppers_that_are_ranked_alike_are_in_no_order_whoever_came_first() -> None:
    # The coupon worked in the first weeks and not in the last ones: the ranking had no part in that.
    effects = np.random.default_rng(3).normal(np.linspace(0.4, 0, 2_000), 0.5)
    found = qini(np.zeros(2_000), effects)
    assert found.low <= 0 <= found.high


def test_chance_has_nothing_in_its_favour() -> None:
    random = np.random.default_rng(2)
    effects = random.normal(0.05, 1, 2_000)
    sure = sum(
        not (each.low <= 0 <= each.high)
        for each in (qini(random.random(2_000), effects, n) for n in range(40))
    )
    assert sure <= 6  # of 40 at 5 %
