"""What the page of other systems shows: what leaves for Shopify and for a webhook, and who may ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from app.admin.language import _
from app.admin.privacy_view import minute
from app.admin.segments import TABS
from app.admin.sentences import told
from app.admin.view import first_upper
from app.connections import Connections
from app.outbound.api_keys import ApiKey, keys_of
from app.outbound.deliveries import Parked, count_waiting, parked_deliveries
from app.outbound.recent_messages import Sent, recent_messages
from app.outbound.settings import SCOPE, may_write, webhook_of
from app.outbound.write_back import status
from app.shops.store import Shop

PATH = "/admin/segments/elsewhere"
MOST_PARKED = 20


async def elsewhere(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return the switches of what leaves, how far it is, and the keys of the API."""
    marked, webhook = await status(connections, shop), webhook_of(shop.settings)
    parked = await parked_deliveries(connections, shop.shop)
    return {
        "told": marked,
        "granted": may_write(shop.scopes),
        "scope": SCOPE,
        "webhook": webhook,
        "since": minute(webhook.since) if webhook else "",
        "waiting": await count_waiting(connections, shop.shop) if webhook else 0,
        "parked": [_given_up(each) for each in parked[:MOST_PARKED]],
        "more_parked": max(0, len(parked) - MOST_PARKED),
        "lately": [_sent(each) for each in await recent_messages(connections, shop.shop)],
        "keys": [_key(each) for each in await keys_of(connections, shop.shop)],
        "api": f"{connections.settings.app_url}/api/v1/segments",
        "tabs": TABS,
        "here": PATH,
    }


def _given_up(each: Parked) -> dict[str, Any]:
    return {
        "event_id": each.event_id,
        "at": minute(each.made_at),
        "attempts": each.attempts,
        "why": told(each.error),
    }


def _sent(each: Sent) -> dict[str, Any]:
    return {
        "event_id": each.event_id,
        "at": minute(datetime.fromtimestamp(each.sent_at, UTC)),
        "what": _("Test") if each.test else _("Change of a segment"),
        "attempt": each.attempt,
        "taken": each.error is None,
        "says": _("Taken") if each.error is None else first_upper(told(each.error)),
    }


def _key(each: ApiKey) -> dict[str, Any]:
    revoked = _("Revoked on %(time)s", time=minute(each.revoked_at)) if each.revoked_at else ""
    return {"key_id": each.key_id, "label": each.label, "made": minute(each.made_at), "revoked": revoked}
