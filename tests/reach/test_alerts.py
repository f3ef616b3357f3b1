from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from app.reach.alerts import (
    COUPONS_LOW,
    COUPONS_REFUSED,
    Alert,
    PoolLevel,
    Share,
    at_least,
    coupons,
    errors,
    fallbacks,
    spike,
)

USUAL = Share(700, 1_000)


@pytest.mark.parametrize(
    ("some", "many", "share"), [(0, 10, 0.3), (7, 10, 0.3), (95, 100, 0.7), (400, 500, 0.7)]
)
def test_the_tail_is_scipys(some: int, many: int, share: float) -> None:
    assert at_least(some, many, share) == pytest.approx(binom.sf(some - 1, many, share), rel=1e-9)


def test_a_share_of_nothing_or_everything_has_no_chance_in_it() -> None:
    assert (at_least(3, 9, 0.0), at_least(3, 9, 1.0)) == (0.0, 1.0)


def test_a_shop_whose_payment_broke_is_told() -> None:
    (alert,) = spike(Share(99, 100), USUAL)
    assert alert.says.startswith("99 of 100 checkouts were left in the last hour (99%); usually it is 70%.")


@pytest.mark.parametrize(
    ("lately", "usual"),
    [
        (Share(75, 100), USUAL),  # within chance
        (Share(19, 19), USUAL),  # too few to say
        (Share(99, 100), Share(5, 10)),  # nobody knows what is usual
        (Share(76_000, 100_000), Share(700_000, 1_000_000)),  # sure, and nothing to speak of
    ],
)
def test_a_usual_hour_is_no_alert(lately: Share, usual: Share) -> None:
    assert spike(lately, usual) == []


def test_a_year_of_looks_at_a_usual_shop_raises_none() -> None:
    random = np.random.default_rng(7)
    looks = 12 * 24 * 365
    left = random.binomial(60, 0.7, looks)
    usual = random.binomial(420, 0.7, looks)
    # Only the boldest hours can raise one: the others need not be asked.
    bold = np.flatnonzero(left >= 54)
    alerts = [spike(Share(int(left[at]), 60), Share(int(usual[at]), 420)) for at in bold]
    assert sum(map(bool, alerts)) <= 1


def test_failing_offers_and_fallbacks_are_told_once_they_are_many() -> None:
    assert errors(Share(2, 100)) == errors(Share(9, 10)) == []
    assert errors(Share(10, 100))[0].says == "10 of 100 offers failed in shoppers' browsers in the last hour."
    assert fallbacks(Share(5, 100), {"redis": 5}) == []
    (alert,) = fallbacks(Share(40, 100), {"redis": 30, "log": 10})
    assert "for this reason: the shopper could not be read." in alert.says
    assert alert.facts == {"some": 40, "all": 100, "share": 0.4, "reason": "redis"}


def test_a_pool_is_told_of_when_a_tenth_is_left_or_shopify_refuses() -> None:
    def found(ready: int, size: int = 100, error: str = "") -> list[Alert]:
        return coupons([PoolLevel("ten", "Ten", ready, size, error)])

    assert found(10) == []
    assert [(each.kind, each.about) for each in found(9)] == [(COUPONS_LOW, "ten")]
    assert [each.kind for each in found(0, error="no")] == [COUPONS_REFUSED, COUPONS_LOW]
    assert found(0, size=0) == []
    (without_code,) = found(0, size=0, error="no function")
    assert without_code.says == "Shopify makes no discount for 'Ten': no function"
    assert [each.kind for each in found(1, size=3)] == []
    assert [each.kind for each in found(0, size=3)] == [COUPONS_LOW]
