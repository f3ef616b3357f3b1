"""What intent is read from a visit, a cart and what the page noticed."""

from math import log1p

from hypothesis import given
from hypothesis import strategies as st

from app.intent.features import FEATURES, NOTHING, InCart, PageSignals, features_of
from app.profiles.visit import NO_VISIT, PAUSE_S, Visit

BROWSING = Visit(
    visits=1, began_at=1_000, last_at=1_500, dwell_s=500, pages=3, products=2, added=1, step=2, errors=1
)
EMPTY = InCart()


def named(
    visit: Visit, cart: InCart = EMPTY, signals: PageSignals = NOTHING, now: float = 1_500
) -> dict[str, float]:
    return dict(zip(FEATURES, features_of(visit, cart, signals, now), strict=True))


def test_every_number_has_its_name() -> None:
    told = named(BROWSING, InCart(2, 40.0), now=1_560)
    assert told["seen"] == told["in_cart"] == told["started"] == told["contact"] == 1
    assert told["address"] == told["returning"] == 0
    assert told["pages"] == round(log1p(3), 4)
    assert told["idle"] == told["idle_in_checkout"] == round(log1p(60), 4)
    assert told["value"] == round(log1p(40), 4)


def test_a_visit_that_may_not_be_used_leaves_the_cart_and_the_page() -> None:
    told = named(NO_VISIT, InCart(1, 10.0), PageSignals(step=1, errors=2))
    assert {name for name, value in told.items() if value} == {
        "units", "value", "in_cart", "started", "errors", "errors_in_checkout",
    }  # fmt: skip


def test_the_payments_submission_is_not_seen() -> None:
    at_shipping, paying = (named(Visit(last_at=1, step=step)) for step in (4, 5))
    assert at_shipping == paying


def test_a_visit_that_bought_begins_anew() -> None:
    assert named(Visit(last_at=1, step=6))["started"] == 0


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_silence_is_never_negative_nor_longer_than_a_pause(last_at: int, now: int) -> None:
    assert 0 <= named(Visit(last_at=last_at), now=now)["idle"] <= round(log1p(PAUSE_S), 4)
