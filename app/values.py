"""Small values the whole app speaks: shop domains, Shopify ids, money, times. Pure.

An error names the field and what kind of value it held, never the value: it may be somebody's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import isfinite
from typing import NewType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.errors import InputError
from app.wording import wording

ShopDomain = NewType("ShopDomain", str)

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com", re.ASCII)
_GID = re.compile(r"gid://shopify/(?P<kind>[A-Za-z]+)/(?P<id>[0-9]{1,19})(?:\?.*)?", re.ASCII)
LARGEST = 2**63 - 1  # neither the log nor a database's numbers hold more
# ISO 4217 minor units that differ from two.
_EXPONENTS = dict.fromkeys(
    "BIF CLP DJF GNF JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF ISK".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
_MAX_AMOUNT = Decimal(10) ** 15


def shop_domain(text: str) -> ShopDomain:
    """Return the canonical `name.myshopify.com`. Raises InputError for any other host."""
    host = text.strip().lower().removeprefix("https://").rstrip("/")
    if not _SHOP.fullmatch(host):
        raise InputError(f"not a *.myshopify.com domain: {text[:100]!r}", "shop")
    return ShopDomain(host)


def shopify_id(value: object, field: str = "id") -> int:
    """Return the number of a Shopify id, given as a number, digits or a GID of any kind.

    Raises InputError naming `field` for anything else, or for an id outside 1 … 2^63-1.
    """
    if isinstance(value, bool):
        raise InputError(f"{field} is not a Shopify id but {described(value)}", field)
    if isinstance(value, int):
        number = value
    elif isinstance(value, str) and (match := _GID.fullmatch(value)):
        number = int(match["id"])
    elif isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        number = int(value)
    else:
        raise InputError(f"{field} is not a Shopify id but {described(value)}", field)
    if not 0 < number <= LARGEST:
        raise InputError(f"{field} is out of range", field)
    return number


def described(value: object) -> str:
    """Return what kind of value it is, for a message that is stored and logged."""
    if value is None or isinstance(value, bool):
        return wording("nothing") if value is None else wording("true or false")
    if isinstance(value, (int, float, Decimal)):
        return wording("a number")
    if isinstance(value, str):
        return wording(f"a text of length {len(value)}")
    return wording("a list") if isinstance(value, (list, tuple)) else wording("an object")


def gid(kind: str, number: int) -> str:
    """Return Shopify's global id, `gid://shopify/Product/1`."""
    return f"gid://shopify/{kind}/{number}"


def finite(text: str) -> float:
    """Return the number that JSON writes so. Raises ValueError for one that no float holds.

    For the `float_hook` of decoders: msgspec itself takes 30 to 60 µs for each number near the ends of what a
    float holds, some thirty times as long, and a body holds tens of thousands.
    """
    number = float(text)
    if not isfinite(number):
        raise ValueError("the number is too large")
    return number


def minor_units(amount: str | int | float | Decimal, currency: str, field: str = "amount") -> int:
    """Return a decimal amount in the currency's smallest unit, half away from zero.

    Raises InputError for what is not a finite number below 10^15.
    """
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        raise InputError(f"{field} is not an amount but {described(amount)}", field) from None
    # `abs` would round, which fails for what has more than a million digits.
    if not number.is_finite() or number.copy_abs() >= _MAX_AMOUNT:
        raise InputError(f"{field} is not an amount but {described(amount)}", field)
    scaled = number.scaleb(exponent(currency))
    return int(scaled.quantize(Decimal(1), rounding="ROUND_HALF_UP"))


@lru_cache(maxsize=4_096)
def price_minor(price: str, currency: str) -> int:
    """Return a price as `minor_units`, kept: checkouts ask about the same products again and again."""
    return minor_units(price, currency)


def decimal_amount(amount_minor: int, currency: str) -> str:
    """Return minor units as the decimal string Shopify writes: `1250, USD -> "12.50"`."""
    digits = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-digits):.{digits}f}"


def exponent(currency: str) -> int:
    """Return how many decimals the currency has (ISO 4217); 2 for one we don't know."""
    return _EXPONENTS.get(currency.upper(), 2)


def moment(text: str, field: str = "timestamp") -> datetime:
    """Return an ISO 8601 time as an aware UTC datetime; a time without a zone is read as UTC.

    Raises InputError naming `field`.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise InputError(f"{field} is not an ISO 8601 time but {described(text)}", field) from None
    try:
        return as_utc(parsed)
    except OverflowError:
        raise InputError(f"{field} is out of range", field) from None


def as_utc(time: datetime) -> datetime:
    """Return the same instant in UTC; SQLite gives its times back without a zone."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def zone_of(name: str) -> tzinfo:
    """Return the zone; UTC for none or one that is not known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
