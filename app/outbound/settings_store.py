"""Switches of a shop that send something out, or stop it."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime

from redis.exceptions import RedisError

from app.connections import Connections, redis_key
from app.jobs import request_job
from app.outbound.addresses import check_url
from app.outbound.mark_store import mark_all_due
from app.outbound.settings import WEBHOOK, WRITE_BACK, WriteBack
from app.shops.settings import change_setting
from app.shops.vault import seal
from app.values import ShopDomain

_log = logging.getLogger(__name__)


async def switch_write_back(connections: Connections, shop: ShopDomain, wants: WriteBack) -> None:
    """Switch what the shop's customers carry from now on; what is switched off is removed from them.

    Both off is the clean-up to make before the app is uninstalled. Raises NotFound.
    """
    await change_setting(
        connections, shop, WRITE_BACK, lambda _kept: {"tags": wants.tags, "metafields": wants.metafields}
    )
    await mark_all_due(connections, shop)
    try:
        await connections.redis.delete(redis_key(shop, "resting", "write_back"))
        await request_job(connections, "write_back", shop)
    except (RedisError, OSError) as error:  # the schedule comes by all the same
        _log.warning("writing back not asked for", extra={"shop": shop, "reason": type(error).__name__})


async def set_webhook(connections: Connections, shop: ShopDomain, url: str) -> str:
    """Send moves to this address from now on; return the secret that signs them, which is shown once.

    Raises InputError for an address that can't be one, NotFound.
    """
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    sealed = seal(connections.settings.token_encryption_keys, secret).decode()
    value = {"url": check_url(url), "secret": sealed, "since": datetime.now(UTC).isoformat()}
    await change_setting(connections, shop, WEBHOOK, lambda _kept: value)
    return secret


async def remove_webhook(connections: Connections, shop: ShopDomain) -> None:
    """Stop sending moves; queued messages are dropped. Raises NotFound."""
    await change_setting(connections, shop, WEBHOOK, lambda _kept: None)
