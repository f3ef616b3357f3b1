"""What a campaign says: the merchant's own words in the shopper's language, else a built-in sentence. Pure.

The first of these that the merchant wrote is taken: `de-AT@CH` (locale and market), `de@CH`, `de-AT`,
`de`, then the shop's default language the same way. Where there is none, the shopper's page says its
own sentence of the message's key. Money, numbers and plurals are written by the page, which knows how.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Meta

from app.errors import InputError

Words = Annotated[str, Meta(min_length=1, max_length=500)]
Text = Words | dict[str, Words]

# CLDR's categories of plurals.
PLURALS = frozenset({"zero", "one", "two", "few", "many", "other"})
# What each kind of offer can fill in. `count` also decides between the forms of a plural.
VARIABLES: Mapping[str, frozenset[str]] = {
    "coupon": frozenset({"code", "percentage", "amount", "minimum", "count"}),
    "banner": frozenset(),
    "message": frozenset(),
    "progress": frozenset({"amount", "target"}),
    "upsell": frozenset({"product"}),
    # What is written to who left a checkout.
    "letter": frozenset({"shop", "count", "total", "code", "percentage", "amount", "expires"}),
}
FREE_SHIPPING = "progress.free_shipping"
# What a bar leads to that the merchant describes, only they know: the page has no sentence for it.
OWN_PROGRESS = "progress.own"
BUILT_IN: Mapping[str, str] = {
    "coupon": "coupon.personal",
    "banner": "banner.help",
    "message": "message.help",
    "progress": FREE_SHIPPING,
    "upsell": "upsell.merchant_pick",
}
REACHED = "_reached"
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}(@[A-Za-z]{2})?", re.ASCII)
_VARIABLE = re.compile(r"\{([^{}]*)\}")


def check_texts(kind: str, texts: Mapping[str, Text], known: frozenset[str] | None = None) -> None:
    """Return if the texts can be shown. Raises InputError naming the locale and what is wrong with it.

    known: what can be filled in, None for all that an offer of this kind may have.
    """
    known = VARIABLES[kind] if known is None else known
    for locale, text in texts.items():
        where = f"offer.messages.{locale}"
        if not _LOCALE.fullmatch(locale):
            raise InputError(f"{locale!r} is not a locale like de, de-AT or de@CH", where)
        for form, words in _forms(text):
            _check_words(kind, known, words, f"{where}.{form}" if form else where)
        if isinstance(text, dict):
            _check_forms(kind, known, text, where)


def text_for(texts: Mapping[str, Text], locale: str | None, country: str | None, default: str) -> Text | None:
    """Return the merchant's words for who reads them, None where a built-in sentence must do.

    texts: by normalised locale, see `normalised`.
    """
    if not texts:
        return None
    return next((texts[each] for each in chain(locale, country, default) if each in texts), None)


def chain(locale: str | None, country: str | None, default: str) -> Iterator[str]:
    """Yield the names under which words are looked for, the most fitting first."""
    for each in (locale, default):
        if each:
            name = normal(each)
            names = dict.fromkeys((name, name.partition("-")[0]))
            if country:
                yield from (f"{one}@{country.lower()}" for one in names)
            yield from names


def normalised(texts: Mapping[str, Text]) -> dict[str, Text]:
    """Return the texts by locale as `chain` spells them."""
    return {normal(locale): text for locale, text in texts.items()}


def normal(locale: str) -> str:
    """Return the locale in one spelling: `de_AT` and `de-at` are the same."""
    return locale.replace("_", "-").lower()


def key_of(kind: str, key: str | None, texts: Mapping[str, Text], reached: bool = False) -> str:
    """Return the message's key. reached: of a progress that is at its target."""
    usual = OWN_PROGRESS if texts and kind == "progress" else BUILT_IN[kind]
    return (key or usual) + (REACHED if reached else "")


def _forms(text: Text) -> list[tuple[str, str]]:
    return list(text.items()) if isinstance(text, dict) else [("", text)]


def _check_words(kind: str, known: frozenset[str], words: str, where: str) -> None:
    for name in _VARIABLE.findall(words):
        if name not in known:
            fills = ", ".join(f"{{{each}}}" for each in sorted(known)) or "none"
            raise InputError(f"{{{name}}} can't be filled in here; a {kind} has {fills}", where)
    if set("{}") & set(_VARIABLE.sub("", words)):
        raise InputError("a brace is not closed, or not opened", where)


def _check_forms(kind: str, known: frozenset[str], forms: Mapping[str, str], where: str) -> None:
    if "count" not in known:
        raise InputError(f"a {kind} counts nothing, so it has one text and no plural forms", where)
    if unknown := sorted(forms.keys() - PLURALS):
        raise InputError(f"{unknown[0]!r} is not a plural form; known: {', '.join(sorted(PLURALS))}", where)
    if "other" not in forms:
        raise InputError("the plural form `other` is missing, which every language needs", where)
