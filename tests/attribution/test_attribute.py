import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attribution.attribute import OfferedLine, Revenue, revenue_of, stayed_of

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


@pytest.mark.parametrize(
    ("back", "stayed"),
    [
        ({}, (1_000, 3_000)),
        ({1: 400}, (600, 3_000)),
        ({1: 9_000}, (0, 3_000)),
        ({0: 2_000}, (500, 1_500)),  # 2,000 of 4,000 is half of each
        ({1: 1_000, 0: 600}, (0, 2_400)),
        ({1: 1_000, 0: -200}, (200, 3_000)),  # a fee of 200 for what came back is none of the other line's
        ({0: -200}, (1_000, 3_000)),
        ({1: 1_000, 2: 1_500, 0: -500}, (200, 1_800)),  # 2/5 and 3/5 of the fee
    ],
)
def test_what_is_of_no_line_is_shared_among_those_it_can_be_of(
    back: dict[int, int], stayed: tuple[int, int]
) -> None:
    assert tuple(stayed_of({1: 1_000, 2: 3_000}, back).values()) == stayed


@given(st.lists(amounts, min_size=1, max_size=9), st.integers(-(10**9), 10**9), st.data())
def test_what_is_of_no_line_goes_off_to_the_last_cent(
    prices: list[int], of_none: int, data: st.DataObject
) -> None:
    charged = dict(enumerate(prices, start=1))
    back = {line: data.draw(st.integers(0, minor)) for line, minor in charged.items()}
    left = sum(charged.values()) - sum(back.values())
    stayed = stayed_of(charged, {**back, 0: of_none})
    assert sum(stayed.values()) == min(max(left - of_none, 0), sum(charged.values()))
    assert all(0 <= minor <= charged[line] for line, minor in stayed.items())
    assert stayed_of(dict(reversed(charged.items())), {**back, 0: of_none}) == stayed


def test_two_offers_in_one_order_are_one_order() -> None:
    revenue = revenue_of([OfferedLine(7, 1, 300), OfferedLine(7, 1, 200)], "EUR")
    assert revenue == Revenue(orders=1, gross_minor=500, refunded_minor=0, currency="EUR")


def test_nothing_offered_earned_nothing() -> None:
    assert revenue_of([], "USD") == Revenue(0, 0, 0, "USD")


@given(lines)
def test_revenue_is_never_negative(offered: list[OfferedLine]) -> None:
    revenue = revenue_of(offered, "USD")
    assert 0 <= revenue.refunded_minor <= revenue.gross_minor
