"""What a visitor is called: by their browser, their checkout and, when proven, their account. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from app.consent.digests import Digests
from app.consent.policy import Permissions


class Names(msgspec.Struct, frozen=True, gc=False):
    """The names of one visitor. customer_id: proven by Shopify, never taken from a browser's word."""

    customer_id: int | None = None
    client_id: str | None = None
    checkout_token: str | None = None

    def subjects(self, digests: Digests, shop: str) -> dict[str, str]:
        """Return the digest of each name there is, by kind: client, checkout, customer."""
        return {kind: digests.of(shop, kind, name) for kind, name in self}

    def only(self, kinds: set[str]) -> Names:
        """Return the names of these kinds, the others left out."""
        return Names(
            self.customer_id if "customer" in kinds else None,
            self.client_id if "client" in kinds else None,
            self.checkout_token if "checkout" in kinds else None,
        )

    def unit(self, may: Permissions) -> str | None:
        """Return the most lasting name under which something may be kept, None when there is none."""
        if may.may_use_profile and self.customer_id is not None:
            return f"customer:{self.customer_id}"
        if may.may_store_visitor and self.client_id:
            return f"client:{self.client_id}"
        if may.may_store_checkout and self.checkout_token:
            return f"checkout:{self.checkout_token}"
        return None

    def __iter__(self) -> Iterator[tuple[str, str | int]]:
        """Yield each name there is with its kind."""
        if self.client_id:
            yield "client", self.client_id
        if self.checkout_token:
            yield "checkout", self.checkout_token
        if self.customer_id is not None:
            yield "customer", self.customer_id
