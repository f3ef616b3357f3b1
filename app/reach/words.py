"""What is written to who left, in their language: the merchant's own words, else ours. Pure.

Ours are in English, German, Spanish and French; for other languages the merchant writes some, or the shop's
default language speaks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_decimal

from app.campaigns.messages import Text, normalised, text_for
from app.rules.locale import locale as forms_of
from app.values import exponent

_NAMES = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """A language's own. items: by plural form. Each may name what `Facts` tells."""

    subject: str
    subject_with_code: str
    hello: str
    hello_rest: str
    items: Mapping[str, str]
    offer_percentage: str
    offer_amount: str
    offer_shipping: str
    ends: str
    button: str
    why: str
    off: str


@dataclass(frozen=True, slots=True)
class Page:
    """What the page says on which one takes oneself off."""

    language: str
    question: str
    button: str
    done: str
    later: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter can tell. count: items. percentage, amount_minor: of a code; neither: free shipping.

    expires_at: in the zone it is told in. whole: whether nothing of it is sold out.
    """

    shop: str
    count: int
    total_minor: int
    currency: str
    code: str | None = None
    percentage: float | None = None
    amount_minor: int | None = None
    expires_at: datetime | None = None
    whole: bool = True


WORDS: Mapping[str, Words] = {
    "en": Words(
        "Your checkout at {shop} is waiting", "{shop}: something off what you left",
        "You left a checkout at {shop} before it was done. All of it is still there:",
        "You left a checkout at {shop} before it was done. Some of it is sold out; still there:",
        {"one": "{count} item, {total}", "other": "{count} items, {total}"},
        "{percentage} % off it with the code {code}, which is yours alone.",
        "{amount} off it with the code {code}, which is yours alone.",
        "Free shipping with the code {code}, which is yours alone.",
        "It is good until {expires}.", "Back to your checkout",
        "You get this because you agreed to e-mails of {shop}.", "No more e-mails like this",
    ),
    "de": Words(
        "Deine Bestellung bei {shop} wartet", "{shop}: ein Nachlass auf das, was du ausgesucht hast",
        "Du hast eine Bestellung bei {shop} nicht zu Ende gebracht. Es ist noch alles da:",
        "Du hast eine Bestellung bei {shop} nicht beendet. Einiges ist ausverkauft; noch da ist:",
        {"one": "{count} Artikel, {total}", "other": "{count} Artikel, {total}"},
        "{percentage} % darauf mit dem Code {code}, der nur für dich ist.",
        "{amount} weniger mit dem Code {code}, der nur für dich ist.",
        "Kostenloser Versand mit dem Code {code}, der nur für dich ist.",
        "Er gilt bis {expires}.", "Zurück zur Bestellung",
        "Du bekommst das, weil du E-Mails von {shop} zugestimmt hast.", "Keine solchen E-Mails mehr",
    ),
    "es": Words(
        "Tu pedido en {shop} te espera", "{shop}: un descuento en lo que dejaste",
        "Dejaste un pedido en {shop} sin terminar. Todo sigue ahí:",
        "Dejaste un pedido en {shop} sin terminar. Una parte se ha agotado; el resto sigue ahí:",
        {"one": "{count} artículo, {total}", "other": "{count} artículos, {total}"},
        "{percentage} % de descuento con el código {code}, que es solo tuyo.",
        "{amount} menos con el código {code}, que es solo tuyo.",
        "Envío gratis con el código {code}, que es solo tuyo.",
        "Vale hasta el {expires}.", "Volver al pedido",
        "Recibes esto porque aceptaste correos de {shop}.", "No quiero más correos así",
    ),
    "fr": Words(
        "Votre commande chez {shop} vous attend", "{shop} : une remise sur ce que vous avez laissé",
        "Vous n'avez pas terminé une commande chez {shop}. Tout y est encore :",
        "Vous n'avez pas terminé une commande chez {shop}. Une partie est épuisée ; le reste y est encore :",
        {"one": "{count} article, {total}", "other": "{count} articles, {total}"},
        "{percentage} % de remise avec le code {code}, qui n'est qu'à vous.",
        "{amount} de moins avec le code {code}, qui n'est qu'à vous.",
        "Livraison offerte avec le code {code}, qui n'est qu'à vous.",
        "Il est valable jusqu'au {expires}.", "Retour à la commande",
        "Vous recevez ceci parce que vous avez accepté les e-mails de {shop}.",
        "Ne plus recevoir ces e-mails",
    ),
}  # fmt: skip
PAGES: Mapping[str, Page] = {
    "en": Page("en", "No more e-mails about checkouts you left?", "No more of them", "You get no more.",
               "That did not work just now. Please try again in a few minutes."),
    "de": Page("de", "Keine E-Mails mehr zu offenen Bestellungen?", "Keine mehr", "Es kommen keine mehr.",
               "Das ging gerade nicht. Bitte versuch es in ein paar Minuten noch einmal."),
    "es": Page("es", "¿No más correos sobre pedidos sin terminar?", "No más", "No recibirás más.",
               "No ha funcionado ahora mismo. Inténtalo de nuevo dentro de unos minutos."),
    "fr": Page("fr", "Ne plus recevoir d'e-mails de ce genre ?", "Ne plus en recevoir", "C'est fait.",
               "Cela n'a pas fonctionné. Merci de réessayer dans quelques minutes."),
}  # fmt: skip


def spoken_to(locale: str | None, default: str) -> str:
    """Return the locale that our own words are in: the reader's, the shop's, or ours."""
    return next((each for each in (locale or "", default) if _language(each) in WORDS), "en")


def words_in(locale: str) -> Words:
    """Return our own words, of a locale that `spoken_to` named."""
    return WORDS[_language(locale)]


def _language(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0].lower()


def page_words(accepted: str) -> Page:
    """Return the page's words in the first language the browser asks for that we have."""
    names = re.findall(r"([a-zA-Z]{2})(?:-[^,;]*)?(?:;[^,]*)?", accepted[:200])
    return next((PAGES[each.lower()] for each in names if each.lower() in PAGES), PAGES["en"])


def filled(text: str, facts: Facts, locale: str) -> str:
    """Return the text with what it names; what is not there is left empty."""
    values = _values(facts, locale)
    return _NAMES.sub(lambda name: values.get(name[1], ""), text)


def own_words(
    texts: Mapping[str, Text], facts: Facts, locale: str | None, country: str | None, default: str
) -> str | None:
    """Return the merchant's words, filled in, None where there are none for the reader.

    Those that name what the letter does not have, such as a code, are not said.
    """
    known = normalised(texts)
    for each in (locale or "", default):
        text = text_for(known, each, country, "")
        said = None if text is None else plural(text, facts.count, each)
        if said is not None and _values(facts, each).keys() >= set(_NAMES.findall(said)):
            return filled(said, facts, each)
    return None


def plural(text: Text | Mapping[str, str], count: int, language: str) -> str:
    """Return the form of a text that goes with the count."""
    return text if isinstance(text, str) else forms_of(language).form(text, count)


@lru_cache(maxsize=256)
def _numbers_of(locale: str) -> Locale:
    """Return how numbers are written there, in Switzerland otherwise than in Germany; English if unknown."""
    for each in (locale, _language(locale)):
        with suppress(UnknownLocaleError, ValueError):
            return Locale.parse(each.replace("_", "-"), sep="-")
    return Locale("en")


def _values(facts: Facts, locale: str) -> dict[str, str]:
    numbers = _numbers_of(locale)

    def money(minor: int) -> str:
        digits = exponent(facts.currency)
        written = format_decimal(Decimal(minor).scaleb(-digits), f"#,##0.{'0' * digits}", locale=numbers)
        return f"{written} {facts.currency}"

    count = str(format_decimal(facts.count, locale=numbers))
    known = {"shop": facts.shop, "count": count, "total": money(facts.total_minor)}
    if facts.code is not None:
        known["code"] = facts.code
    if facts.percentage is not None:
        known["percentage"] = str(format_decimal(facts.percentage, locale=numbers))
    if facts.amount_minor is not None:
        known["amount"] = money(facts.amount_minor)
    if facts.expires_at is not None:
        known["expires"] = facts.expires_at.strftime("%Y-%m-%d %H:%M %Z")
    return known
