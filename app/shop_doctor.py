"""`tillwise doctor --shop`: what of one shop is missing or wrong, with what mends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select

from app.clocks import compare
from app.config import API_VERSION
from app.connections import Connections
from app.events.log import EventLog
from app.findings import Fault, Finding, looked
from app.recommend.publish import current_version, latest
from app.shopify import read_clock
from app.shops.documents import READ_VERSIONS
from app.shops.store import Shop, get_shop
from app.shops.tokens import ask_shop, has_token
from app.tables import BackfillRow, InboxRow, OrderRow, ShopRow
from app.undelivered import LATEST, is_owed
from app.upsert import table_of
from app.values import ShopDomain
from webhooks.inbox import parked

_BACKFILLS, _INBOX = table_of(BackfillRow), table_of(InboxRow)
_ORDERS, _SHOPS = table_of(OrderRow), table_of(ShopRow)


async def examine_shop(connections: Connections, domain: ShopDomain) -> list[Finding]:
    """Return what was found of one shop; without its install nothing else can be looked at."""
    shop = await get_shop(connections, domain)
    if shop is None or shop.uninstalled_at is not None:
        says = "never installed" if shop is None else f"uninstalled on {shop.uninstalled_at:%Y-%m-%d}"
        return [Finding("install", False, f"{says}: open the app in the shop's admin")]
    findings = [Finding("install", True, f"installed on {shop.installed_at:%Y-%m-%d}")]
    for name, look in _OF_A_SHOP.items():
        findings.append(await looked(name, look(connections, shop)))
    return findings


async def _token(connections: Connections, shop: Shop) -> str:
    if not await has_token(connections, shop.shop):
        raise Fault("none that is good for the app's scopes: open the app in the shop's admin")
    return "good, or can be renewed"


async def _api_version(connections: Connections, shop: Shop) -> str:
    """Say whether Shopify speaks the version of its API that is asked for, in answers and deliveries."""
    versions = (await ask_shop(connections, shop.shop, READ_VERSIONS))["publicApiVersions"]
    spoken = sorted(each["handle"] for each in versions if each["supported"])
    if API_VERSION not in spoken:
        raise Fault(f"Shopify has {API_VERSION} no more and answers in {spoken[0]}: upgrade Tillwise")
    last = await _last_delivery(connections, shop)
    if last and last.api_version not in ("", API_VERSION):
        raise Fault(f"it delivers in {last.api_version}, not {API_VERSION}: `npx shopify app deploy`")
    return API_VERSION


async def _clock(connections: Connections, shop: Shop) -> str:
    """Say whether this machine's clock agrees with Shopify's: it refuses, and we, what is minutes old."""
    await compare("Shopify", partial(read_clock, connections.http, shop.shop))
    return "agrees with Shopify"


async def _deliveries(connections: Connections, shop: Shop) -> str:
    """Say when Shopify last told something, and whether it told nothing of an order that there is."""
    now = datetime.now(UTC)
    of_orders = select(func.max(_ORDERS.c.created_at)).where(_ORDERS.c.shop == shop.shop)
    ordered = await connections.scalar(of_orders.where(_ORDERS.c.created_at < now - LATEST))
    last = await _last_delivery(connections, shop)
    if is_owed(shop.installed_at, ordered, last and last.received_at, now):
        raise Fault(
            f"none came since the order of {ordered:%Y-%m-%d %H:%M} UTC: `npx shopify app deploy`, with the "
            "app's address in shopify.app.toml"
        )
    return f"the last came on {last.received_at:%Y-%m-%d at %H:%M} UTC" if last else "none lately"


async def _last_delivery(connections: Connections, shop: Shop) -> Any:
    """Return when the shop's last delivery came, and in which version; None where none is kept."""
    found = select(_INBOX.c.received_at, _INBOX.c.api_version).where(_INBOX.c.shop == shop.shop)
    return await connections.row(found.order_by(_INBOX.c.id.desc()).limit(1))


async def _pixel(connections: Connections, shop: Shop) -> str:
    found = select(_SHOPS.c.web_pixel_id).where(_SHOPS.c.shop == shop.shop)
    if await connections.scalar(found) is None:
        raise Fault("not connected, so visits are not seen: open the app in the shop's admin")
    return "connected"


async def _imported(connections: Connections, shop: Shop) -> str:
    rows = select(_BACKFILLS.c.kind, _BACKFILLS.c.status, _BACKFILLS.c.loaded, _BACKFILLS.c.error)
    found = await connections.rows(rows.where(_BACKFILLS.c.shop == shop.shop))
    says = ", ".join(f"{row.loaded} {row.kind} {row.status} {row.error}".rstrip() for row in found)
    if not found or any(row.status != "done" for row in found):
        raise Fault(f"{says or 'nothing yet'}: `tillwise backfill --shop {shop.shop}` goes on with it")
    return says


async def _model(connections: Connections, shop: Shop) -> str:
    model = latest(connections.settings.data_dir, shop.shop)
    if model is None:
        return "none yet: the shop's defaults are offered until its orders teach one"
    return f"{current_version(connections.settings.data_dir, shop.shop)} is whole"


async def _parked(connections: Connections, shop: Shop) -> str:
    webhooks = len(await parked(connections, shop.shop))
    dead = await EventLog(connections.redis).count_dead(shop.shop)
    if webhooks or dead:
        raise Fault(f"{webhooks} webhooks and {dead} events: see `tillwise parked --shop {shop.shop}`")
    return "none"


_OF_A_SHOP: dict[str, Callable[[Connections, Shop], Awaitable[str]]] = {
    "token": _token,
    "API version": _api_version,
    "clock": _clock,
    "deliveries": _deliveries,
    "web pixel": _pixel,
    "import": _imported,
    "model": _model,
    "put aside": _parked,
}
