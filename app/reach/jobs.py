"""The worker's minute outside checkout: who left, what came of them, what is written to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.connections import Connections
from app.consent.barred import look_and_write
from app.consent.retention import limits_of
from app.errors import InputError, ShopifyError
from app.events.kinds import CustomerDeleted
from app.jobs import exclusive_job, request_job
from app.outbound.messages import pause_after
from app.reach.alert_store import KeptAlert, claim_mail, clear_alerts, settle_mail
from app.reach.detection import find_abandoned, resolve_abandoned
from app.reach.documents import SHOP_TO_ALERT
from app.reach.letters import Sender, alert_to
from app.reach.message_store import give_up, unplanned
from app.reach.pending_unsubscribes import carry_out_unsubscribes
from app.reach.planning import plan_for
from app.reach.sending import send_due
from app.reach.settings import Reach, reach_of
from app.reach.smtp import Outcome, send
from app.reach.store import clear_old, unname
from app.shops.active import KEPT_S
from app.shops.pausing import is_paused
from app.shops.store import Shop, installed_shop, installed_shops
from app.shops.tokens import ask_shop
from app.shops.turns import shops_to_look_at
from app.values import ShopDomain

KEPT_DAYS = 90
_MOST_TRIES = 8
_AGAIN = timedelta(minutes=1)
_BROKEN_OFF = timedelta(minutes=15)

AlertWords = Callable[[Shop, KeptAlert], tuple[str, str]]  # an e-mail's subject and text


async def request_reach(connections: Connections) -> None:
    """Ask for a look at every shop where something happened in a day, and at the others by turns."""
    for shop in await shops_to_look_at(connections, "reach", lately_s=KEPT_S):
        await request_job(connections, "reach", shop.shop)


async def reach_shop(connections: Connections, shop: ShopDomain, words: AlertWords) -> None:
    """Find who left, write to those who wait for it, and tell the merchant by e-mail of what is open."""
    async with exclusive_job(connections, "reach", shop):
        installed = await installed_shop(connections, shop)
        if installed is None:
            return
        await carry_out_unsubscribes(connections)
        now, reach = datetime.now(UTC), reach_of(installed.settings)
        await reach_out(connections, installed, reach, now)
        await mail_alerts(connections, installed, reach, now, words)


async def reach_out(connections: Connections, shop: Shop, reach: Reach, now: datetime) -> int:
    """Return how many messages left. What came of those who left is looked at first, and last of all sent.

    Of a paused shop none: what waits then leaves after the pause, unless its time is over by then.
    """
    await resolve_abandoned(connections, shop.shop, now)
    found = await find_abandoned(connections, shop.shop, reach.wait, now)
    # Those too of a look that broke off before it planned.
    found = list(dict.fromkeys([*await unplanned(connections, shop.shop, now - _BROKEN_OFF), *found]))
    paused = is_paused(shop.settings)
    if not paused:
        async with look_and_write(connections, shop.shop, "reach"):
            await plan_for(connections, shop, reach, found, now)
    await give_up(connections, shop.shop, now)
    return 0 if paused else await send_due(connections, shop, reach, now)


async def mail_alerts(
    connections: Connections, shop: Shop, reach: Reach, now: datetime, words: AlertWords
) -> int:
    """Return how many alerts were mailed to the shop's own address, which is asked for and not kept."""
    claimed = await claim_mail(connections, shop.shop, now)
    if not claimed:
        return 0
    if connections.settings.smtp is None or not reach.alerts_mail:
        for each in claimed:
            await settle_mail(connections, shop.shop, each.alert_id, "off", now)
        return 0
    sent = 0
    for at, each in enumerate(claimed):
        try:
            outcome = await _mail(connections, shop, each, now, words)
        except BaseException as error:
            # What was on its way when the worker was stopped may have left; those behind it have not.
            for left in claimed[at if isinstance(error, Exception) else at + 1 :]:
                await _settle(connections, shop.shop, left, Outcome("later"), now)
            raise
        await _settle(connections, shop.shop, each, outcome, now)
        sent += outcome.fate == "sent"
    return sent


async def forget_reached(connections: Connections, event: CustomerDeleted) -> None:
    """Name a customer no more who is gone, and write them nothing."""
    await unname(connections, event.shop, event.customer_id)


async def clear_old_reach(connections: Connections) -> None:
    """Delete what is older than it is of use for, or than the shop keeps the events it was found in."""
    now = datetime.now(UTC)
    for shop in await installed_shops(connections):
        days = min(KEPT_DAYS, limits_of(shop.settings).days["events"])
        await clear_old(connections, shop.shop, now - timedelta(days=days))
        await clear_alerts(connections, shop.shop, now - timedelta(days=KEPT_DAYS))


async def _mail(
    connections: Connections, shop: Shop, alert: KeptAlert, now: datetime, words: AlertWords
) -> Outcome:
    smtp = connections.settings.smtp
    assert smtp is not None
    try:
        told = (await ask_shop(connections, shop.shop, SHOP_TO_ALERT)).get("shop") or {}
        address = str(told.get("contactEmail") or "")
        subject, body = words(shop, alert)
        letter = alert_to(address, Sender("Tillwise", smtp.sender), subject, body, alert.alert_id, now)
    except ShopifyError:  # nothing has left
        return Outcome("later")
    except InputError as error:
        return Outcome("refused", str(error))
    return await send(smtp, letter, address)


async def _settle(
    connections: Connections, shop: str, alert: KeptAlert, outcome: Outcome, now: datetime
) -> None:
    if outcome.fate != "later" or alert.mail_attempts >= _MOST_TRIES:
        status = "sent" if outcome.fate == "sent" else "failed"
        await settle_mail(connections, shop, alert.alert_id, status, now)
        return
    due_at = now + max(_AGAIN, pause_after(alert.mail_attempts))
    await settle_mail(connections, shop, alert.alert_id, "waiting", due_at)
