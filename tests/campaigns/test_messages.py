from __future__ import annotations

import pytest

from app.campaigns.messages import chain, check_texts, key_of, normalised, text_for
from app.errors import InputError

TEXTS = normalised({"de": "Hallo", "de_AT": "Servus", "de@CH": "Grüezi", "en": "Hello", "pt-BR": "Oi"})


@pytest.mark.parametrize(
    ("locale", "country", "text"),
    [
        ("de", None, "Hallo"),
        ("de-DE", "DE", "Hallo"),
        ("de-AT", "AT", "Servus"),
        ("DE_at", "AT", "Servus"),
        ("de-CH", "CH", "Grüezi"),
        ("de", "ch", "Grüezi"),
        ("fr", "FR", "Hello"),  # the shop's default
        ("pt", "PT", "Hello"),  # never the other Portuguese
        ("pt-br", None, "Oi"),
        (None, None, "Hello"),
    ],
)
def test_the_most_fitting_words_are_taken(locale: str | None, country: str | None, text: str) -> None:
    assert text_for(TEXTS, locale, country, "en") == text


def test_where_the_merchant_wrote_none_the_page_says_its_own() -> None:
    assert text_for(TEXTS, "fr", "FR", "fr") is None
    assert text_for({}, "en", None, "en") is None


def test_the_chain_goes_from_market_and_locale_to_the_shops_default() -> None:
    assert list(chain("de-AT", "CH", "en")) == ["de-at@ch", "de@ch", "de-at", "de", "en@ch", "en"]


def test_a_progress_at_its_target_has_another_sentence() -> None:
    assert key_of("progress", None, {}) == "progress.free_shipping"
    assert key_of("progress", None, {}, reached=True) == "progress.free_shipping_reached"
    assert key_of("banner", "banner.welcome", {}) == "banner.welcome"


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("banner", {"de": "Wir helfen gern."}),
        ("progress", {"en": "{amount} to go until {target}"}),
        ("coupon", {"en": {"one": "{percentage} %, {count} hour left", "other": "{count} hours left"}}),
        ("upsell", {"zh-Hant-TW@TW": "{product}"}),
        ("banner", {}),
    ],
)
def test_words_that_can_be_filled_in_are_taken(kind: str, texts: dict[str, str | dict[str, str]]) -> None:
    check_texts(kind, texts)


@pytest.mark.parametrize(
    ("kind", "texts", "field", "says"),
    [
        ("banner", {"de": "Noch {amount}"}, "offer.messages.de", "a banner has none"),
        ("coupon", {"en": "{name}"}, "offer.messages.en", r"\{name\} can't be filled in"),
        ("coupon", {"en": "{code"}, "offer.messages.en", "not closed"),
        ("coupon", {"english!": "x"}, "offer.messages.english!", "not a locale"),
        ("coupon", {"en": {"one": "x"}}, "offer.messages.en", "`other` is missing"),
        ("coupon", {"en": {"other": "x", "several": "y"}}, "offer.messages.en", "not a plural form"),
        ("coupon", {"en": {"other": "{oops}"}}, "offer.messages.en.other", "can't be filled in"),
        ("progress", {"en": {"one": "x", "other": "y"}}, "offer.messages.en", "counts nothing"),
    ],
)
def test_words_that_can_not_be_shown_are_refused_with_their_place(
    kind: str, texts: dict[str, str | dict[str, str]], field: str, says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        check_texts(kind, texts)
    assert caught.value.field == field
