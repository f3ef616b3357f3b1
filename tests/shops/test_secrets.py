"""Keys that an installation makes for itself, and the keys that open them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from app.connections import Connections, connect
from app.errors import ConfigError
from app.shops.secrets import installation_secret

FIRST, SECOND = (Fernet.generate_key().decode() for _ in range(2))


async def secret_with(connections: Connections, *keys: str) -> bytes:
    """Return the secret as a process with these keys reads it."""
    settings = replace(connections.settings, token_encryption_keys=keys)
    async with connect(settings, connections.redis_url) as started:
        return await installation_secret(started, "receipts")


async def test_a_secret_outlives_the_key_it_was_sealed_with(connections: Connections) -> None:
    made = await secret_with(connections, FIRST)
    assert await secret_with(connections, SECOND, FIRST) == made
    assert await secret_with(connections, SECOND) == made


async def test_keys_of_another_installation_are_named(connections: Connections) -> None:
    await secret_with(connections, FIRST)
    with pytest.raises(ConfigError, match="TOKEN_ENCRYPTION_KEYS lacks the key"):
        await secret_with(connections, SECOND)
