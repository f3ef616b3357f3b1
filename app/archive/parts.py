"""A snapshot's sources as compressed parts that versions share, and back again. Pure.

Products lie in groups by their number, so that a change of one makes one part anew and leaves the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple
from zlib import compress, decompress

import msgspec

from app.campaigns.campaign import Campaign, Running
from app.catalog.catalog import Catalog, Product
from app.offers.sources import Sources
from app.orders.returns import ReturnRates

_GROUP = 64  # products in a part
_LEVEL = 6


class Manifest(msgspec.Struct, frozen=True, array_like=True):
    """A version's parts, by name, each the hash of its content. products: by group, the first one first."""

    currency: str
    model_version: str | None
    time_zone: str
    products: tuple[bytes, ...]
    rest: bytes
    settings: bytes
    campaigns: bytes

    @property
    def digests(self) -> list[str]:
        """Return the names of its parts."""
        return [each.hex() for each in (*self.products, self.rest, self.settings, self.campaigns)]


class _Rest(msgspec.Struct, frozen=True, array_like=True):
    """What changes about as often as orders come."""

    excluded: tuple[int, ...]
    usual_return: float | None
    returns: dict[int, float]
    weights: dict[str, dict[str, float]]


class Packed(NamedTuple):
    """A version ready to be kept. parts: by their names, those that are not there already."""

    manifest: bytes
    parts: dict[str, bytes]


def pack(sources: Sources, there: Collection[str] = ()) -> Packed:
    """Return the sources in parts. there: names of parts that are kept already."""
    parts: dict[str, bytes] = {}

    def part(content: object) -> bytes:
        raw = msgspec.msgpack.encode(content)
        digest = blake2b(raw, digest_size=16).digest()
        if digest.hex() not in there:
            parts[digest.hex()] = compress(raw, _LEVEL)
        return digest

    returns = sources.returns
    manifest = Manifest(
        currency=sources.catalog.currency,
        model_version=sources.model_version,
        time_zone=sources.time_zone,
        products=tuple(part(group) for group in _groups(sources.catalog)),
        rest=part(
            _Rest(
                tuple(sorted(sources.excluded)),
                returns.usual,
                dict(sorted(returns.by_product.items())),
                {choice: dict(arms) for choice, arms in sources.weights.items()},
            )
        ),
        settings=part(dict(sources.settings)),
        campaigns=part([(each.campaign, each.number) for each in sources.campaigns]),
    )
    return Packed(compress(msgspec.msgpack.encode(manifest), _LEVEL), parts)


def read_manifest(packed: bytes) -> Manifest:
    """Return a version's manifest as it was packed."""
    return msgspec.msgpack.decode(decompress(packed), type=Manifest)


def unpack(manifest: Manifest, parts: Mapping[str, bytes]) -> Sources:
    """Return the sources. parts: by name, as packed. Raises KeyError naming one that is missing."""

    def read(digest: bytes, kind: Any) -> Any:
        return msgspec.msgpack.decode(decompress(parts[digest.hex()]), type=kind)

    products = [each for digest in manifest.products for each in read(digest, list[Product])]
    rest: _Rest = read(manifest.rest, _Rest)
    by_id = {each.product_id: each for each in products}
    return Sources(
        catalog=Catalog(manifest.currency, dict(sorted(by_id.items()))),
        model_version=manifest.model_version,
        excluded=frozenset(rest.excluded),
        settings=read(manifest.settings, dict[str, Any]),
        campaigns=campaigns_in(parts[manifest.campaigns.hex()]),
        time_zone=manifest.time_zone,
        returns=ReturnRates(rest.usual_return, rest.returns),
        weights=rest.weights,
    )


def campaigns_in(part: bytes) -> list[Running]:
    """Return the campaigns of a part."""
    kept = msgspec.msgpack.decode(decompress(part), type=list[tuple[Campaign, int]])
    return [Running(campaign, number) for campaign, number in kept]


def _groups(catalog: Catalog) -> list[list[Product]]:
    """Return the products in groups that a product's number alone decides, while their count stays alike."""
    many = 1 << max(0, (len(catalog.products) // _GROUP).bit_length())
    groups: list[list[Product]] = [[] for _ in range(many)]
    for product_id in sorted(catalog.products):
        groups[_hash_of(product_id) % many].append(catalog.products[product_id])
    return groups


def _hash_of(product_id: int) -> int:
    """Return a number that spreads ids evenly: Shopify's are seldom consecutive, nor random."""
    return int.from_bytes(blake2b(product_id.to_bytes(8, "big"), digest_size=4).digest(), "big")
