"""The worker writes to who left: asked once more whether it may, written down, sent at most once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial

from app.campaigns.campaign import Campaign
from app.campaigns.plan import LOCALE, Planned
from app.campaigns.store import running_campaigns
from app.catalog.store import load_catalog
from app.connections import Connections
from app.consent.barred import look_and_write
from app.consent.digests import open_digests
from app.consent.standing import Use, may
from app.consent.standings import standings_of
from app.coupons.grants import CodeRequest, GrantedCode, grant
from app.coupons.store import REDEEMED, WITHDRAWN, note_granted, status_of
from app.errors import InputError, ShopifyError
from app.outbound.messages import pause_after
from app.reach.abandonment import CLOCKS_DIFFER
from app.reach.campaign_choice import plan_to_write, weighed_for
from app.reach.detection import who_ordered
from app.reach.flow import tell_flow
from app.reach.letters import Links, Reader, Sender, letter_to, way_back
from app.reach.message_store import (
    DueMessage,
    claim_due,
    note_shown,
    settle_message,
    shown_as,
    times_in_all,
    was_written_to,
)
from app.reach.planning import leaver_of, open_ways
from app.reach.recipient import Customer, fetch_customer
from app.reach.settings import Reach
from app.reach.smtp import Outcome, send
from app.reach.stock import still_available
from app.reach.store import Abandonment, abandonments_of, resolve
from app.reach.suppressions import BOUNCED, suppress, suppression
from app.reach.unsubscribe_link import PATH, SECRET, token_of
from app.reach.words import Facts
from app.shops.pausing import is_paused_now
from app.shops.secrets import installation_secret
from app.shops.store import Shop
from app.ttl_cache import TtlCache
from app.values import minor_units, zone_of

_AT_ONCE = 50
_catalogs = TtlCache(load_catalog, 60.0)  # of one look's letters: of a large shop a reading takes seconds
_AGAIN = timedelta(minutes=5)
_HELD_UP = timedelta(minutes=10)  # what was asked before that may be otherwise


Leaves = Callable[[], Awaitable[Outcome]]


class MessageDropped(Exception):
    """The message is not to be sent; the text says why."""


async def send_due(connections: Connections, shop: Shop, reach: Reach, now: datetime) -> int:
    """Return how many messages left. What can't leave now is put off, as long as it is of use."""
    sent = 0
    try:
        for _ in range(_AT_ONCE):
            if await is_paused_now(connections, shop.shop):
                break
            due = await claim_due(connections, shop.shop, now)
            if due is None:
                break
            sent += await _attempt(connections, shop, reach, due, now)
    finally:
        _catalogs.forget(connections, shop.shop)
    return sent


async def _attempt(
    connections: Connections, shop: Shop, reach: Reach, due: DueMessage, now: datetime
) -> bool:
    later, began = now + max(_AGAIN, pause_after(due.attempts)), datetime.now(UTC)
    settle = partial(settle_message, connections, shop.shop, due, now=now)
    try:
        leave = await _made(connections, shop, reach, due, now)
    except MessageDropped as reason:
        await settle("dropped", str(reason))
        return False
    except InputError as error:
        await settle("failed", str(error))
        return False
    except ShopifyError as error:
        await settle("waiting", _short(error), again_at=later)
        return False
    except BaseException as error:  # also where the worker stops: nothing has left, it may be tried again
        await settle("waiting", type(error).__name__, again_at=later)
        raise
    if datetime.now(UTC) - began > _HELD_UP:  # the machine slept: who left may have ordered since
        await settle("waiting", "held up before it left", again_at=later)
        return False
    outcome = await leave()
    if outcome.fate == "later":
        await settle("waiting", outcome.reason, again_at=later)
        return False
    await settle({"sent": "sent", "bounced": "dropped"}.get(outcome.fate, "failed"), outcome.reason)
    return outcome.fate == "sent"


async def _made(connections: Connections, shop: Shop, reach: Reach, due: DueMessage, now: datetime) -> Leaves:
    """Return what lets the message leave; until that is called nothing has.

    Raises MessageDropped, ShopifyError.
    """
    if due.way not in open_ways(connections, reach):
        raise MessageDropped("this way was switched off")
    abandonment = await _still_left(connections, shop, due, now)
    basket = await still_available(connections, shop, abandonment)
    if basket is None:
        raise MessageDropped("sold out")
    await _may_be_written_to(connections, shop, reach, due, now)
    customer = await _still_wanting(connections, shop, abandonment, due, now)
    digest = await _unsuppressed(connections, shop, customer)
    whole = basket is abandonment
    async with look_and_write(connections, shop.shop, "reach"):
        await _still_left(connections, shop, due, now)  # of who was erased meanwhile nothing is
        campaign, granted = await _code(connections, shop, reach, due, None if whole else basket, now)
    if due.way == "flow":
        return partial(tell_flow, connections, shop, basket, due.customer_id, campaign, granted)
    smtp = connections.settings.smtp
    assert smtp is not None
    assert customer.address is not None
    facts = _facts(customer.shop_name, basket, campaign, granted, zone_of(shop.time_zone))
    letter = letter_to(
        Reader(customer.address, customer.locale, customer.country, str(shop.settings.get(LOCALE) or "en")),
        Sender(customer.shop_name, smtp.sender, customer.reply_to, customer.footer),
        replace(facts, whole=whole),
        await _links(connections, shop, basket, digest, granted),
        reach.words,
        f"{due.abandonment_id}.{due.attempts}",
        now,
    )

    async def leave() -> Outcome:
        outcome = await send(smtp, letter, str(customer.address))
        if outcome.fate == "bounced":
            await suppress(connections, shop.shop, digest, BOUNCED, now)
        return outcome

    return leave


async def _still_wanting(
    connections: Connections, shop: Shop, abandonment: Abandonment, due: DueMessage, now: datetime
) -> Customer:
    """Return the customer as Shopify knows them now.

    Raises MessageDropped for one who ordered or wants no mail.
    """
    customer = await fetch_customer(connections, shop, due.customer_id)
    if customer is None:
        raise MessageDropped("the customer is gone")
    if customer.ordered_at is not None and customer.ordered_at >= abandonment.began_at - CLOCKS_DIFFER:
        await resolve(connections, shop.shop, {due.abandonment_id: "ordered"}, now)
        raise MessageDropped("ordered")
    if not customer.subscribed:
        raise MessageDropped("not subscribed to e-mail")
    return customer


async def _still_left(connections: Connections, shop: Shop, due: DueMessage, now: datetime) -> Abandonment:
    found = await abandonments_of(connections, shop.shop, [due.abandonment_id])
    if not found or found[0].customer_id != due.customer_id:
        raise MessageDropped("what it was about is gone")
    if found[0].resolved_at is not None:
        raise MessageDropped(found[0].resolution)
    if await who_ordered(connections, shop.shop, found):
        await resolve(connections, shop.shop, {due.abandonment_id: "ordered"}, now)
        raise MessageDropped("ordered")
    return found[0]


async def _may_be_written_to(
    connections: Connections, shop: Shop, reach: Reach, due: DueMessage, now: datetime
) -> None:
    since = now - timedelta(seconds=reach.rest_s)
    if await was_written_to(connections, shop.shop, due.customer_id, since, due.abandonment_id):
        raise MessageDropped("written to lately")
    standings = await standings_of(connections, shop.shop, [due.customer_id])
    verdict = may(Use.EMAIL, standings[due.customer_id])
    if not verdict.allowed:
        raise MessageDropped(f"may not be written to: {verdict.reason}")


async def _unsuppressed(connections: Connections, shop: Shop, customer: Customer) -> str:
    """Return the address's digest. Raises MessageDropped for one that is not written to."""
    if not customer.address:
        raise MessageDropped("no address")
    digest = (await open_digests(connections)).of_email(shop.shop, customer.address)
    if why := await suppression(connections, shop.shop, digest, customer.opted_in_at):
        raise MessageDropped(why)
    return digest


async def _code(
    connections: Connections,
    shop: Shop,
    reach: Reach,
    due: DueMessage,
    rest: Abandonment | None,
    now: datetime,
) -> tuple[Campaign | None, GrantedCode | None]:
    """Return the campaign and the shopper's own code, written down as shown before it is.

    rest: what is left of the basket, None where all of it is. Raises MessageDropped where there is none to
    give and nothing else to say.
    """
    planned = await _planned(connections, shop, due, rest, now)
    if planned is not None and planned.pool_id is not None:
        unit, lasts_s = f"customer:{due.customer_id}", planned.campaign.lasts_s or 0
        wanted = CodeRequest(shop.shop, planned.id, planned.pool_id, unit, lasts_s, now)
        granted = await _granted(connections, wanted)
        if granted is not None and granted.expires_at > now:
            await note_shown(connections, shop.shop, due.abandonment_id, planned.id, now)
            codes = {granted.code: granted.expires_at}
            await note_granted(connections, shop.shop, shown_as(due.abandonment_id), codes, now)
            return planned.campaign, granted
    if not reach.remind:
        raise MessageDropped("there is no code to give")
    return None, None


async def _granted(connections: Connections, wanted: CodeRequest) -> GrantedCode | None:
    """Return the shopper's code, None where they used theirs: Shopify lets nobody use a second one."""
    digests = await open_digests(connections)
    (granted,) = await grant(connections.redis, digests, [wanted])
    became = granted and await status_of(connections, wanted.shop, granted.code)
    if granted is not None and became == WITHDRAWN:
        (granted,) = await grant(connections.redis, digests, [replace(wanted, instead_of=granted.code)])
    return None if became == REDEEMED else granted


async def _planned(
    connections: Connections, shop: Shop, due: DueMessage, rest: Abandonment | None, now: datetime
) -> Planned | None:
    """Return the campaign that gives its code, None where it does not, or not for the rest of the basket."""
    running = {each.campaign.id: each for each in await running_campaigns(connections, shop.shop)}
    kept = running.get(due.campaign_id or "")
    if kept is None or not await _within_total(connections, shop, kept.campaign):
        return None
    catalog = await _catalogs.of(connections, shop.shop)
    plan = plan_to_write(shop, [kept], catalog)
    if plan is None:
        return None
    if rest is not None:
        leaver = await leaver_of(connections, shop.shop, due.customer_id, {})
        if not weighed_for(plan, rest, leaver, catalog, (), now).chosen:
            return None
    return plan.planned[0]


async def _within_total(connections: Connections, shop: Shop, campaign: Campaign) -> bool:
    """Return whether one more may have its code, the one being sent counted: others were sent meanwhile."""
    most = campaign.caps.total
    return most is None or (await times_in_all(connections, shop.shop)).get(campaign.id, 0) <= most


def _facts(
    name: str, abandonment: Abandonment, campaign: Campaign | None, granted: GrantedCode | None, zone: tzinfo
) -> Facts:
    """Return what a letter tells. zone: the shop's, in which its times are told."""
    count = sum(quantity for _, quantity in abandonment.lines)
    basket = (name, count, abandonment.subtotal_minor, abandonment.currency)
    discount = campaign.offer.discount if campaign else None
    if granted is None or discount is None:
        return Facts(*basket)
    free_shipping = discount.applies_to == "shipping"
    amount = minor_units(discount.amount, abandonment.currency) if discount.amount else None
    return Facts(
        *basket,
        code=granted.code,
        percentage=None if free_shipping else discount.percentage,
        amount_minor=None if free_shipping else amount,
        expires_at=granted.expires_at.astimezone(zone),
    )


async def _links(
    connections: Connections, shop: Shop, left: Abandonment, digest: str, granted: GrantedCode | None
) -> Links:
    token = token_of(await installation_secret(connections, SECRET), shop.shop, digest)
    back = way_back(shop.shop, left.lines, granted.code if granted else None)
    return Links(back, f"{connections.settings.app_url}{PATH}/{token}")


def _short(error: Exception) -> str:
    return str(error)[:300]
