"""Keyed hashes: a person can be found again by who knows their id, and not be read from what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from app.connections import Connections
from app.shops.secrets import installation_secret

_LENGTH = 16  # bytes: 128 bits, no two people of a shop share one


@dataclass(frozen=True, slots=True)
class Digests:
    """Hashes with this installation's key. A digest of one shop says nothing about another's."""

    key: bytes

    def of(self, shop: str, kind: str, value: str | int) -> str:
        """Return the digest of a client, checkout, customer or email in a shop, 32 hex digits."""
        message = f"{shop}\0{kind}\0{value}".encode("utf-8", "surrogatepass")
        return blake2b(message, digest_size=_LENGTH, key=self.key).hexdigest()

    def of_email(self, shop: str, address: str) -> str:
        """Return the digest of an e-mail address, however it is capitalised or spaced."""
        return self.of(shop, "email", address.strip().casefold())


async def open_digests(connections: Connections) -> Digests:
    """Return the installation's digests."""
    return Digests(await installation_secret(connections, "digests"))
