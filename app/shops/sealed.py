"""Bodies that could not be minimised: kept whole, so that nothing is lost, and readable by no one."""

from __future__ import annotations

import base64

from app.errors import InputError, TokenRevoked
from app.shops.vault import seal, unseal

SEALED = b"sealed:"  # what such a body begins with


def sealed(keys: tuple[str, ...], body: bytes) -> bytes:
    """Return the body encrypted with the first key."""
    return SEALED + seal(keys, base64.b64encode(body).decode())


def opened(keys: tuple[str, ...], body: bytes) -> bytes:
    """Return a stored body, unsealed where it was sealed. Raises InputError when its key is gone."""
    if not body.startswith(SEALED):
        return body
    try:
        return base64.b64decode(unseal(keys, body.removeprefix(SEALED)))
    except TokenRevoked:
        raise InputError("the body was sealed with a key that TOKEN_ENCRYPTION_KEYS no longer has") from None
