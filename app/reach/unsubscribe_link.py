"""The link by which somebody takes themself off: it names a shop and an address by its keyed hash. Pure."""

from __future__ import annotations

import hmac
import re
from hashlib import blake2b

SECRET = "unsubscribe"  # noqa: S105  (the name of one)
PATH = "/reach/unsubscribe"
_FORM = re.compile(
    r"(?P<shop>[a-z0-9][a-z0-9-]{0,59})\.(?P<digest>[0-9a-f]{32})\.(?P<mac>[0-9a-f]{32})", re.ASCII
)
_SUFFIX = ".myshopify.com"


def token_of(secret: bytes, shop: str, email_digest: str) -> str:
    """Return what the link carries; only who has the secret can make one."""
    return f"{shop.removesuffix(_SUFFIX)}.{email_digest}.{_mac(secret, shop, email_digest)}"


def read_token(secret: bytes, token: str) -> tuple[str, str] | None:
    """Return the shop and the address's digest, None for a token that is none of ours."""
    form = _FORM.fullmatch(token)
    if form is None:
        return None
    shop, digest = shop_named(token), form["digest"]
    return (shop, digest) if hmac.compare_digest(_mac(secret, shop, digest), form["mac"]) else None


def shop_named(token: str) -> str:
    """Return whose letter the link was in, as a token of that form says."""
    return token.partition(".")[0] + _SUFFIX


def has_form(token: str) -> bool:
    """Return whether the token may be one of ours, as far as its form tells."""
    return _FORM.fullmatch(token) is not None


def _mac(secret: bytes, shop: str, digest: str) -> str:
    return blake2b(f"{shop}\0{digest}".encode(), digest_size=16, key=secret).hexdigest()
