from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment
from markupsafe import Markup

from app.admin.figures import moment, money, number, percent
from app.admin.language import (
    LANGUAGES,
    SOURCE,
    _,
    _locale,
    asked_for,
    language_tag,
    lazy,
    ngettext,
    read_catalogue,
    script_words,
    speak_in,
    speaking,
)
from app.admin.sentences import told
from scripts.phrases import phrases
from scripts.words import missing, texts

NUMBER = Counter({"num": 1})
TRANSLATED = [language for language in LANGUAGES if language != SOURCE]


@pytest.mark.parametrize(
    ("tag", "accepted", "spoken"),
    [
        ("de", None, "de"),
        ("de-CH", "fr", "de_CH"),  # Shopify's word comes before the browser's
        ("en-GB", None, "en_GB"),
        ("nl", "fr;q=0.5, ja", "ja"),
        (None, "nl, es;q=0.9, *;q=0.1", "es"),
        (None, "fr;q=none", "fr"),
        (None, None, "en"),
        ("../../etc", "\x00", "en"),
        ("de_DE" * 99, None, "en"),
    ],
)
def test_language_is_what_shopify_says_else_the_browser_else_english(
    tag: str | None, accepted: str | None, spoken: str
) -> None:
    assert str(asked_for(tag, accepted)) == spoken


def test_of_languages_without_end_few_are_remembered_and_no_more_looked_at() -> None:
    """Anybody may send them, without a proof."""
    for at in range(1_000):
        asked_for(f"x{at}", f"y{at}, z{at}")
    assert _locale.cache_info().currsize <= 256
    before = _locale.cache_info().misses
    assert str(asked_for(None, ",".join(f"w{at}" for at in range(2_000)))) == "en"
    assert _locale.cache_info().misses - before <= 100


def test_page_says_its_language_as_html_does() -> None:
    with speaking("de-CH"):
        assert language_tag() == "de-CH"
    assert language_tag() == "en"


def test_numbers_in_a_text_are_written_as_its_language_does() -> None:
    assert ngettext("%(num)s order of %(shop)s", "%(num)s orders of %(shop)s", 1234, shop="Acme") == (
        "1,234 orders of Acme"
    )
    with speaking("de"):
        assert (number(1234.5, 1), percent(0.125, 1)) == ("1.234,5", "12,5\u00a0%")
        assert money(125000, "EUR") == "1.250,00\u00a0€"
        assert moment(datetime(2026, 11, 25, 17, 46, tzinfo=UTC)) == "25.11.2026, 17:46 UTC"


def test_among_arabic_letters_a_sign_of_latin_ones_stays_as_it_is_written() -> None:
    with speaking("ar"):
        for currency, sign in (("USD", "US$"), ("JPY", "JP¥"), ("CNY", "CN¥"), ("GBP", "UK£")):
            assert f"{sign}\N{LEFT-TO-RIGHT MARK}" in money(1200, currency)
        assert "\N{LEFT-TO-RIGHT MARK}" not in money(1200, "KWD") + money(1200, "EUR")


def test_constant_is_put_into_words_when_it_is_written_out() -> None:
    home = lazy("Home")
    with speaking("de"):
        assert str(home) == _("Home") != "Home"
    assert str(home) == "Home"


def test_value_in_a_pages_text_is_escaped_and_markup_is_not() -> None:
    environment = Environment(autoescape=True)
    speak_in(environment)
    template = environment.from_string('{{ _("%(a)s of %(b)s", a=a, b=b) }}')
    assert template.render(a="<i>", b=Markup("<b>x</b>")) == "&lt;i&gt; of <b>x</b>"


def test_texts_stand_in_the_order_that_a_catalogue_is_read_back_in() -> None:
    assert [message.id for message in code_texts() if message.locations != sorted(message.locations)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_has_the_codes_texts_and_no_others(language: str) -> None:
    kept = {(message.context, message.id) for message in read_catalogue(language) if message.id}
    said = {(message.context, message.id) for message in code_texts() if message.id}
    assert sorted(map(str, said - kept)) == []  # `make words` brings them in
    assert sorted(map(str, kept - said)) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language: str) -> None:
    assert [message.id for message in missing(read_catalogue(language))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translation_names_what_its_text_names(language: str) -> None:
    for message in read_catalogue(language):
        asked, wanted = forms(message.id), forms(message.string)
        assert held(wanted[-1]) == held(asked[-1]), message.id
        for form in wanted:  # of one, the number may be left out
            assert held(form) | NUMBER == held(asked[-1]) | NUMBER, (message.id, form)


@pytest.mark.parametrize("language", TRANSLATED)
def test_text_may_stand_in_an_attribute_and_is_a_format(language: str) -> None:
    for message in texts_of(language):
        assert not set(message) & set('"<&'), message
        assert re.fullmatch(r"(?:[^%]|%%|%\(\w+\)s)*", message), message


def test_sentence_of_another_domain_is_found_again_by_its_format() -> None:
    sentence = "there is no field 'cart.total': did you mean cart.subtotal?"
    with speaking("de"):
        assert told(sentence) == "es gibt kein Feld 'cart.total': meinten Sie cart.subtotal?"
        assert told("a number, a date") == "eine Zahl, ein Datum"
        assert told("Shopify: SHOP_IS_FROZEN, today") == "Shopify: SHOP_IS_FROZEN, today"
    assert told(sentence) == sentence


def test_numbers_and_amounts_of_a_sentence_are_written_as_the_language_does() -> None:
    better = "own repeats is better by 0.0100 NDCG@10 on 3000 carts"
    bulk = "An order of 9000.00 USD, 60 times the usual one."
    assert told(better) == "own repeats is better by 0.0100 NDCG@10 on 3,000 carts"
    assert told(bulk) == "An order of $9,000.00, 60 times the usual one."
    with speaking("de"):
        assert "0,0100" in told(better)
        assert "3.000" in told(better)
        assert "9.000,00\N{NO-BREAK SPACE}$" in told(bulk)


def test_what_only_looks_like_a_number_stays() -> None:
    assert told("acme.myshopify.com has no request 12345") == "acme.myshopify.com has no request 12345"
    assert told("the address takes no mail (5500)") == "the address takes no mail (5500)"


def test_names_of_the_apps_own_are_said_in_the_merchants_words() -> None:
    told_in_english = told("days_since_last_order is a whole number from 0 to 10000")
    assert told_in_english == "Days since the last order is a whole number from 0 to 10,000"
    with speaking("de"):
        assert "events_days" not in told("events_days must be 1 to 3650 whole days, not 0")


def test_what_somebody_wrote_stays_as_they_wrote_it() -> None:
    with speaking("de"):
        assert told("there are two segments named “today”") == "es gibt zwei Segmente namens „today“"


def test_no_format_has_two_values_side_by_side() -> None:
    """Nobody could tell where the first of them ends."""
    assert [text for _file, text in phrases() if ")s%(" in text] == []


def test_scripts_texts_are_sent_along_with_the_page() -> None:
    with speaking("de"):
        words = script_words()
    assert words["The import goes on"] != "The import goes on"
    assert "Home" not in words


@cache
def code_texts() -> Catalog:
    """Return what the code says, read once."""
    return texts()


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def held(text: str) -> Counter[str]:
    return Counter(re.findall(r"%\((\w+)\)s", text))


def texts_of(language: str) -> list[str]:
    """Return every text and every translation, each form for itself."""
    messages: list[Message] = [message for message in read_catalogue(language) if message.id]
    return [form for message in messages for said in (message.id, message.string) for form in forms(said)]
