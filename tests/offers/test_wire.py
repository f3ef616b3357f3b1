from typing import Any

import pytest

from app.consent.policy import Answers
from app.errors import InputError, TooLarge
from app.offers.wire import MAX_BODY, MAX_LINES, read_question
from tests.offers.factories import a_body, as_json


def with_line(**changes: Any) -> dict[str, Any]:
    body = a_body(10, 20)
    body["cart"]["lines"][1] |= changes
    return body


def with_cart(**changes: Any) -> dict[str, Any]:
    body = a_body(10)
    body["cart"] |= changes
    return body


def without(name: str) -> dict[str, Any]:
    body = a_body(10)
    del body[name]
    return body


def test_a_question_of_the_extension_is_read() -> None:
    question = read_question(as_json(a_body(10, 20, 10)))
    assert question.cart.product_ids == (10, 20)
    assert (question.surface, question.checkout_token) == ("checkout", "token")
    assert question.consent == Answers()


def test_what_a_bundle_holds_is_in_the_cart_once_and_behind_the_lines() -> None:
    question = read_question(as_json(with_line(parts=["30", 10, "gid://shopify/Product/40"])))
    assert question.cart.product_ids == (10, 20, 30, 40)


@pytest.mark.parametrize("product_id", [7, "7", "gid://shopify/Product/7"])
def test_ids_are_numbers_digits_or_gids(product_id: object) -> None:
    question = read_question(as_json(with_line(product_id=product_id)))
    assert question.cart.product_ids == (10, 7)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (with_line(product_id="garbage"), "cart.lines[1].product_id"),
        (with_line(product_id=-1), "cart.lines[1].product_id"),
        (with_line(product_id=2**63), "cart.lines[1].product_id"),
        (with_line(product_id="9" * 19), "cart.lines[1].product_id"),
        (with_line(product_id="٣"), "cart.lines[1].product_id"),
        (with_line(product_id=None), "cart.lines[1].product_id"),
        (with_line(variant_id="gid://shopify/ProductVariant/"), "cart.lines[1].variant_id"),
        (with_line(variant_id={}), "cart.lines[1].variant_id"),
        (with_line(parts=["garbage"]), "cart.lines[1].parts[0]"),
        (with_line(parts=[7] * (MAX_LINES + 1)), "cart.lines[1].parts"),
        (with_line(quantity=-1), "cart.lines[1].quantity"),
        (with_line(quantity=1.5), "cart.lines[1].quantity"),
        (with_line(price=5.0), "cart.lines[1].price"),
        (with_line(price="5,00"), "cart.lines[1].price"),
        (with_line(price="1e3"), "cart.lines[1].price"),
        (with_line(price="NaN"), "cart.lines[1].price"),
        (with_line(price="1\n"), "cart.lines[1].price"),
        (with_cart(subtotal="-1"), "cart.subtotal"),
        (with_cart(subtotal="9" * 16), "cart.subtotal"),
        (with_cart(currency="dollars"), "cart.currency"),
        (with_cart(lines={}), "cart.lines"),
        (with_cart(lines=[1]), "cart.lines[0]"),
        (a_body(10, cart=[]), "cart"),
        (a_body(10, consent={"analytics": "yes"}), "consent.analytics"),
        (a_body(10, consent=None), "consent"),
        (a_body(10, surface=""), "surface"),
        (a_body(10, checkout_token="a b"), "checkout_token"),
        (a_body(10, client_id="x" * 101), "client_id"),
        (a_body(10, signals={"dwell_ms": -1}), "signals.dwell_ms"),
        (without("surface"), "surface"),
        (without("cart"), "cart"),
        ([], ""),
        (None, ""),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(body: object, field: str) -> None:
    with pytest.raises(InputError) as caught:
        read_question(as_json(body))
    assert caught.value.field == field
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"<html>", b"\xff\xfe", b'{"surface": "\xff"}', b'{"surface": "\\ud800"}', b"[" * 50_000,
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        read_question(body)


def test_of_what_bundles_hold_no_more_is_told_than_a_cart_has_lines() -> None:
    """A decision is kept with its cart: of 18,000 made-up parts that was 231 KB."""
    line = a_body(1)["cart"]["lines"][0]
    lines = [line | {"parts": list(range(100 * at, 100 * at + 100))} for at in range(1, 11)]
    read = read_question(as_json(with_cart(lines=lines))).cart.product_ids
    assert read == (1, *range(100, 100 + MAX_LINES))


@pytest.mark.parametrize("lines", [0, MAX_LINES])
def test_carts_of_no_and_of_500_lines_are_read(lines: int) -> None:
    body = a_body()
    line = {"variant_id": f"gid://shopify/ProductVariant/{10**15}", "quantity": 1_000, "price": "100000.00"}
    body["cart"]["lines"] = [
        line | {"product_id": f"gid://shopify/Product/{10**15 + n}"} for n in range(lines)
    ]
    assert len(read_question(as_json(body)).cart.product_ids) == lines


def test_one_line_more_is_refused() -> None:
    line = {"product_id": 1, "variant_id": 2, "quantity": 1, "price": "1.00"}
    with pytest.raises(InputError) as caught:
        read_question(as_json(with_cart(lines=[line] * (MAX_LINES + 1))))
    assert caught.value.field == "cart.lines"


def test_a_body_beyond_what_a_cart_can_be_is_too_large() -> None:
    with pytest.raises(TooLarge) as caught:
        read_question(b" " * (MAX_BODY + 1))
    assert caught.value.status == 413


def test_consent_that_is_not_there_was_not_given() -> None:
    assert read_question(as_json(without("consent"))).consent == Answers()


def test_what_we_do_not_know_is_ignored() -> None:
    assert read_question(as_json(a_body(10, tomorrow={"a": 1}))).cart.product_ids == (10,)
