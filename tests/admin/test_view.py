from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.admin.figures import average, estimate, language_name, milliseconds, money, percentage, share
from app.admin.store import Import, ListedDecision, Model
from app.admin.view import (
    RUNGS,
    bars,
    comparisons,
    import_words,
    offers_of,
    percent_done,
    reason_words,
    referred_products,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (125000, "USD", "$1,250.00"),
        (-250, "EUR", "-€2.50"),
        (1250, "JPY", "¥1,250"),  # yen have no smaller unit
        (1250, "KWD", "KWD\u00a01.250"),  # dinars have three decimals
        (0, "SEK", "SEK\u00a00.00"),
    ],
)
def test_money_is_written_with_its_currency(minor: int, currency: str, text: str) -> None:
    assert money(minor, currency) == text


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (253905.4, "USD", "$2,539"),
        (-12350, "EUR", "-€124"),  # 123.5, rounded to even
        (9999, "USD", "$99.99"),
        (1250, "JPY", "¥1,250"),
        (1250000, "KWD", "KWD\u00a01,250"),
    ],
)
def test_estimate_of_a_hundred_or_more_has_no_cents(minor: float, currency: str, text: str) -> None:
    assert estimate(minor, currency) == text


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1_480.6, "USD", "$14.81"),
        (1.19, "USD", "$0.012"),
        (84.31, "EUR", "€0.84"),
        (9.96, "EUR", "€0.10"),
        (-0.3, "USD", "-$0.003"),
        (-0.001, "USD", "$0.00"),
        (152.4, "JPY", "¥152"),
        (3.14, "JPY", "¥3.1"),
        (0.25, "JPY", "¥0.25"),
        (31.2, "KWD", "KWD\u00a00.031"),
        (3.12, "KWD", "KWD\u00a00.0031"),
        (0.0, "EUR", "€0.00"),
    ],
)
def test_an_average_has_two_digits_where_coins_are_too_coarse(minor: float, currency: str, text: str) -> None:
    assert average(minor, currency) == text


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("de", "German"),
        ("de_at", "German (Austria)"),
        ("pt-BR", "Portuguese (Brazil)"),
        ("de@ch", "German · Switzerland"),
        ("de@zz", "German · Unknown Region"),
        ("xx", "xx"),
        ("german!", "german!"),
        ("", ""),
    ],
)
def test_a_language_is_told_by_its_name(tag: str, name: str) -> None:
    assert language_name(tag) == name


def test_share_of_nothing_is_a_dash_not_a_number() -> None:
    assert share(0, 0) == "–"
    assert share(1, 8) == "12.5%"  # 100 / 8
    assert milliseconds(None) == "–"
    assert milliseconds(1449) == "1.4 ms"
    assert milliseconds(0) == milliseconds(99) == "<\u00a00.1 ms"
    assert milliseconds(100) == "0.1 ms"


@pytest.mark.parametrize(
    ("typed", "text"),
    [(10.0, "10%"), (12.5, "12.5%"), (33.33, "33.33%"), (100 * 0.07, "7%"), (12.346, "12.35%")],
)
def test_a_percentage_is_told_with_all_that_was_typed(typed: float, text: str) -> None:
    assert percentage(typed) == text


def test_bars_are_parts_of_their_sum() -> None:
    first, second = bars({"personal": 3, "a_later_one": 1}, RUNGS)
    assert (first.label, first.percent) == ("Personal: history and profile", 75)  # 3 / 4
    assert (second.label, second.percent) == ("A later one", 25)
    assert bars({}, RUNGS) == []


@pytest.mark.parametrize(
    ("one", "percent", "says"),
    [
        (Import("orders", "waiting"), None, "Waiting to start"),
        (Import("orders", "running"), None, "Shopify is preparing the data"),
        (Import("orders", "loading", 30, 120), 25, "30 of 120"),  # 30 / 120
        (Import("orders", "loading", 30), None, "30 so far"),
        (Import("orders", "loading", 130, 120), 99, "130 of 120"),  # done is Shopify's to say
        (Import("orders", "done", 1234), 100, "1,234 imported"),
        (Import("orders", "done", 0, 0), 100, "0 imported"),
        (Import("orders", "failed", error="no access"), None, "Stopped: no access"),
        (Import("orders", "failed"), None, "Stopped: the reason is in the app's log"),
    ],
    ids=str,
)
def test_import_says_how_far_it_is(one: Import, percent: int | None, says: str) -> None:
    assert (percent_done(one), import_words(one)) == (percent, says)


def model(**figures: dict[str, float]) -> Model:
    return Model("v1", NOW, 10, figures, "")


def test_lift_is_the_quotient_less_one() -> None:
    (only,) = comparisons(model(tillwise={"ndcg_at_10": 0.3}, popularity={"ndcg_at_10": 0.2}))
    assert only.lift == pytest.approx(0.5)  # 0.3 / 0.2 - 1


def test_lift_over_nothing_is_not_a_number() -> None:
    (only,) = comparisons(model(tillwise={"hit_at_4": 0.3}, popularity={"hit_at_4": 0.0}))
    assert only.lift is None


@pytest.mark.parametrize("figures", [{}, {"tillwise": {"hit_at_4": 0.3}}])
def test_figures_without_a_baseline_are_not_shown(figures: dict[str, Any]) -> None:
    assert comparisons(model(**figures)) == []


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (
            {"reason": "bought_together", "with": "gid://shopify/Product/1"},
            "Often bought together with Butter",
        ),
        ({"reason": "bought_together", "with": 1}, "Often bought together with Butter"),
        (
            {"reason": "similar", "with": "gid://shopify/Product/9"},
            "Similar to what is in the cart",
        ),
        ({"reason": "similar"}, "Similar to what is in the cart"),
        ({"reason": "popular"}, "Popular in your shop"),
        ({"reason": "a_later_one"}, "a later one"),
        ({}, ""),
    ],
    ids=str,
)
def test_reason_is_a_sentence_that_names_the_product(why: dict[str, Any], sentence: str) -> None:
    assert reason_words(why, {1: "Butter"}) == sentence


def test_title_that_looks_like_a_format_is_only_a_title() -> None:
    assert reason_words({"reason": "similar", "with": 1}, {1: "%(x)s {with}"}) == "Similar to %(x)s {with}"


def logged(answer: dict[str, Any]) -> ListedDecision:
    return ListedDecision("d", NOW, "checkout", "personal", "personalised", None, answer)


@pytest.mark.parametrize("answer", [{}, {"offers": None}, {"offers": []}])
def test_answer_without_offers_has_none(answer: dict[str, Any]) -> None:
    assert offers_of(logged(answer)) == []


def test_products_that_reasons_refer_to_are_looked_up_once() -> None:
    why = [{"reason": "similar", "with": "gid://shopify/Product/1"}, {"with": "garbage"}, {}]
    twice = [logged({"offers": [{"kind": "upsell", "why": why}]})] * 2
    assert referred_products(twice) == {1}
