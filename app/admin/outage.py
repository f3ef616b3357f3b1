"""What is said when something behind the dashboard can't be reached: which, and that it may pass."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

from app.admin.language import _
from app.errors import ShopifyError, TokenRevoked
from app.events.consume import OUTAGES
from app.failures import reason_of

__all__ = ["OUTAGES", "outage_words", "shopify_words"]

_log = logging.getLogger(__name__)


def outage_words(error: BaseException, shop: str = "") -> str:
    """Return what a merchant is told of the outage, and leave a line for the operator."""
    lost_redis = isinstance(error, RedisError)
    missing = "Redis" if lost_redis else "database"
    _log.error(
        "the dashboard is without its %s", missing, extra={"shop": shop, "reason": type(error).__name__}
    )
    if lost_redis:
        return _(
            "Tillwise can't reach its Redis just now. Your checkout is not affected. Try again in a moment."
        )
    return _(
        "Tillwise can't reach its database just now. Your checkout is not affected. Try again in a moment."
    )


def shopify_words(error: ShopifyError, shop: str) -> str:
    """Return what a merchant is told when Shopify does not do its part, and leave a line for the operator."""
    _log.warning("Shopify did not answer the dashboard", extra={"shop": shop, "reason": reason_of(error)})
    if isinstance(error, TokenRevoked):
        return _("Tillwise has no access to your shop any more. Open the app again from Shopify's Apps menu.")
    return _("Shopify can't be reached just now, or refuses what Tillwise asks of it. Try again in a moment.")
