"""Parses numbers as people type them in their language: a thousand must never be read as one."""

from __future__ import annotations

import re
import unicodedata

from babel.numbers import format_decimal

from app.admin.language import _, spoken
from app.errors import InputError
from app.values import exponent

# `1,000`, `12.500`, `1 000 000`: thousands to one reader, a fraction to another.
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([.,'’\s][0-9]{3})+([.,][0-9]+)?")
NUMBER, AMOUNT, FINE_AMOUNT = "[0-9]+[.][0-9]{3}", "(?!)", "[0-9]+[.,][0-9]{3}"

_MARKS = str.maketrans({"٫": ".", "٬": ",", "٪": "%"})


def plain(text: str) -> str:
    """Return a number with the digits and marks that programs read: `1,000` of `１,０００` and `١٬٠٠٠`."""
    known = unicodedata.normalize("NFKC", text).translate(_MARKS).strip()
    return "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in known)


def limit(value: float) -> str:
    """Return `0.5` or `1000` as it can be typed: with the language's mark, and none between thousands."""
    return str(format_decimal(value, format="0.####", locale=spoken()))


def check_marks(text: str, place: str, fraction: str = NUMBER) -> None:
    """Return for a number that has one meaning. Raises InputError naming the place.

    fraction: what is no thousands although three digits stand behind a mark: see `fraction_of`.
    """
    text = plain(text)
    if _GROUPED.fullmatch(text) and not re.fullmatch(fraction, text):
        raise InputError(_("Write thousands without a mark between them, such as 1000"), place)


def fraction_of(currency: str) -> str:
    """Return what of an amount is a fraction of three digits: only few currencies have one."""
    return FINE_AMOUNT if exponent(currency) == 3 else AMOUNT
