from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputError
from app.values import (
    as_utc,
    decimal_amount,
    exponent,
    gid,
    minor_units,
    moment,
    price_minor,
    shop_domain,
    shopify_id,
)


@pytest.mark.parametrize("text", ["harvest-lane.myshopify.com", " https://Harvest-Lane.myshopify.com/\n"])
def test_a_shop_is_known_by_its_myshopify_domain(text: str) -> None:
    assert shop_domain(text) == "harvest-lane.myshopify.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "myshopify.com",
        ".myshopify.com",
        "evil.com",
        "shop.myshopify.com.evil.com",
        "shop.myshopify.com@evil.com",
        "evil.com/shop.myshopify.com",
        "a.b.myshopify.com",
        "-a.myshopify.com",
        "shop.myshopify.com:8080",
        "ѕhop.myshopify.com",
        "a" * 61 + ".myshopify.com",
    ],
)
def test_anything_else_is_no_shop(text: str) -> None:
    with pytest.raises(InputError, match="myshopify"):
        shop_domain(text)


@pytest.mark.parametrize("value", [7, "7", "gid://shopify/Product/7", "gid://shopify/Cart/7?key=x"])
def test_an_id_may_be_a_number_digits_or_a_gid(value: object) -> None:
    assert shopify_id(value) == 7


@pytest.mark.parametrize(
    "value", [0, -1, 2**63, True, None, "", "x", "1.0", "gid://evil/Product/7", "٧", 1.0, "9" * 19, "9" * 30]
)
def test_what_is_no_id_is_refused_by_its_field(value: object) -> None:
    with pytest.raises(InputError) as refused:
        shopify_id(value, "cart.lines[0].product_id")
    assert refused.value.field == "cart.lines[0].product_id"


@pytest.mark.parametrize(
    ("value", "kind"),
    [("Jane", "a text of length 4"), (1.5, "a number"), (None, "nothing"), (True, "true or false"),
     (["Jane"], "a list"), ({"a": "Jane"}, "an object")],
)  # fmt: skip
def test_a_message_says_what_kind_of_value_it_was_and_not_which(value: object, kind: str) -> None:
    with pytest.raises(InputError) as refused:
        shopify_id(value, "customer.id")
    assert str(refused.value) == f"customer.id is not a Shopify id but {kind}"


def test_a_gid_is_read_back_as_the_id_it_was_made_of() -> None:
    assert shopify_id(gid("Product", 2**63 - 1)) == 2**63 - 1


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("12.50", "USD", 1250),
        ("0.005", "USD", 1),  # half away from zero
        ("-0.005", "USD", -1),
        ("12", "JPY", 12),
        ("1.2345", "KWD", 1235),
        (0, "USD", 0),
    ],
)
def test_an_amount_becomes_minor_units_of_its_currency(amount: str, currency: str, expected: int) -> None:
    assert minor_units(amount, currency) == price_minor(amount, currency) == expected


@pytest.mark.parametrize("amount", ["", "12,50", "nan", "inf", "1e15", "abc", "1e999999", "-1e1000000"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(InputError, match="not an amount"):
        minor_units(amount, "USD")


@given(st.integers(-(10**14), 10**14), st.sampled_from(["USD", "JPY", "KWD", "XYZ"]))
def test_minor_units_survive_being_written_as_a_decimal(amount_minor: int, currency: str) -> None:
    written = decimal_amount(amount_minor, currency)
    assert minor_units(written, currency) == amount_minor
    assert -Decimal(written).as_tuple().exponent == exponent(currency)


@pytest.mark.parametrize(
    "text", ["2026-11-24T12:00:00Z", "2026-11-24T07:00:00-05:00", "2026-11-24T12:00:00", "2026-11-24 12:00"]
)
def test_a_time_is_read_as_utc(text: str) -> None:
    assert moment(text) == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", None, 5])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        moment(text, "created_at")
    assert refused.value.field == "created_at"


def test_a_time_keeps_its_instant() -> None:
    there = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert as_utc(there) == datetime(2026, 1, 1, tzinfo=UTC)
