"""What Shopify's privacy topics ask for: written down with its deadline first, then done.

Whatever dies half-way is finished by the next delivery of the event, or by the schedule.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.receipts import Signed, read_receipt
from app.consent.requests import Kind, PrivacyRequest, may_wait, unfinished_erasures
from app.errors import ShopifyError, ShopifyUnavailable, TokenRevoked
from app.events.kinds import CustomerDataRequested, CustomerRedactionRequested, ShopRedactionRequested
from app.jobs import alone
from app.privacy.erasure import erase_person
from app.privacy.purge import empty_wal
from app.privacy.shop import disregard, erase_shop, shop_receipt_id
from app.privacy.waiting import keep_waiting
from app.shops.arrival import ARRIVING
from app.shops.store import describe, get_shop
from app.values import ShopDomain

# Shopify asks for a shop's erasure this long after the app was removed.
_ERASED_AFTER = timedelta(hours=48)
_log = logging.getLogger(__name__)


async def note_data_request(connections: Connections, event: CustomerDataRequested) -> None:
    """Write the request down with its deadline, for the merchant to answer from the admin."""
    if await _is_held(connections, event):
        request = await keep_waiting(connections, event)
        facts = {"shop": event.shop, "request": request.request_id, "due_at": request.due_at.isoformat()}
        _log.warning("a customer asked for their data", extra=facts)


async def redact_customer(connections: Connections, event: CustomerRedactionRequested) -> None:
    """Erase the customer: who they are goes, the merchant's sums stay."""
    if await _is_held(connections, event):
        await _begin(connections, await keep_waiting(connections, event))


async def _is_held(
    connections: Connections, event: CustomerDataRequested | CustomerRedactionRequested
) -> bool:
    """Return whether anything is held of the shop; of one that was erased a request would name it again."""
    if await get_shop(connections, event.shop) is not None:
        return True
    _log.warning("a customer asks of a shop of which nothing is held", extra={"shop": event.shop})
    return False


async def redact_shop(connections: Connections, event: ShopRedactionRequested) -> None:
    """Erase all that is held of the shop, unless it has come back since it left."""
    digests = await open_digests(connections)
    if await read_receipt(connections, shop_receipt_id(digests, event.shop, event.event_id)):
        return  # told again
    await _begin(connections, await keep_waiting(connections, event))


async def _begin(connections: Connections, request: PrivacyRequest) -> None:
    """Carry the request out at once; with a broker behind the log it is left to the schedule.

    Until this handler is done the broker still holds the request's own event, so nothing could be complete.
    """
    if connections.settings.event_log_url is None:
        await _attempt(connections, request)


async def finish_erasures(connections: Connections) -> None:
    """Carry out what was asked for and is not done; one that fails holds up no other.

    And empty SQLite's log of what an earlier one could not, or died before.
    """
    for request in await unfinished_erasures(connections):
        try:
            await _attempt(connections, request)
        except Exception:
            facts = {"shop": request.shop, "request": request.request_id}
            _log.exception("an erasure is not finished", extra=facts)
    await empty_wal(connections)


async def _attempt(connections: Connections, request: PrivacyRequest) -> None:
    """Carry the request out. Where the shop can't be asked now it is left to the schedule."""
    try:
        await carry_out(connections, request)
    except ShopifyUnavailable as error:
        facts = {"shop": request.shop, "request": request.request_id, "reason": str(error)}
        _log.warning("an erasure waits for Shopify", extra=facts)


async def carry_out(connections: Connections, request: PrivacyRequest) -> Signed | None:
    """Return the receipt of the erasure, None for a shop that is not erased as it came back.

    One that comes back meanwhile waits at the door. Raises ShopifyUnavailable where only the shop can say
    whether it has the app, and does not now.
    """
    if request.kind is Kind.CUSTOMER:
        return await erase_person(connections, request.shop, request.request_id)
    async with alone(connections, ARRIVING, request.shop):
        if await _has_the_app(connections, request):
            _log.warning("a shop that has the app again is not erased", extra={"shop": request.shop})
            await disregard(connections, request)
            return None
        return await erase_shop(connections, ShopDomain(request.shop), request.request_id)


async def _has_the_app(connections: Connections, request: PrivacyRequest) -> bool:
    """Return whether the shop has the app again, or still.

    Its row may not know: of a leaving that nobody told, or a return within minutes. Then the shop is
    asked, and only a token that it no longer takes says that the app is gone. One that can't be asked
    (frozen, locked, not there) is waited for; if it never can, Shopify's word stands and the law's
    deadline is kept.
    """
    shop = await get_shop(connections, request.shop)
    if shop is None or shop.uninstalled_at is not None:
        return False
    if shop.installed_at > request.received_at - _ERASED_AFTER:
        return True
    try:
        await describe(connections, shop.shop)
    except TokenRevoked:
        return False
    except ShopifyError as error:
        if may_wait(request.received_at, datetime.now(UTC)):
            raise ShopifyUnavailable(str(error)) from error
        facts = {"shop": request.shop, "request": request.request_id, "reason": str(error)}
        _log.warning("a shop that can't be asked is erased, as its deadline is near", extra=facts)
        return False
    return True
