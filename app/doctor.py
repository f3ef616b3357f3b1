"""`tillwise doctor`: each thing that can be set up wrongly, looked at by name."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.config import Settings, read_settings
from app.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str


async def examine() -> list[Finding]:
    """Return what was found, the settings first; without them nothing else can be looked at."""
    try:
        settings = read_settings()
    except ConfigError as error:
        return [Finding("settings", False, str(error))]
    findings = [Finding("settings", True, "complete"), _address(settings), _data_dir(settings)]
    for name, look in {"database": _database, "redis": _redis}.items():
        findings.append(await _looked(name, look, settings))
    return findings


def _address(settings: Settings) -> Finding:
    url = urlsplit(settings.app_url)
    fine = url.scheme == "https" or settings.dev_store_url is not None
    says = settings.app_url if fine else f"{settings.app_url}: Shopify only calls https addresses"
    return Finding("address", fine, says)


def _data_dir(settings: Settings) -> Finding:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    fine = os.access(settings.data_dir, os.W_OK)
    says = "writable" if fine else "models can't be published: it is not writable"
    return Finding("data directory", fine, f"{settings.data_dir}: {says}")


async def _looked(name: str, look: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    try:
        return Finding(name, True, await look(settings))
    except Exception as error:  # whatever it says is the finding
        return Finding(name, False, f"{type(error).__name__}: {str(error).splitlines()[0]}")


async def _database(settings: Settings) -> str:
    engine = create_async_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    finally:
        await engine.dispose()
    return f"{engine.url.get_backend_name()} answers"


async def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return "not set: `tillwise serve` starts the embedded one"
    async with Redis.from_url(settings.redis_url, socket_timeout=2) as redis:
        await redis.ping()
    return "answers"
