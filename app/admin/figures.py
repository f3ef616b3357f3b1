"""Numbers, money and times as the language of who asks writes them. Pure but for that language."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from app.admin.language import spoken
from app.priced import priced
from app.values import decimal_amount, exponent

NOTHING = "–"
_TO_THE_UNIT = 100  # of a currency: an estimate of so much has no coins
_TENTH_OF_MS = 100  # in µs

_clock: ContextVar[tzinfo] = ContextVar("clock", default=UTC)


def keep_time(zone: tzinfo) -> None:
    """Tell times as they are in the zone, until the request is answered."""
    _clock.set(zone)


def number(value: float | Decimal, digits: int = 0) -> str:
    """Return `1,234`, with so many digits after the point."""
    return format_decimal(value, format=_pattern(digits), locale=spoken())


def signed(value: float, digits: int) -> str:
    """Return `+0.043`, with so many digits after the point."""
    pattern = _pattern(digits)
    return format_decimal(value, format=f"+{pattern};-{pattern}" if value else pattern, locale=spoken())


def short(value: float) -> str:
    """Return `0.05`, with as many digits as it needs."""
    return format_decimal(value, format="#,##0.####", locale=spoken())


def percent(value: float, digits: int = 0, *, signed: bool = False) -> str:
    """Return `12.5%` of 0.125 with one digit; signed: `+12.5%`."""
    pattern = spoken().percent_formats[None].pattern.replace("#,##0", _pattern(digits))
    return format_percent(
        value, format=f"+{pattern};-{pattern}" if signed and value else pattern, locale=spoken()
    )


def percentage(typed: float) -> str:
    """Return `12.5%` of 12.5, with as many digits as were typed, at most two."""
    digits = next((each for each in (0, 1) if abs(round(typed, each) - typed) < 0.005), 2)
    return percent(typed / 100, digits)


def share(part: int, whole: int) -> str:
    """Return `12.5%`, or a dash when there is nothing to be a part of."""
    return percent(part / whole, 1) if whole else NOTHING


def money(amount_minor: int, currency: str) -> str:
    """Return `$1,250.00`; the language says where the currency's sign goes."""
    return price(Decimal(decimal_amount(amount_minor, currency)), currency)


def estimate(amount_minor: float, currency: str) -> str:
    """Return `$1,250` of an amount that is not known to the cent, `$12.50` below a hundred."""
    amount = Decimal(decimal_amount(round(amount_minor), currency))
    return priced(amount, currency, spoken(), whole=abs(amount) >= _TO_THE_UNIT)


def average(amount_minor: float, currency: str) -> str:
    """Return `$12.50`, and `$0.012` of a cent: over many shoppers, the smallest coin would be too coarse."""
    coins = exponent(currency)
    amount = Decimal(amount_minor).scaleb(-coins)
    digits = min(max(coins, 1 - amount.adjusted()), coins + 2)  # two that tell something
    return price(Decimal(f"{amount:.{digits}f}") + 0, currency)  # of what is no more than a zero, no sign


def price(amount: Decimal, currency: str) -> str:
    """Return `$1,250.00` of an amount in the currency's own unit."""
    return priced(amount, currency, spoken())


def milliseconds(microseconds: int | None) -> str:
    """Return `1.4 ms`, `< 0.1 ms` of less than can be written so, or a dash."""
    if microseconds is None:
        return NOTHING
    tenths = max(round(microseconds / 100), 1)
    written = format_unit(tenths / 10, "duration-millisecond", "short", format="#,##0.0", locale=spoken())
    return f"<\N{NO-BREAK SPACE}{written}" if microseconds < _TENTH_OF_MS else str(written)


def listed(names: Iterable[str], style: Literal["standard", "or"] = "standard") -> str:
    """Return `A, B and C`, as the language joins them; `or`: `A, B or C`."""
    return format_list(list(names), style, locale=spoken())


def day(when: date) -> str:
    """Return `Nov 25, 2026`; of a time, the day it is then in the shop."""
    local = when.astimezone(_clock.get()) if isinstance(when, datetime) and when.tzinfo else when
    return format_date(local, "medium", locale=spoken())


def month(when: datetime) -> str:
    """Return `November 2026`, the month that it is then in the shop."""
    return format_skeleton("yMMMM", when.astimezone(_clock.get()), locale=spoken())


def region(code: str) -> str:
    """Return `Germany` of DE, `United States (CA)` of US-CA; a code that nobody knows as it is."""
    country, _mark, part = code.partition("-")
    name = spoken().territories.get(country)
    if name is None:
        return code
    return f"{name} ({part})" if part else str(name)


def language_name(tag: str) -> str:
    """Return `German` of de, `German (Austria)` of de-AT, `German · Switzerland` of de@CH.

    A tag that nobody knows stands as it is.
    """
    locale, _mark, market = tag.partition("@")
    try:
        name = Locale.parse(locale.replace("_", "-"), sep="-").get_display_name(spoken())
    except (ValueError, UnknownLocaleError):
        name = None
    if not name:
        return tag
    return f"{name} · {region(market.upper())}" if market else str(name)


def weekdays() -> list[str]:
    """Return what the days of the week are called, Monday first."""
    names = get_day_names("wide", "stand-alone", locale=spoken())
    return [names[day].capitalize() for day in range(7)]


def hour(of_day: int) -> str:
    """Return `10:00 PM`; of 24, midnight."""
    return _clock_time(time(of_day % 24))


def short_day(when: date) -> str:
    """Return `Nov 25`."""
    return format_skeleton("MMMd", when, locale=spoken())


def moment(when: datetime) -> str:
    """Return `Nov 25, 2026, 5:46 PM` as it is in the shop then, and in `UTC` where its zone is not known."""
    zone = _clock.get()
    local = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(zone)
    pattern = str(get_datetime_format("medium", locale=spoken()))
    written = pattern.replace("{1}", day(local)).replace("{0}", _clock_time(local))
    return f"{written} UTC" if zone is UTC else written


def _clock_time(when: datetime | time) -> str:
    # The narrow space of CLDR is none in many fonts.
    return format_time(when, "short", locale=spoken()).replace("\u202f", "\N{NO-BREAK SPACE}")


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")
