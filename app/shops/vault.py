"""Tokens at rest: sealed with the first key, opened with any of them."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.errors import TokenRevoked


def seal(keys: tuple[str, ...], token: str) -> bytes:
    """Return the token encrypted with the first key."""
    return _vault(keys).encrypt(token.encode())


def unseal(keys: tuple[str, ...], sealed: bytes) -> str:
    """Return the token. Raises TokenRevoked when its key is no longer among the keys."""
    try:
        return _vault(keys).decrypt(sealed).decode()
    except InvalidToken:
        raise TokenRevoked(
            "a stored access token was sealed with a key that TOKEN_ENCRYPTION_KEYS no longer has"
        ) from None


def opens(keys: tuple[str, ...], sealed: bytes) -> bool:
    """Return whether any of the keys opens it."""
    try:
        unseal(keys, sealed)
    except TokenRevoked:
        return False
    return True


@lru_cache(maxsize=4)
def _vault(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
