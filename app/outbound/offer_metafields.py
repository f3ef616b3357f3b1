"""Offer metafields: whose each is, under which key, and which differ from those Shopify holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from app.outbound.marks import NAMESPACE
from app.values import gid

Kind = Literal["shop", "product", "customer"]
TYPE = "json"
UNSURE = ""
_RECORDS: Mapping[Kind, str] = {"shop": "Shop", "product": "Product", "customer": "Customer"}
# What the app must be allowed to, to write to whom; nothing for the shop itself.
SCOPES: Mapping[Kind, str | None] = {
    "shop": None,
    "product": "write_products",
    "customer": "write_customers",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a metafield is."""

    kind: Kind
    owner_id: int
    key: str

    @property
    def named(self) -> dict[str, Any]:
        """Return the place as Shopify's metafield mutations name it."""
        return {"ownerId": gid(_RECORDS[self.kind], self.owner_id), "namespace": NAMESPACE, "key": self.key}


@dataclass(frozen=True, slots=True)
class OfferMetafield:
    """A metafield as it should be. value: its JSON, None to delete it."""

    place: Place
    value: str | None

    @property
    def digest(self) -> str:
        """Return a hash that tells this value from others."""
        return blake2b((self.value or "").encode(), digest_size=12).hexdigest()

    @property
    def written(self) -> dict[str, Any]:
        """Return the metafield as `metafieldsSet` takes it."""
        return self.place.named | {"type": TYPE, "value": self.value}


def changed(metafields: Iterable[OfferMetafield], held: Mapping[Place, str]) -> list[OfferMetafield]:
    """Return the metafields that are not as Shopify holds them. held: digests by place."""
    return [
        each
        for each in metafields
        if (each.place in held if each.value is None else held.get(each.place) != each.digest)
    ]
