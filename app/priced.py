"""Amounts of money as a language writes them. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency

# As letters, so that what follows a Latin sign stays where it was written among Arabic ones.
_LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"


def priced(amount: Decimal, currency: str, locale: Locale, *, whole: bool = False) -> str:
    """Return `$1,250.00` of an amount in the currency's own unit; one that needs more digits has them.

    whole: `$1,250`, to the nearest unit.
    """
    written = _rounded(amount, currency, locale) if whole else _exact(amount, currency, locale)
    # As CLDR asks for a code, which Babel leaves to its caller: `CHF 5.00`.
    written = re.sub(r"(?<=[A-Za-z])(?=\d)", "\N{NO-BREAK SPACE}", written)
    if locale.text_direction == "rtl":
        return re.sub(r"([A-Z]+[^\w\s])", rf"\1{_LEFT_TO_RIGHT}", written)
    return written


def _exact(amount: Decimal, currency: str, locale: Locale) -> str:
    return format_currency(amount, currency, locale=locale, decimal_quantization=False)


def _rounded(amount: Decimal, currency: str, locale: Locale) -> str:
    pattern = locale.currency_formats["standard"].pattern.replace("0.00", "0")
    return format_currency(amount, currency, pattern, locale=locale, currency_digits=False)
