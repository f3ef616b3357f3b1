import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attribution.attribute import OfferedLine, Revenue, revenue_of

amounts = st.integers(0, 10**9)
lines = st.lists(st.builds(OfferedLine, st.integers(1, 5), st.integers(1, 9), amounts, amounts, amounts))


@pytest.mark.parametrize(
    ("line", "gross", "net"),
    [
        (OfferedLine(1, 2, 500), 1000, 1000),
        (OfferedLine(1, 2, 500, discount_minor=150), 850, 850),  # 2 x 5.00 - 1.50
        (OfferedLine(1, 2, 500, discount_minor=150, refunded_minor=425), 850, 425),
        (OfferedLine(1, 2, 500, refunded_minor=5000), 1000, 0),  # a goodwill refund earns no debt
        (OfferedLine(1, 1, 500, discount_minor=900), 0, 0),
    ],
)
def test_a_line_earns_its_price_less_discounts_and_refunds(line: OfferedLine, gross: int, net: int) -> None:
    revenue = revenue_of([line], "USD")
    assert (revenue.gross_minor, revenue.net_minor) == (gross, net)


def test_two_offers_in_one_order_are_one_order() -> None:
    revenue = revenue_of([OfferedLine(7, 1, 300), OfferedLine(7, 1, 200)], "EUR")
    assert revenue == Revenue(orders=1, gross_minor=500, refunded_minor=0, currency="EUR")


def test_nothing_offered_earned_nothing() -> None:
    assert revenue_of([], "USD") == Revenue(0, 0, 0, "USD")


@given(lines)
def test_revenue_is_never_negative(offered: list[OfferedLine]) -> None:
    revenue = revenue_of(offered, "USD")
    assert 0 <= revenue.refunded_minor <= revenue.gross_minor
