from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest

from app.campaigns.messages import VARIABLES, check_texts
from app.errors import InputError
from app.reach.abandonment import MOST_LINES
from app.reach.letters import Links, Reader, Sender, alert_to, letter_to, way_back
from app.reach.settings import OFF, LetterWords, checked, reach_of
from app.reach.smtp import _WIRE
from app.reach.unsubscribe_link import read_token, token_of
from app.reach.words import PAGES, WORDS, Facts, filled, page_words

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENDER = Sender("Nord & Wand", "news@example.com", "owner@example.com", ("Street 1", "Berlin"))
LINKS = Links(
    "https://a.myshopify.com/cart/11:2", f"https://tillwise.example.com/reach/unsubscribe/{'x' * 90}"
)
PLAIN = Facts("Nord & Wand", 2, 4_050, "EUR")
CODE = Facts("Nord & Wand", 1, 4_050, "EUR", "TILL-B", 15.0, None, datetime(2026, 11, 23, 12, tzinfo=UTC))


def letter(
    facts: Facts = PLAIN,
    locale: str | None = "en",
    country: str | None = None,
    default: str = "en",
    **own: Any,
) -> EmailMessage:
    """Return the letter as it arrives."""
    reader = Reader("ada@example.com", locale, country, default)
    made = letter_to(reader, SENDER, facts, LINKS, LetterWords(**own), "id.1", NOW)
    return cast(EmailMessage, message_from_bytes(made.as_bytes(policy=_WIRE), policy=policy.default))


def text(made: EmailMessage, kind: str = "plain") -> str:
    part = made.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_a_letter_names_what_was_left_and_leads_back_and_out() -> None:
    made = letter()
    assert made["Subject"] == "Your checkout at Nord & Wand is waiting"
    assert (
        made["From"] == '"Nord & Wand" <news@example.com>' or made["From"] == "Nord & Wand <news@example.com>"
    )
    assert (made["To"], made["Reply-To"]) == ("ada@example.com", "owner@example.com")
    assert "2 items, 40.50 EUR" in text(made)
    for kind in ("plain", "html"):
        assert LINKS.back in text(made, kind)
        assert LINKS.off in text(made, kind)
        assert "Berlin" in text(made, kind)
    assert "Nord &amp; Wand" in text(made, "html")


def test_a_mail_programs_button_takes_one_off_without_a_page() -> None:
    """RFC 8058: both headers, and the link in one piece."""
    reader = Reader("ada@example.com", "en", None)
    wire = letter_to(reader, SENDER, PLAIN, LINKS, LetterWords(), "id.1", NOW).as_bytes(policy=_WIRE)
    assert f"List-Unsubscribe: <{LINKS.off}>\r\n".encode() in wire
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in wire


@pytest.mark.parametrize(
    ("locale", "says", "ends"),
    [
        ("de-AT", "15\u00a0% darauf mit dem Code TILL-B", "bis zum 23. November 2026, 12:00 UTC."),
        ("fr", "15\u00a0% de remise avec le code TILL-B", "jusqu'au 23 novembre 2026, 12:00 UTC."),
        ("es-MX", "15\u00a0% de descuento con el código TILL-B", "23 de noviembre de 2026, 12:00"),
        ("ja", "コードTILL-Bで15%割引", "2026年11月23日 12:00 UTCまで"),
        ("ar", "خصم 15% عليه بالرمز TILL-B", "23 نوفمبر 2026، 12:00"),
        ("pl", "15% off it with the code TILL-B", "November 23, 2026, 12:00 PM UTC."),
    ],
)
def test_a_code_is_told_in_the_readers_language_with_its_end(locale: str, says: str, ends: str) -> None:
    told = text(letter(CODE, locale))
    assert says in told
    assert ends in told.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("locale", "start"),
    [
        ("ar-EG", '<div lang="ar" dir="rtl"><p dir="auto">'),
        ("de-CH", '<div lang="de" dir="ltr"><p dir="auto">'),
    ],
)
def test_a_letter_reads_the_way_its_language_does(locale: str, start: str) -> None:
    """Mail programs keep nothing of the document but what is in its body."""
    assert start in text(letter(locale=locale), "html")


@pytest.mark.parametrize(
    ("locale", "count", "says"),
    [
        ("en", 1, "1 item,"),
        ("en", 2, "2 items,"),
        ("fr", 1, "1 article,"),
        ("de", 1_200, "1.200 Artikel, 40,50 EUR"),
        ("ar", 2, "منتجان، 40.50 EUR"),
    ],
)
def test_numbers_and_plurals_are_the_languages_own(locale: str, count: int, says: str) -> None:
    assert says in text(letter(Facts("N", count, 4_050, "EUR"), locale))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("locale", ["ko", "pl"])
def test_words_in_another_language_than_the_readers_keep_their_own_plurals(locale: str, count: int) -> None:
    own = {"en": {"one": "One thing waits", "other": "{count} things wait"}}
    made = letter(Facts("S", count, 100_050, "EUR"), locale, subject=own)
    assert made["Subject"] == ("One thing waits" if count == 1 else "2 things wait")
    assert ("1 item, 1,000.50 EUR" if count == 1 else "2 items, 1,000.50 EUR") in text(made)


def test_the_merchants_words_take_the_plural_of_their_own_language() -> None:
    own = {"pl": {"one": "{count} rzecz", "few": "{count} rzeczy", "other": "{count} rzeczy czeka"}}
    made = [letter(Facts("S", count, 4_050, "EUR"), "pl", subject=own)["Subject"] for count in (1, 3)]
    assert made == ["1 rzecz", "3 rzeczy"]


def test_the_merchants_words_come_first_by_locale_then_market_then_the_shops_language() -> None:
    subject = {"de": "Hallo", "de@CH": "Grüezi", "en": {"one": "{count} thing", "other": "{count} things"}}
    assert letter(locale="de-CH", country="CH", subject=subject)["Subject"] == "Grüezi"
    assert letter(locale="de", subject=subject)["Subject"] == "Hallo"
    assert letter(locale="pl", subject=subject)["Subject"] == "2 things"
    assert "Nimm {code}" not in text(letter(CODE, "de", body={"de": "Nimm {code}."}))
    assert "Nimm TILL-B." in text(letter(CODE, "de", body={"de": "Nimm {code}."}))


@pytest.mark.parametrize(
    ("own", "subject", "body"),
    [
        ({"body": {"de": "Noch da."}}, "Ihre Bestellung bei S wartet", "Noch da."),
        ({"subject": {"de": "Noch da"}}, "Noch da", "Sie haben eine Bestellung bei S"),
        ({"subject": {"fr": "Encore", "de": "Noch"}, "body": {"de": "Noch da."}}, "Noch", "Noch da."),
        (
            {"subject": {"fr": "Encore"}, "body": {"de": "Noch da."}},
            "Ihre Bestellung bei S wartet",
            "Noch da.",
        ),
    ],
)
def test_a_letter_speaks_one_language(own: dict[str, Any], subject: str, body: str) -> None:
    """That of what the merchant wrote: a French reader's was German, with a French button and end."""
    made = letter(Facts("S", 1_200, 4_050, "EUR"), "fr", default="de", **own)
    said = text(made)
    assert made["Subject"] == subject
    for words in (body, "1.200 Artikel, 40,50 EUR", "Zurück zur Bestellung", "Keine solchen E-Mails mehr"):
        assert words in said
    assert '<div lang="de" dir="ltr">' in text(made, "html")


def test_a_letter_in_a_language_that_we_lack_ends_in_the_readers() -> None:
    made = letter(locale="fr", default="nl", body={"nl": "Nog hier."})
    assert "Nog hier." in text(made)
    assert "Retour à la commande" in text(made)


def test_no_line_of_a_letter_begins_with_a_sign_that_belongs_to_the_one_before() -> None:
    assert "15\u00a0% de remise" in text(letter(CODE, "fr"))
    assert "Tout y est encore\u00a0:" in text(letter(locale="fr"))
    assert "Bravo\u00a0! 15\u00a0%" in text(letter(CODE, "fr", body={"fr": "Bravo ! {percentage} %"}))


def test_words_that_name_a_code_are_not_said_where_there_is_none() -> None:
    own = {"subject": {"en": "{percentage} % off"}, "body": {"en": "Take {code}, good until {expires}."}}
    told = letter(CODE, **own)
    assert told["Subject"] == "15 % off"
    assert "Take TILL-B, good until November 23, 2026, 12:00 PM UTC." in text(told).replace("\u202f", " ")
    reminder = letter(PLAIN, **own)
    assert reminder["Subject"] == "Your checkout at Nord & Wand is waiting"
    assert "You left a checkout at Nord & Wand" in text(reminder)


@pytest.mark.parametrize(
    ("locale", "currency", "says"),
    [
        ("en", "KWD", "1,200: 1,234.567 KWD"),
        ("de", "EUR", "1.200: 12.345,67 EUR"),
        ("de-CH", "CHF", "1’200: 12’345.67 CHF"),
        ("pt-BR", "BRL", "1.200: 12.345,67 BRL"),
        ("nl", "JPY", "1.200: 1.234.567 JPY"),
        ("xx", "USD", "1,200: 12,345.67 USD"),
    ],
)
def test_amounts_are_written_as_the_reader_writes_them(locale: str, currency: str, says: str) -> None:
    facts = Facts("N", 1_200, 1_234_567, currency)
    assert filled("{count}: {total}", facts, locale) == says


def test_our_own_words_name_only_what_there_is_to_fill_in() -> None:
    for words in WORDS.values():
        texts = [
            words.subject, words.subject_with_code, words.hello, words.offer_percentage, words.offer_amount,
            words.offer_shipping, words.ends, words.why,
        ]  # fmt: skip
        check_texts("letter", {"en": words.items["other"]})
        for each in texts:
            check_texts("letter", {"en": each})
    assert WORDS.keys() == PAGES.keys()
    assert "code" in VARIABLES["letter"]


def test_no_shop_and_no_address_can_add_a_header() -> None:
    sender = Sender("Evil\r\nBcc: all@example.com", "news@example.com")
    made = letter_to(Reader("a@b.co", "en", None), sender, PLAIN, LINKS, LetterWords(), "1", NOW)
    assert made["Bcc"] is None
    for address in ("a@b.co\r\nBcc: x@y.co", "", "no address"):
        with pytest.raises(InputError) as refused:
            letter_to(Reader(address, "en", None), SENDER, PLAIN, LINKS, LetterWords(), "1", NOW)
        assert address not in str(refused.value) or not address
    assert (
        alert_to("o@example.com", SENDER, "Tillwise: A\nB needs a look", "Look.", "1", NOW)["Subject"]
        == "Tillwise: A B needs a look"
    )


def test_the_way_back_is_a_cart_permalink_with_the_code() -> None:
    assert way_back("a.myshopify.com", [[11, 2], [12, 1]], None) == "https://a.myshopify.com/cart/11:2,12:1"
    assert way_back("a.myshopify.com", [[11, 2]], "A B&C").endswith("/cart/11:2?discount=A%20B%26C")


def test_the_way_back_leads_to_the_whole_basket_and_is_no_longer_than_a_link_may_be() -> None:
    lines = [[44_352_345_678_901 + number, 1] for number in range(MOST_LINES)]
    link = way_back("a.myshopify.com", lines, None)
    assert link.endswith(f",{lines[-1][0]}:1")
    assert len(link) < 2_000


def test_only_our_own_token_takes_anybody_off() -> None:
    token = token_of(b"secret", "a.myshopify.com", "0" * 32)
    assert read_token(b"secret", token) == ("a.myshopify.com", "0" * 32)
    assert read_token(b"other", token) is None
    assert read_token(b"secret", token.replace("a.", "b.", 1)) is None
    assert read_token(b"secret", token[:-1]) is None
    assert read_token(b"secret", "") is None


def test_the_page_speaks_a_language_that_the_browser_asks_for() -> None:
    assert page_words("pl,de-AT;q=0.8,en;q=0.5").language == "de"
    assert page_words("").language == page_words("zz" * 500).language == "en"
    assert page_words("ar-EG,en;q=0.5").language == "ar"


def test_nothing_is_sent_until_it_is_switched_on() -> None:
    assert (OFF.ways, reach_of({}).ways, reach_of({"reach": {"mail": "yes"}}).ways) == ((), (), ())
    assert reach_of({"reach": {"mail": True, "idle_s": 3600}}).ways == ("mail",)
    with pytest.raises(InputError, match="idle_s"):
        checked({"idle_s": 5})
