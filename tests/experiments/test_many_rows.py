"""What is worked out by columns is what the obvious way comes to, row by row."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest

from app.experiments.outcomes import AnalysisScope, Observations, observe
from app.experiments.units import Units
from tests.experiments import obvious
from tests.experiments.factories import NOW
from tests.experiments.told import Exposure, Order, records_of

ARMS = ("a", "b", "c")
MINUTE = timedelta(minutes=1)


def a_crowd(seed: int, size: int) -> tuple[list[Exposure], list[Order], set[str]]:
    """Return exposures, orders and acceptances of all kinds: crossing, signing in, late, ahead, foreign."""
    rng = np.random.default_rng(seed)
    people = size // 2 + 1
    who, minutes = rng.integers(0, people, size), rng.integers(-2_000, 90_000, size)
    arm, kind = rng.integers(0, 4, size), rng.random((size, 4))
    surfaces = ("checkout", "thank_you", "order_status", "storefront")
    exposures = [
        Exposure(
            f"d{n}", NOW - int(minutes[n]) * MINUTE, (*ARMS, "of another version")[arm[n]],
            f"browser-{who[n]}" if kind[n, 0] < 0.7 else f"account-{who[n]}", surfaces[n % 4],
            int(who[n]) + 1 if kind[n, 1] < 0.4 else None,
            f"t{who[n]}-{n % 3}" if kind[n, 2] < 0.8 else None,
            bool(kind[n, 3] < 0.05),
        )
        for n in range(size)
    ]  # fmt: skip
    orders = [an_order(rng, n, int(rng.integers(0, people))) for n in range(size // 2)]
    return exposures, orders, {f"d{n}" for n in rng.integers(0, size, size // 5)}


def an_order(rng: np.random.Generator, number: int, who: int) -> Order:
    """Return an order of the person's account, or of a checkout, or of nobody's."""
    at, odds = NOW - int(rng.integers(-3_000, 150_000)) * MINUTE, rng.random(6)
    minor, later = int(rng.integers(0, 90_000)), int(rng.integers(0, 60_000)) * MINUTE
    return Order(
        number,
        at,
        minor,
        customer_id=who + 1 if odds[0] < 0.6 else None,
        checkout_token=f"t{who}-{number % 3}" if odds[1] < 0.6 else None,
        cancelled_at=at + later if odds[2] < 0.1 else None,
        cost_minor=minor // 2 if odds[3] < 0.95 else None,
        refunds=tuple((at + later * (k + 1), minor // 3, minor // 7) for k in range(int(odds[4] * 5))),
        foreign=bool(odds[5] < 0.02),
    )


def assert_same(found: Observations, expected: Observations) -> None:
    assert (found.counts, found.aside) == (expected.counts, expected.aside)
    assert found.recognised == expected.recognised
    for field in fields(Units):
        name = field.name
        np.testing.assert_array_equal(getattr(found.units, name), getattr(expected.units, name), name)


@pytest.mark.parametrize("days", [1, 14])
@pytest.mark.parametrize("begin", [None, 40])
@pytest.mark.parametrize("seed", range(8))
def test_small_crowds_of_every_kind_come_out_alike(seed: int, begin: int | None, days: int) -> None:
    since = None if begin is None else NOW - timedelta(days=begin)
    ended = NOW - timedelta(days=seed)
    untouched = None if seed % 2 else NOW - timedelta(days=30)
    scope = AnalysisScope(ARMS, timedelta(days=days), timedelta(days=30), NOW, since, ended, untouched)
    exposures, orders, accepted = a_crowd(seed, 4 * 3**seed % 700)
    expected = obvious.observe(exposures, orders, accepted, scope)
    assert_same(observe(records_of(exposures, orders, accepted), scope), expected)


def test_fifty_thousand_exposures_come_out_alike() -> None:
    scope = AnalysisScope(ARMS, timedelta(days=14), timedelta(days=30), NOW)
    exposures, orders, accepted = a_crowd(99, 50_000)
    found = observe(records_of(exposures, orders, accepted), scope)
    assert_same(found, obvious.observe(exposures, orders, accepted, scope))
    assert len(found.units) > 5_000
    assert min(found.aside.open, found.aside.crossed, found.aside.from_ahead, found.aside.foreign) > 10
    assert min(found.units.before.sum(), found.units.given_back.sum(), found.units.accepted.sum()) > 100
