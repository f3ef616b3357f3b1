"""What is written to who left, in their language: the merchant's own words, else ours. Pure.

Ours are in the languages of the checkout; for others the merchant writes some, or the shop's default language
speaks.
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
from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import format_decimal

from app.campaigns.messages import Text, normalised, text_for
from app.values import exponent

_NAMES = re.compile(r"\{([a-z]+)\}")
# No line begins with these: `10 %`, and the marks that French sets apart.
_TIED = re.compile(" (?=[%€!?:;»])")


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
        "{percentage}% off it with the code {code}, which is yours alone.",
        "{amount} off it with the code {code}, which is yours alone.",
        "Free shipping with the code {code}, which is yours alone.",
        "It is good until {expires}.", "Back to your checkout",
        "You get this because you agreed to e-mails of {shop}.", "No more e-mails like this",
    ),
    "de": Words(
        "Ihre Bestellung bei {shop} wartet", "{shop}: ein Nachlass auf Ihre Auswahl",
        "Sie haben eine Bestellung bei {shop} nicht abgeschlossen. Es ist noch alles da:",
        "Sie haben eine Bestellung bei {shop} nicht abgeschlossen. Einiges ist ausverkauft; noch da ist:",
        {"one": "{count} Artikel, {total}", "other": "{count} Artikel, {total}"},
        "{percentage} % darauf mit dem Code {code}, der nur für Sie ist.",
        "{amount} weniger mit dem Code {code}, der nur für Sie ist.",
        "Kostenloser Versand mit dem Code {code}, der nur für Sie ist.",
        "Er gilt bis zum {expires}.", "Zurück zur Bestellung",
        "Sie erhalten das, weil Sie E-Mails von {shop} zugestimmt haben.", "Keine solchen E-Mails mehr",
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
    "ja": Words(
        "{shop}でのご注文が途中です", "{shop}：お選びの商品の割引",
        "{shop}でのご注文が途中のままです。商品はすべてまだございます：",
        "{shop}でのご注文が途中のままです。一部は売り切れましたが、次の商品はまだございます：",
        {"other": "{count}点、{total}"},
        "お客様専用のコード{code}で{percentage}%割引になります。",
        "お客様専用のコード{code}で{amount}割引になります。",
        "お客様専用のコード{code}で送料無料になります。",
        "{expires}まで有効です。", "ご注文に戻る",
        "{shop}からのメールの受信に同意されたため、お送りしています。", "このようなメールを受け取らない",
    ),
    "ar": Words(
        "طلبك في {shop} بانتظارك", "{shop}: خصم على ما تركته",
        "تركت طلبًا في {shop} قبل إتمامه. كل ما فيه ما زال متوفرًا:",
        "تركت طلبًا في {shop} قبل إتمامه. نفد بعض ما فيه، وما زال متوفرًا:",
        {"one": "منتج واحد، {total}", "two": "منتجان، {total}", "few": "{count} منتجات، {total}",
         "many": "{count} منتجًا، {total}", "other": "{count} منتج، {total}"},
        "خصم {percentage}% عليه بالرمز {code}، وهو لك وحدك.",
        "خصم {amount} عليه بالرمز {code}، وهو لك وحدك.",
        "شحن مجاني بالرمز {code}، وهو لك وحدك.",
        "يسري حتى {expires}.", "العودة إلى طلبك",
        "وصلتك هذه الرسالة لأنك وافقت على تلقي رسائل {shop}.", "لا أريد رسائل كهذه",
    ),
}  # fmt: skip
PAGES: Mapping[str, Page] = {
    "en": Page("en", "No more e-mails about checkouts you left?", "No more of them", "You get no more.",
               "That did not work just now. Please try again in a few minutes."),
    "de": Page("de", "Keine E-Mails mehr zu offenen Bestellungen?", "Keine mehr", "Es kommen keine mehr.",
               "Das ging gerade nicht. Bitte versuchen Sie es in ein paar Minuten noch einmal."),
    "es": Page("es", "¿No más correos sobre pedidos sin terminar?", "No más", "No recibirás más.",
               "No ha funcionado ahora mismo. Inténtalo de nuevo dentro de unos minutos."),
    "fr": Page("fr", "Ne plus recevoir d'e-mails de ce genre ?", "Ne plus en recevoir", "C'est fait.",
               "Cela n'a pas fonctionné. Merci de réessayer dans quelques minutes."),
    "ja": Page("ja", "未完了のご注文についてのメールを停止しますか？", "停止する", "今後お送りしません。",
               "ただいま処理できませんでした。数分後にもう一度お試しください。"),
    "ar": Page("ar", "هل تريد إيقاف الرسائل عن الطلبات التي لم تكتمل؟", "إيقاف الرسائل",
               "لن تصلك رسائل أخرى.", "تعذّر ذلك الآن. يُرجى المحاولة مرة أخرى بعد بضع دقائق."),
}  # fmt: skip


def spoken_to(*locales: str | None) -> str:
    """Return the locale that our own words are in: the first of these that we have any for, else ours."""
    return next((each for each in locales if each and _language(each) in WORDS), "en")


def words_in(locale: str) -> Words:
    """Return our own words, of a locale that `spoken_to` named."""
    return WORDS[_language(locale)]


def lang_and_dir(locale: str) -> str:
    """Return the attributes by which HTML says what it is written in, and from which side it is read."""
    language = _language(locale)
    return f'lang="{language}" dir="{_locale_of(language).text_direction}"'


def _language(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0].lower()


def page_words(accepted: str) -> Page:
    """Return the page's words in the first language the browser asks for that we have."""
    names = re.findall(r"([a-zA-Z]{2})(?:-[^,;]*)?(?:;[^,]*)?", accepted[:200])
    return next((PAGES[each.lower()] for each in names if each.lower() in PAGES), PAGES["en"])


def filled(text: str, facts: Facts, locale: str) -> str:
    """Return the text with what it names; what is not there is left empty."""
    values = _values(facts, locale)
    return _NAMES.sub(lambda name: values.get(name[1], ""), _TIED.sub("\u00a0", text))


def own_words(
    texts: Mapping[str, Text], facts: Facts, locale: str | None, country: str | None, default: str
) -> tuple[str, str] | None:
    """Return the merchant's words, filled in, and their locale; None where there are none for the reader.

    Those that name what the letter does not have, such as a code, are not said.
    """
    known = normalised(texts)
    for each in (locale or "", default):
        text = text_for(known, each, country, "")
        said = None if text is None else plural(text, facts.count, each)
        if said is not None and _values(facts, each).keys() >= set(_NAMES.findall(said)):
            return filled(said, facts, each), each
    return None


def plural(text: Text | Mapping[str, str], count: int, language: str) -> str:
    """Return the form of a text that goes with the count."""
    return text if isinstance(text, str) else text.get(_locale_of(language).plural_form(count), text["other"])


@lru_cache(maxsize=256)
def _locale_of(locale: str) -> Locale:
    """Return how numbers and days are written there, in Switzerland not as in Germany; English if unknown."""
    for each in (locale, _language(locale)):
        with suppress(UnknownLocaleError, ValueError):
            return Locale.parse(each.replace("_", "-"), sep="-")
    return Locale("en")


def _values(facts: Facts, locale: str) -> dict[str, str]:
    numbers = _locale_of(locale)

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
        known["expires"] = f"{_moment(facts.expires_at, numbers)} {facts.expires_at:%Z}"
    return known


def _moment(at: datetime, locale: Locale) -> str:
    """Return the day and the time of the day, by the clock that the moment is told by."""
    clock = at.replace(tzinfo=None)
    day, time = format_date(clock, "long", locale), format_time(clock, "short", locale=locale)
    return str(get_datetime_format("medium", locale=locale)).format(time, day)
