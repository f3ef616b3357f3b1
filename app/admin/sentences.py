"""Translates other domains' finished sentences, by matching them against their formats.

What stands in them as a number, an amount or a name of the app's own is written as the language writes it;
what somebody wrote stands in quotation marks, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from app.admin.figures import number, percent, price
from app.admin.formats import Formats
from app.admin.language import LANGUAGES, SOURCE, Lazy, lazy, read_catalogue, translated
from app.consent.retention import KEPT

# Where texts are from that other domains tell: from the domain itself, or a segment's title.
_OTHERS = ("../", "segment_titles.py")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(%?)", re.ASCII)
_AMOUNT = re.compile(r"%\(amount\)s\s%\(currency\)s")
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_PRICE = re.compile(r"(-?\d+(?:\.\d+)?) ([A-Z]{3})", re.ASCII)
# Digits that are no number, but what something is called.
_CALLED = re.compile(
    r"(?:.*_)?(?:id|code|name|version)2?|text|value|given|data|said|each2?|root|shop", re.ASCII
)
APPROACH_TITLES: Mapping[str, Lazy] = {
    "introduction": lazy("Introduction"),
    "generic_offer": lazy("Generic offer"),
    "education": lazy("Education"),
    "history": lazy("History"),
    "loyalty": lazy("Loyalty"),
    "complements": lazy("Complements"),
}
# What the app's own words for it are not a merchant's.
_NAMES: Mapping[str, Lazy] = {
    "cold": lazy("Cold"),
    "warm": lazy("Warm"),
    "days_since_last_order": lazy("Days since the last order"),
    **APPROACH_TITLES,
}
_NAMED_BY = frozenset({"measure", "approach", "setting"})
_SIDES = frozenset({"cold", "warm"})


def told(text: str) -> str:
    """Return a sentence of another domain's, found by its format; one of no format stands as it is.

    Formats are of `scripts.phrases` and `app.admin.borrowed`. A value that is such a text itself, or a list
    of them, is said in the language too, unless it stands in quotation marks: then somebody wrote it.
    """
    if (whole := _told(text)) is not None:
        return whole
    parts = text.split(", ")
    known = [said for part in parts if (said := _told(part)) is not None]
    return ", ".join(known) if len(known) == len(parts) else text


def _told(text: str) -> str | None:
    found = _formats().find(text)
    if found is None:
        return None
    form, values = found
    said = {
        name: value if name in form.quoted else _value_words(name, value) for name, value in values.items()
    }
    if (amount := _amount(values)) is not None:
        return _AMOUNT.sub("%(amount)s", translated(form.text)) % {**said, "amount": amount}
    return translated(form.text) % said


def _amount(values: Mapping[str, str]) -> str | None:
    """Return the amount that a sentence speaks of with its currency, None where there is none."""
    amount, currency = values.get("amount", ""), values.get("currency", "")
    if not _CURRENCY.fullmatch(currency) or not _NUMBER.fullmatch(amount) or amount.endswith("%"):
        return None
    return price(Decimal(amount), currency)


def _value_words(name: str, value: str) -> str:
    if name in _NAMED_BY or value in _SIDES:
        known = _NAMES.get(value) or _labels().get(value)
        return told(str(known)) if known else told(value)
    if priced := _PRICE.fullmatch(value):
        return price(Decimal(priced[1]), priced[2])
    found = _NUMBER.fullmatch(value)
    if found is None or _CALLED.fullmatch(name):
        return told(value)
    digits = len(value.rstrip("%").partition(".")[2])
    if found[1]:
        return percent(float(value[:-1]) / 100, digits)
    return number(Decimal(value), digits)


@cache
def _labels() -> Mapping[str, str]:
    """Return what limits are called, by their settings."""
    return {each.setting: each.label for each in KEPT}


@cache
def _formats() -> Formats:
    """Return what other domains tell: the same in every catalogue."""
    language = next(each for each in LANGUAGES if each != SOURCE)
    return Formats(
        str(message.id)
        for message in read_catalogue(language)
        if any(place.startswith(_OTHERS) for place, _line in message.locations)
    )
