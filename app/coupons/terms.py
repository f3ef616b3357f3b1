"""What a campaign's codes take off, and how Shopify is told. Pure.

Shopify closes a discount by itself at its end. Ours end soon and are renewed while their campaign runs, so
that what an uninstalled app left behind lapses: after an uninstall Shopify lets it delete nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from secrets import choice
from typing import Any, Literal

import msgspec

from app.values import decimal_amount, gid

LASTS = timedelta(days=7)
OUTLIVES = timedelta(hours=1)
# Who had a code or a grant of a campaign gets no second one this long after it ended.
REMEMBERED_S = 30 * 86_400
# And who used a code none for so long: to Shopify all codes of a campaign are one discount, which it gives a
# customer once.
USED_REMEMBERED_S = 365 * 86_400
# No letter or digit that is taken for another, and no vowels: nothing spells a word.
_LETTERS = "BCDFGHJKMNPQRTVWXY346789"
_LONG = 10

Class = Literal["order", "product", "shipping"]


class CouponTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What each code of a campaign does, once, for who holds it. Money is minor units of the shop's own.

    percentage: in (0, 100], or amount_minor; neither for free shipping. product_ids: what it is for where it
    is for products. minimum_minor: the subtotal it asks for. combines_with: classes it may stand beside.
    """

    title: str
    applies_to: Class = "order"
    percentage: float | None = None
    amount_minor: int | None = None
    product_ids: tuple[int, ...] = ()
    minimum_minor: int | None = None
    combines_with: tuple[Class, ...] = ()


def off_by(applies_to: str | None) -> str:
    """Return what an order says became cheaper by a discount for that."""
    return "shipping_line" if applies_to == "shipping" else "line_item"


def pool_id(campaign_id: str, terms: CouponTerms) -> str:
    """Return the name of the campaign's pool under these terms: other terms need other codes."""
    digest = blake2b(msgspec.json.encode(terms), digest_size=4).hexdigest()
    return f"{campaign_id}.{digest}"


def new_codes(prefix: str, count: int) -> list[str]:
    """Return so many codes, no two alike and none to be guessed: 24^10 follow each prefix."""
    made: set[str] = set()
    while len(made) < count:
        made.add(prefix + "".join(choice(_LETTERS) for _ in range(_LONG)))
    return sorted(made)


def lapses_at(now: datetime, ends_at: datetime | None) -> datetime:
    """Return when the discount is to end unless it is renewed: a while after its campaign does.

    Who holds a code then keeps it, and the discount is renewed for them only once somebody looks.
    """
    return now + LASTS if ends_at is None else min(now + LASTS, ends_at + OUTLIVES)


def discount_input(
    terms: CouponTerms, currency: str, code: str, now: datetime, end: datetime
) -> dict[str, Any]:
    """Return the discount as `discountCodeBasicCreate` or `discountCodeFreeShippingCreate` takes it."""
    given: dict[str, Any] = {
        "title": terms.title,
        "code": code,
        "startsAt": now.isoformat(),
        "endsAt": end.isoformat(),
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"all": "ALL"},
        "combinesWith": {
            f"{each}Discounts": each in terms.combines_with for each in ("order", "product", "shipping")
        },
    }
    if terms.minimum_minor:
        amount = decimal_amount(terms.minimum_minor, currency)
        given["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": amount}}
    if terms.applies_to == "shipping":
        return given | {"destination": {"all": True}}
    return given | {"customerGets": {"value": _value(terms, currency), "items": _items(terms.product_ids)}}


def _value(terms: CouponTerms, currency: str) -> dict[str, Any]:
    if terms.percentage is not None:
        return {"percentage": terms.percentage / 100}
    amount = decimal_amount(terms.amount_minor or 0, currency)
    return {"discountAmount": {"amount": amount, "appliesOnEachItem": False}}


def _items(product_ids: Sequence[int]) -> dict[str, Any]:
    if not product_ids:
        return {"all": True}
    return {"products": {"productsToAdd": [gid("Product", each) for each in product_ids]}}
