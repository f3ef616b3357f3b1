"""The metafields' values: JSON with short names, no longer than a checkout reads. Pure.

docs/offers-ahead.md has the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct, field

VERSION = 1
MOST_BYTES = 16_384
OFFERS, SEGMENT_OFFERS = "offers", "segment_offers"


class AheadWhy(Struct, frozen=True, array_like=True, omit_defaults=True):
    """A reason, and the product it refers to, 0 for none."""

    reason: str
    with_product_id: int = 0


class AheadOffer(Struct, frozen=True, omit_defaults=True):
    """An offer. price: a decimal string in the shop's currency. why: strongest first. variant: of several."""

    product_id: int = field(name="p")
    variant_id: int = field(name="v")
    title: str = field(name="t")
    price: str = field(name="c")
    image: str | None = field(name="i", default=None)
    why: tuple[AheadWhy, ...] = field(name="w", default=())
    variant: str | None = field(name="o", default=None)


class ShopOffers(Struct, frozen=True, omit_defaults=True):
    """What may be offered to anyone, and how the shop's visitors are split: arms with their shares.

    others: salt and ramp of each further experiment, whose visitors wait for the answer.
    """

    version: int = field(name="v")
    currency: str
    salt: str
    arms: tuple[tuple[str, float], ...]
    offers: tuple[AheadOffer, ...] = ()
    others: tuple[tuple[str, float], ...] = ()


class SegmentOffers(Struct, frozen=True):
    """What to offer to customers of each segment."""

    version: int = field(name="v")
    segments: dict[str, tuple[AheadOffer, ...]]


class ProductOffers(Struct, frozen=True):
    """What to offer with a product."""

    version: int = field(name="v")
    offers: tuple[AheadOffer, ...]


class CustomerOffers(Struct, frozen=True, omit_defaults=True):
    """What to offer to a customer; without offers of their own, their segment's."""

    version: int = field(name="v")
    segment: str | None = None
    offers: tuple[AheadOffer, ...] = ()


Ahead = TypeVar("Ahead", ShopOffers, SegmentOffers, ProductOffers, CustomerOffers)
_encoder = msgspec.json.Encoder(order="sorted")


def write_offers(value: ShopOffers | ProductOffers | CustomerOffers) -> str:
    """Return the metafield's value, with as many offers as fit."""
    packed = _encoder.encode(value)
    while len(packed) > MOST_BYTES:
        value = msgspec.structs.replace(value, offers=value.offers[:-1])
        packed = _encoder.encode(value)
    return packed.decode()


def write_segments(of_each: Sequence[tuple[str, tuple[AheadOffer, ...]]]) -> str:
    """Return the metafield's value, with as many segments as fit: the first ones."""
    kept = list(of_each)
    packed = _encoder.encode(SegmentOffers(VERSION, dict(kept)))
    while len(packed) > MOST_BYTES:
        kept.pop()
        packed = _encoder.encode(SegmentOffers(VERSION, dict(kept)))
    return packed.decode()
