"""What is said when something behind the dashboard is away or too slow: which, and that it may pass."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from redis.exceptions import RedisError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from app.admin.language import Lazy, _, lazy
from app.config import Settings
from app.errors import ShopifyError, TokenRevoked
from app.events import consume
from app.failures import reason_of

OUTAGES = (*consume.OUTAGES, NoConnectionFree)
_REDIS, _DATABASE, _SHOPIFY = "Redis", "database", "Shopify"
# Whose code waits for whom.
_WAITS: Mapping[str, str] = {
    "redis": _REDIS,
    "sqlalchemy": _DATABASE,
    "asyncpg": _DATABASE,
    "aiosqlite": _DATABASE,
    "httpx": _SHOPIFY,
    "httpcore": _SHOPIFY,
}
_AWAY: Mapping[str, Lazy] = {
    _REDIS: lazy(
        "Tillwise can't reach its Redis just now. Your checkout is not affected. Try again in a moment."
    ),
    _DATABASE: lazy(
        "Tillwise can't reach its database just now. Your checkout is not affected. Try again in a moment."
    ),
}
_SLOW: Mapping[str, Lazy] = {
    _REDIS: lazy(
        "Tillwise's Redis is too slow just now. Your checkout is not affected. Try again in a moment."
    ),
    _DATABASE: lazy(
        "Tillwise's database is too slow just now. Your checkout is not affected. Try again in a moment."
    ),
    _SHOPIFY: lazy("Shopify is too slow just now. Your checkout is not affected. Try again in a moment."),
}
_log = logging.getLogger(__name__)


class TooSlow(TimeoutError):
    """Patience ended. store: whose answer was waited for, empty for none's."""

    def __init__(self, store: str) -> None:
        super().__init__(f"waited too long for {store or 'the work itself'}")
        self.store = store


@asynccontextmanager
async def patience(settings: Settings) -> AsyncIterator[None]:
    """Yield for as long as a merchant is let wait. Raises TooSlow after that."""
    limit = asyncio.timeout(settings.patience_s)
    try:
        async with limit:
            yield
    except Exception as error:
        if limit.expired():  # a store that is cut short may say so in an error of its own
            raise TooSlow(_waited_for(error)) from error
        raise


def outage_words(error: BaseException, shop: str = "") -> str:
    """Return what a merchant is told of the outage, and leave a line for the operator."""
    where = {"shop": shop, "reason": type(error).__name__}
    if isinstance(error, TooSlow):
        _log.error("the dashboard %s", error, extra=where)
        slow = _SLOW.get(error.store)
        return str(slow) if slow else _("This took too long and was given up. Try again in a moment.")
    missing = _REDIS if isinstance(error, RedisError) else _DATABASE
    _log.error("the dashboard is without its %s", missing, extra=where)
    return str(_AWAY[missing])


def _waited_for(error: BaseException) -> str:
    """Return the store whose code was at work when the error, or what led to it, came; empty for none's."""
    frames = [*traceback.walk_tb(error.__traceback__)]
    led_to = error.__cause__ or error.__context__  # a timeout of Python 3.11.2 names no cause
    if led_to is not None:
        frames += traceback.walk_tb(led_to.__traceback__)
    roots = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _line in frames]
    found = [_WAITS[root] for root in roots if root in _WAITS]
    return found[-1] if found else ""


def shopify_words(error: ShopifyError, shop: str) -> str:
    """Return what a merchant is told when Shopify does not do its part, and leave a line for the operator."""
    _log.warning("Shopify did not answer the dashboard", extra={"shop": shop, "reason": reason_of(error)})
    if isinstance(error, TokenRevoked):
        return _("Tillwise has no access to your shop any more. Open the app again from Shopify's Apps menu.")
    return _("Shopify can't be reached just now, or refuses what Tillwise asks of it. Try again in a moment.")
