"""A campaign's discount without a code, as Shopify and the discount Function take it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from app.coupons.signed import NUMBER_DIGITS
from app.coupons.terms import CouponTerms
from app.values import decimal_amount, gid

HANDLE = "offer-discount"
NAMESPACE = "$app"
METAFIELD = "terms"
# A Function is not told a metafield that is longer.
MOST_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Promise:
    """What a campaign gives without a code. ends_at: None for no end. lasts_s: how long a grant holds."""

    campaign_id: str
    terms: CouponTerms
    ends_at: datetime | None = None
    lasts_s: int = 0

    @property
    def terms_id(self) -> str:
        """Return the name of these terms; the campaign with others has another."""
        packed = msgspec.json.encode([self.campaign_id, self.terms, self.ends_at])
        return blake2b(packed, digest_size=8).hexdigest()


def automatic_input(promise: Promise, metafield: str, now: datetime) -> dict[str, Any]:
    """Return the discount as `discountAutomaticAppCreate` takes it. metafield: its metafield's value."""
    terms = promise.terms
    return {
        "title": terms.title,
        "functionHandle": HANDLE,
        "startsAt": now.isoformat(),
        "endsAt": promise.ends_at.isoformat() if promise.ends_at else None,
        "discountClasses": [terms.applies_to.upper()],
        "combinesWith": {
            f"{each}Discounts": each in terms.combines_with for each in ("order", "product", "shipping")
        },
        "metafields": [{"namespace": NAMESPACE, "key": METAFIELD, "type": "json", "value": metafield}],
    }


def metafield_value(promise: Promise, currency: str, key: bytes, used: Sequence[str] = ()) -> str:
    """Return the metafield's value. key: of the grants that hold; used: the numbers of those that do not."""
    return json.dumps({"terms": _terms(promise, currency, key), "used": "".join(used)})


def room(promise: Promise, currency: str, key: bytes) -> int:
    """Return how many numbers of used grants the metafield can hold."""
    return (MOST_BYTES - len(metafield_value(promise, currency, key).encode())) // NUMBER_DIGITS


def label(terms: CouponTerms, currency: str) -> str:
    """Return the label that shoppers read at the discount: a campaign's name is for its merchant alone."""
    if terms.percentage is not None:
        return f"\N{MINUS SIGN}{terms.percentage:g} %"
    return f"\N{MINUS SIGN}{decimal_amount(terms.amount_minor or 0, currency)} {currency}"


def _terms(promise: Promise, currency: str, key: bytes) -> dict[str, Any]:
    """Return the terms as the Function reads them: amounts and shares are texts of digits."""
    terms = promise.terms
    said: dict[str, Any] = {
        "id": promise.terms_id,
        "key": key.hex(),
        "class": terms.applies_to,
        "title": label(terms, currency),
    }
    if terms.percentage is not None:
        said["percentage"] = f"{terms.percentage:.6f}".rstrip("0").rstrip(".")
    if terms.amount_minor is not None:
        said["amount"] = decimal_amount(terms.amount_minor, currency)
    if terms.minimum_minor is not None:
        said["minimum"] = decimal_amount(terms.minimum_minor, currency)
    if terms.product_ids:
        said["products"] = [gid("Product", each) for each in terms.product_ids]
    return said
