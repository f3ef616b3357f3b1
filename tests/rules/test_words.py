"""A rule as a merchant reads it, in every language there is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from app.errors import RuleError
from app.rules.expression import read_rule
from app.rules.fields import FIELDS
from app.rules.locale import LANGUAGES, locale
from app.rules.words import collection_key, in_words, segment_key
from tests.rules import made


def var(name: str) -> dict[str, str]:
    return {"var": name}


LATE_AND_RICH: Any = {
    "and": [
        {">": [var("cart.subtotal"), 1080]},
        {"!": [{"<": [var("profile.orders"), 2]}]},
        {"or": [{"in": ["at_risk", var("profile.segments")]}, var("visit.returning")]},
    ]
}


def words(stored: Any, language: str = "en", **more: Any) -> str:
    return in_words(read_rule(stored), "EUR", language, **more)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "The cart's subtotal is above €1,080.00, the number of the customer's orders so far is not "
            "below 2 and (“at risk” is among the customer's segments or the shopper has been here before)",
        ),
        (
            "de-AT",
            "Die Zwischensumme des Warenkorbs ist größer als 1.080,00\N{NO-BREAK SPACE}€, die Anzahl der "
            "bisherigen Bestellungen ist nicht kleiner als 2 und (die Segmente des Kunden enthalten "
            "„at risk“ oder der Käufer war schon einmal hier)",
        ),
        (
            "ja",
            "カートの小計が€1,080.00を超える、お客様のこれまでの注文数が2未満でない、かつ"
            "(お客様のセグメントに「at risk」が含まれる、またはお客様は以前にも訪問している)",
        ),
    ],
)
def test_a_rule_is_a_sentence(language: str, sentence: str) -> None:
    assert words(LATE_AND_RICH, language) == sentence


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        (True, "For everyone"),
        ({"!": [True]}, "For no one"),
        ({"<=": [18, var("time.hour"), 22]}, "The hour of the day in the shop is from 18 to 22"),
        ({"<": [100, var("cart.subtotal")]}, "The cart's subtotal is above €100.00"),
        ({">=": [var("intent.now"), 0.35]}, "The chance of a purchase within five minutes is at least 35%"),
        ({">": [var("visit.dwell_s"), 1]}, "The time spent in this visit is above 1 second"),
        ({"in": [var("time.weekday"), ["friday"]]}, "The day of the week in the shop is Friday"),
        ({"in": [var("market.country"), ["DE", "AT", "CH"]]}, "The country is DE, AT or CH"),
        ({"==": [var("shopper.cold"), False]}, "The shop knows the shopper"),
        ({"!": [{"!=": [True, var("shopper.cold")]}]}, "The shop does not know the shopper yet"),
        ({"==": [var("profile.spent"), None]}, "It is not known: what the customer has spent so far"),
        (
            {">": [{"*": [var("cart.subtotal"), 0.9]}, {"-": [100, {"+": [var("product.price"), 1]}]}]},
            "The cart's subtotal × 0.9 is above 100 − (the price of the product shown + 1)",
        ),
        (
            {"!": [{"some": [var("cart.tags"), {"in": [var(""), ["ski", "{snow}"]]}]}]},
            "None of “ski”, “{snow}” are among the tags of the products in the cart",
        ),
        (
            {"!": [{"and": [var("shopper.cold"), {"==": [var("market.country"), "DE"]}]}]},
            "Not (the shop does not know the shopper yet and the country is DE)",
        ),
    ],
)  # fmt: skip
def test_each_way_to_ask_is_said(stored: Any, sentence: str) -> None:
    assert words(stored) == sentence


def test_products_are_called_by_their_titles_and_long_lists_are_cut() -> None:
    stored = {"some": [var("cart.product_ids"), {"in": [var(""), [str(each) for each in range(801, 821)]]}]}
    said = words(stored, names={"801": "Race skis"})
    assert said.startswith("One or more of “Race skis”, “802”, ")
    assert said.endswith("“808”, … are among the products in the cart")


def test_collections_are_called_by_their_titles_and_nothing_else_is() -> None:
    names = {collection_key("801"): "Winter sale", "801": "Race skis"}
    stored = {"in": ["801", var("cart.collections")]}
    said = words(stored, names=names)
    assert said == "“Winter sale” is among the collections of the products in the cart"
    assert words({"in": ["802", var("cart.collections")]}, names=names).startswith("“802” is")


def test_segments_are_called_by_their_titles_and_nothing_else_is() -> None:
    names = {segment_key("at_risk"): "Gefährdet", "at_risk": "Race skis"}
    asked = {"in": ["at_risk", var("profile.segments")]}
    assert words(asked, "de", names=names) == "Die Segmente des Kunden enthalten „Gefährdet“"
    assert words({"in": ["at_risk", var("cart.tags")]}, names={segment_key("at_risk"): "x"}).startswith(
        "“at_risk” is"
    )


def test_money_has_the_digits_of_its_currency() -> None:
    rule = read_rule({">": [var("cart.subtotal"), 1000]})
    assert in_words(rule, "JPY") == "The cart's subtotal is above ¥1,000"
    assert (
        in_words(rule, "CHF", "de")
        == "Die Zwischensumme des Warenkorbs ist größer als 1.000,00\N{NO-BREAK SPACE}CHF"
    )
    assert words({">": [var("cart.subtotal"), 0.125]}).endswith(" €0.125")


@pytest.mark.parametrize(
    ("days", "said"), [(1, "يوم واحد"), (2, "يومان"), (3, "3 أيام"), (11, "11 يومًا"), (100, "100 يوم")]
)
def test_arabic_has_its_six_plurals(days: int, said: str) -> None:
    assert words({">": [var("profile.days_since_order"), days]}, "ar").endswith(said)


def test_a_language_that_is_not_there_is_english() -> None:
    assert words(True, "fi") == "For everyone"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_that_english_says(language: str) -> None:
    english, own = locale("en"), locale(language)
    assert set(own.flags) == {name for name, field in FIELDS.items() if field.kind == "flag"}
    assert language == "en" or set(own.fields) == set(FIELDS) - set(own.flags)
    for table in ("says", "joins", "terms"):
        assert set(getattr(own, table)) == set(getattr(english, table))
    assert {name: set(each) for name, each in own.choices.items()} == {
        name: set(field.choices) for name, field in FIELDS.items() if field.choices
    }


def test_the_languages_are_those_of_the_extensions() -> None:
    assert set(LANGUAGES) == {"ar", "de", "en", "es", "fr", "ja"}


@settings(max_examples=150, deadline=None)
@given(stored=made.rules)
def test_every_rule_can_be_said_in_every_language(stored: Any) -> None:
    try:
        rule = read_rule(stored)
    except RuleError:
        return
    for language in LANGUAGES:
        said = in_words(rule, "EUR", language)
        assert said
        assert "{a}" not in said
