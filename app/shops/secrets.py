"""Keys that this installation makes for itself, kept sealed in the database.

They outlive a change of TOKEN_ENCRYPTION_KEYS: opened with any of them, they are sealed anew with the first.
"""

from __future__ import annotations

import base64
import secrets
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections
from app.errors import ConfigError
from app.shops.vault import opens, seal, unseal
from app.tables import SecretRow
from app.upsert import insert_new

_opened: WeakKeyDictionary[AsyncEngine, dict[str, bytes]] = WeakKeyDictionary()


async def installation_secret(connections: Connections, name: str) -> bytes:
    """Return the 32 bytes kept under this name, made when first asked for, the same in every process.

    Raises ConfigError when the key they were sealed with is not among the settings' keys.
    """
    opened = _opened.setdefault(connections.engine, {})
    if name not in opened:
        opened[name] = await _read_or_make(connections, name)
    return opened[name]


async def _read_or_make(connections: Connections, name: str) -> bytes:
    keys = connections.settings.token_encryption_keys
    made = base64.b64encode(secrets.token_bytes(32)).decode()
    async with connections.write() as db:
        await insert_new(db, SecretRow, [{"name": name, "sealed": seal(keys, made)}])
        row = await db.get(SecretRow, name)
        assert row is not None
        if not opens(keys, row.sealed):
            raise ConfigError(
                "TOKEN_ENCRYPTION_KEYS lacks the key that this installation's own are sealed with"
            )
        text = unseal(keys, row.sealed)
        if not opens(keys[:1], row.sealed):
            row.sealed = seal(keys, text)
            db.add(row)
    return base64.b64decode(text)
