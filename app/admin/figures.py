"""Numbers, money and times as the language of who asks writes them. Pure but for that language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from babel.dates import format_date, format_skeleton, format_time, get_datetime_format, get_day_names
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent

from app.admin.language import spoken
from app.values import decimal_amount

NOTHING = "–"


def number(value: float, digits: int = 0) -> str:
    """Return `1,234`, with so many digits after the point."""
    return format_decimal(value, format=_pattern(digits), locale=spoken())


def percent(value: float, digits: int = 0, *, signed: bool = False) -> str:
    """Return `12.5%` of 0.125 with one digit; signed: `+12.5%`."""
    pattern = spoken().percent_formats[None].pattern.replace("#,##0", _pattern(digits))
    return format_percent(
        value, format=f"+{pattern};-{pattern}" if signed and value else pattern, locale=spoken()
    )


def share(part: int, whole: int) -> str:
    """Return `12.5%`, or a dash when there is nothing to be a part of."""
    return percent(part / whole, 1) if whole else NOTHING


def money(amount_minor: int, currency: str) -> str:
    """Return `$1,250.00`; the language says where the currency's sign goes."""
    amount = Decimal(decimal_amount(amount_minor, currency))
    # As CLDR asks for a code, which Babel leaves to its caller: `CHF 5.00`.
    return re.sub(
        r"(?<=[A-Za-z])(?=\d)", "\N{NO-BREAK SPACE}", format_currency(amount, currency, locale=spoken())
    )


def milliseconds(microseconds: int | None) -> str:
    """Return `1.4 ms`, or a dash."""
    return NOTHING if microseconds is None else f"{number(microseconds / 1000, 1)} ms"


def listed(names: Iterable[str], style: Literal["standard", "or"] = "standard") -> str:
    """Return `A, B and C`, as the language joins them; `or`: `A, B or C`."""
    return format_list(list(names), style, locale=spoken())


def day(when: date) -> str:
    """Return `Nov 25, 2026`."""
    return format_date(when, "medium", locale=spoken())


def weekdays() -> list[str]:
    """Return what the days of the week are called, Monday first."""
    names = get_day_names("wide", "stand-alone", locale=spoken())
    return [names[day].capitalize() for day in range(7)]


def short_day(when: date) -> str:
    """Return `Nov 25`."""
    return format_skeleton("MMMd", when, locale=spoken())


def moment(when: datetime) -> str:
    """Return `Nov 25, 2026, 17:46 UTC`. when: in UTC."""
    pattern = str(get_datetime_format("medium", locale=spoken()))
    written = pattern.replace("{1}", day(when)).replace("{0}", format_time(when, "short", locale=spoken()))
    return f"{written} UTC"


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")
