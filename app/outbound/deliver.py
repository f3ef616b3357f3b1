"""The worker's loop that sends moves to shops' webhooks within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from app.connections import Connections
from app.errors import NotFound, TokenRevoked
from app.events.kinds import ConsentTold
from app.loops import rest
from app.outbound.deliveries import (
    Delivery,
    claim,
    clear_parked,
    drop,
    drop_of_customer,
    put_off,
    queue_moves,
    settle,
    shops_due,
    who_may_be_shared,
)
from app.outbound.messages import trial_of
from app.outbound.post import Post, open_post
from app.outbound.recent_messages import Sent, record_sent
from app.outbound.settings import Webhook, webhook_of
from app.outbound.signature import HEADER, signed
from app.shops.store import Shop, installed_shop
from app.shops.vault import unseal
from app.upsert import chunks
from app.wording import wording

EVENT_ID = "Tillwise-Event-Id"
_LOOK_EVERY_S = 1.0
_CLAIMED = 40  # within the lease, however slow the receiver
_AT_ONCE = 8  # to one receiver
_WAIT = timedelta(seconds=5)  # for all of a shop's behind one that was not taken
_MADE_UNDER = {"preferences", "marketing", "sale_of_data"}  # the first is the profile's


async def deliver_messages(connections: Connections, stop: asyncio.Event) -> None:
    """Hand moves on and deliver what is due until stopped. A slow receiver holds up no other."""
    async with open_post() as post, asyncio.TaskGroup() as delivering:
        busy: dict[str, asyncio.Task[None]] = {}
        while not stop.is_set():
            now = datetime.now(UTC)
            await queue_moves(connections, now)
            for shop in await shops_due(connections, now):
                if shop not in busy or busy[shop].done():
                    busy[shop] = delivering.create_task(_keep_delivering(connections, post, shop, stop))
            await rest(stop, _LOOK_EVERY_S)


async def deliver_due(connections: Connections, post: Post, shop: str, now: datetime) -> bool:
    """Send the shop's due messages; return whether there were any and all were accepted."""
    claimed = await claim(connections, shop, now, _CLAIMED)
    return bool(claimed) and await _deliver(connections, post, shop, claimed, now)


async def send_test(connections: Connections, post: Post, shop: Shop) -> Sent:
    """Send a test message and return its outcome. Raises NotFound for a shop without a webhook."""
    webhook, now = webhook_of(shop.settings), datetime.now(UTC)
    if webhook is None:
        raise NotFound(f"{shop.name} has no webhook")
    message = trial_of(shop.shop, now)
    error = await _send(connections, post, webhook, message.event_id, msgspec.json.encode(message))
    sent = Sent(message.event_id, int(now.timestamp()), 1, error, test=True)
    await record_sent(connections, shop.shop, [sent])
    return sent


async def follow_withdrawal(connections: Connections, event: ConsentTold) -> None:
    """Drop a customer's queued messages when they withdraw the consent that the messages rest on."""
    if event.customer_id is not None and _MADE_UNDER & set(event.withdrawn):
        await drop_of_customer(connections, event.shop, event.customer_id)


async def clear_old_messages(connections: Connections) -> None:
    """Delete messages that were given up long ago."""
    await clear_parked(connections, datetime.now(UTC))


async def _keep_delivering(connections: Connections, post: Post, shop: str, stop: asyncio.Event) -> None:
    while not stop.is_set() and await deliver_due(connections, post, shop, datetime.now(UTC)):
        pass


async def _deliver(
    connections: Connections, post: Post, shop: str, deliveries: Sequence[Delivery], now: datetime
) -> bool:
    for at, part in enumerate(chunks(deliveries, _AT_ONCE)):
        webhook, told = await _still_told(connections, shop, part)
        await drop(connections, shop, [each for each in part if each not in told])
        if webhook is None:
            continue
        sending = (_send(connections, post, webhook, each.event_id, each.body) for each in told)
        errors = await asyncio.gather(*sending)
        await settle(connections, shop, zip(told, errors, strict=True), now)
        await record_sent(connections, shop, map(_sent, told, errors))
        if any(errors):
            await put_off(connections, shop, deliveries[(at + 1) * _AT_ONCE :], now + _WAIT)
            return False
    return True


async def _still_told(
    connections: Connections, shop: str, deliveries: Sequence[Delivery]
) -> tuple[Webhook | None, list[Delivery]]:
    """Return the webhook, and the messages that may still be sent: their customers may refuse meanwhile."""
    installed = await installed_shop(connections, shop)
    webhook = webhook_of(installed.settings) if installed else None
    named = {each.customer_id for each in deliveries if each.customer_id is not None}
    allowed = {None, *await who_may_be_shared(connections, shop, named)}
    return webhook, [each for each in deliveries if webhook and each.customer_id in allowed]


async def _send(
    connections: Connections, post: Post, webhook: Webhook, event_id: str, body: bytes
) -> str | None:
    """Return None if it was accepted, else why not. Signed per attempt, as the signature covers the time."""
    try:
        secret = unseal(connections.settings.token_encryption_keys, webhook.sealed)
    except TokenRevoked:
        return wording("the webhook's secret was sealed with a key that is not known any more: set it anew")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Tillwise ({connections.settings.app_url})",
        EVENT_ID: event_id,
        HEADER: signed(secret, body, int(datetime.now(UTC).timestamp())),
    }
    return await post.send(webhook.url, body, headers)


def _sent(delivery: Delivery, error: str | None) -> Sent:
    return Sent(delivery.event_id, int(datetime.now(UTC).timestamp()), delivery.attempts + 1, error)
