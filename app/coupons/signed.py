"""Grants of a discount without a code, signed so that the shop's discount Function knows them for ours. Pure.

A grant is what a cart carries instead of a code: `1.{terms}.{until}.{whose}.{number}.{seal}`. The Function
has no clock but the shop's hour, no memory and no network, so a grant says all it needs, and the seal is
HMAC-SHA256 of all before it, under a key that only the terms' own metafield holds beside this server.
extensions/offer-discount/assembly/grant.ts reads what is written here.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone, tzinfo

ATTRIBUTE = "_tillwise_grant"  # of a cart, and of the order it becomes
VERSION = "1"
STEP_HOURS = 2  # as near as the Function can tell the time
MOST_PRODUCTS = 3
NUMBER_DIGITS = 12
MOST_DIGITS = 32

# Where the day ends last: what is over there is over in every shop.
_LAST_ZONE = timezone(timedelta(hours=-12))
_DIGITS = set("0123456789abcdef")


def grant_key(secret: bytes, shop: str, terms_id: str, epoch: int = 0) -> bytes:
    """Return the key of a shop's terms. epoch: another one ends every grant that was signed before."""
    return hmac.digest(secret, f"{shop} {terms_id} {epoch}".encode(), "sha256")


def number_key(secret: bytes, shop: str, campaign_id: str) -> bytes:
    """Return the key that the numbers of the campaign's grants are made with, whatever its terms."""
    return hmac.digest(secret, f"{shop} {campaign_id} numbers".encode(), "sha256")


def sign_grant(key: bytes, terms_id: str, until: str, whose: str, number: str) -> str:
    """Return the grant."""
    said = ".".join((VERSION, terms_id, until, whose, number))
    return f"{said}.{hmac.digest(key, said.encode(), 'sha256').hex()}"


def last_step(end: datetime, zone: tzinfo) -> str:
    """Return the shop's date at the end and how many even hours have begun by then: `2026112507`.

    A grant holds until those two hours are over.
    """
    local = end.astimezone(zone)
    return f"{local:%Y%m%d}{local.hour // STEP_HOURS:02d}"


def whose_cart(customer_id: int | None, product_ids: Sequence[int]) -> str | None:
    """Return whose the grant is: the customer's who is logged in, else of a cart with these products.

    None for a guest with nothing in the cart: a grant of everybody's would be nobody's.
    """
    if customer_id is not None:
        return f"c{customer_id}"
    return "p" + "-".join(map(str, product_ids[:MOST_PRODUCTS])) if product_ids else None


def grant_number(key: bytes, unit: str) -> str:
    """Return the number that all grants of a campaign to one shopper have: once used, they all are.

    key: see `number_key`. Nobody without it knows another shopper's number, or whose a number is.
    """
    return hmac.digest(key, unit.encode(), "sha256")[: NUMBER_DIGITS // 2].hex()


def number_in(grant: object, at: datetime | None = None) -> tuple[str, str] | None:
    """Return the terms and the number that a cart's attribute names, None for what is no grant.

    at: None, too, for one that is over by then in whatever zone the shop is.
    """
    parts = _parts(grant)
    if parts is None or (at is not None and "" < parts[2] < last_step(at, _LAST_ZONE)):
        return None
    return parts[1], parts[4]


def unusable(grant: object) -> str | None:
    """Return what names the grant's number and its end, and can take nothing off: nobody's, no seal."""
    parts = _parts(grant)
    return ".".join((VERSION, parts[1], parts[2], "", parts[4], "")) if parts else None


def _parts(grant: object) -> list[str] | None:
    """Return what the grant says, its end empty where that is no time; None for what is no grant."""
    parts = grant.split(".") if isinstance(grant, str) else []
    if len(parts) != 6 or parts[0] != VERSION or not _is_number(parts[4]) or not _is_name(parts[1]):
        return None
    is_time = len(parts[2]) == 10 and parts[2].isascii() and parts[2].isdecimal()
    return parts if is_time else [*parts[:2], "", *parts[3:]]


def _is_number(part: str) -> bool:
    return len(part) == NUMBER_DIGITS and _is_name(part)


def _is_name(part: str) -> bool:
    return 0 < len(part) <= MOST_DIGITS and set(part) <= _DIGITS
