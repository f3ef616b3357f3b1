"""The merchants' shops: installed, described, changed, uninstalled."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import and_, col, delete, exists, or_, select, update

from app.connections import Connections
from app.errors import NotFound, ShopifyError, ShopifyRefused
from app.jobs import request_job
from app.shops.changes import announce_change
from app.shops.documents import DESCRIBE_SHOP, LATEST_TAXES
from app.shops.grants import Grant, read_scopes
from app.shops.pixel import connect_pixel
from app.shops.tax import tax_rate_of
from app.shops.tokens import ask_shop, sealed_row
from app.tables import BackfillRow, ShopRow, TokenRow
from app.values import ShopDomain

_KEY = re.compile(r"pk_[A-Za-z0-9_-]{43}", re.ASCII)
_PATIENCE_S = 8.0
_KEY_TTL_S = 30.0
_CLOCKS_DIFFER = timedelta(seconds=2)
_KEYS_REMEMBERED = 10_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant's shop. publishable_key: what its pixel sends with; it proves nothing else.

    time_zone: `Europe/Berlin`, empty while it is not known.
    """

    shop: ShopDomain
    name: str
    currency: str
    publishable_key: str
    scopes: frozenset[str]
    settings: dict[str, Any]
    installed_at: datetime
    uninstalled_at: datetime | None
    time_zone: str = ""


class ShopEvent(Protocol):
    """Something that happened to a shop; events stand above this domain, so only their shape counts."""

    @property
    def shop(self) -> str: ...

    @property
    def happened_at(self) -> datetime: ...


class ScopesEvent(ShopEvent, Protocol):
    """The scopes a shop granted when it happened."""

    @property
    def scopes(self) -> tuple[str, ...]: ...


# Publishable keys seen lately in a database, with when to look again: an uninstall in another process is
# noticed within half a minute.
_known_keys: WeakKeyDictionary[AsyncEngine, dict[str, tuple[float, Shop | None]]] = WeakKeyDictionary()


async def get_shop(connections: Connections, shop: str) -> Shop | None:
    """Return the shop, uninstalled ones too, None for one that was never installed."""
    async with connections.read() as db:
        row = await db.get(ShopRow, shop)
    return shop_of(row) if row else None


async def installed_shop(connections: Connections, shop: str) -> Shop | None:
    """Return the shop, None for one that does not have the app, or not any more."""
    known = await get_shop(connections, shop)
    return known if known is not None and known.uninstalled_at is None else None


async def installed_shops(connections: Connections) -> list[Shop]:
    """Return every shop that has the app, by name of domain."""
    query = select(ShopRow).where(col(ShopRow.uninstalled_at).is_(None)).order_by(ShopRow.shop)
    async with connections.read() as db:
        return [shop_of(row) for row in await db.exec(query)]


async def shop_by_publishable_key(connections: Connections, key: str) -> Shop | None:
    """Return the installed shop whose pixel sends with this key, None for any other key."""
    if not _KEY.fullmatch(key):
        return None
    known = _known_keys.get(connections.engine, {}).get(key)
    if known and time.monotonic() < known[0]:
        return known[1]
    query = select(ShopRow).where(ShopRow.publishable_key == key)
    async with connections.read() as db:
        row = (await db.exec(query)).first()
    found = shop_of(row) if row and row.uninstalled_at is None else None
    _know(connections, key, found)
    return found


async def install(connections: Connections, shop: ShopDomain, grant: Grant) -> Shop:
    """Keep the shop and its token, then do what is left to do; safe to repeat.

    A shop that comes back keeps its publishable key and settings and is imported anew. An import that failed
    may have done so with the token before: it goes on with this one.
    """
    try:
        await _keep(connections, shop, grant)
    except IntegrityError:  # opened twice at the same moment: the other one was first
        await _keep(connections, shop, grant)
    await announce_change(connections.redis, shop)
    failed = select(BackfillRow.kind).where(BackfillRow.shop == shop, BackfillRow.status == "failed")
    async with connections.read() as db:
        stopped = (await db.exec(failed)).first()
    if stopped is not None:
        await request_job(connections, "backfill", shop)
    return await finish_install(connections, shop)


async def finish_install(connections: Connections, shop: ShopDomain) -> Shop:
    """Import, describe and measure the shop as far as that is still to do, and return it.

    What Shopify refuses or can't do now is logged and tried again when the app is next opened.
    Raises NotFound for a shop that was never installed.
    """
    async with connections.read() as db:
        row = await db.get(ShopRow, shop)
        imported = (await db.exec(select(BackfillRow.kind).where(BackfillRow.shop == shop))).first()
    if row is None:
        raise NotFound(f"{shop} is not installed")
    if imported is None:
        await request_job(connections, "backfill", shop)
    if not (row.name and row.time_zone):
        await _attempt(describe(connections, shop), shop)
    if row.web_pixel_id is None:
        await _attempt(_connect_pixel(connections, row), shop)
    async with connections.read() as db:
        return shop_of((await db.exec(select(ShopRow).where(ShopRow.shop == shop))).one())


async def mark_uninstalled(connections: Connections, event: ShopEvent) -> None:
    """Delete the shop's tokens and forget its pixel; its row and history stay.

    Where Shopify gave out a token after the event the shop is back already, and only what went with the app
    is made anew: also on a repeat, as the worker may have died in between.
    """
    async with connections.write() as db:
        row, token = await db.get(ShopRow, event.shop), await db.get(TokenRow, event.shop)
        if row is None:
            return
        back = token is not None and token.updated_at > event.happened_at + _CLOCKS_DIFFER
        # That install knows what went with the app, and made it anew.
        if row.uninstalled_at is None and not (back and row.installed_at > event.happened_at):
            row.web_pixel_id = None
            await db.exec(delete(BackfillRow).where(col(BackfillRow.shop) == event.shop))
            if token is not None and back:
                row.installed_at = token.updated_at
            else:
                row.uninstalled_at = event.happened_at
                await db.exec(delete(TokenRow).where(col(TokenRow.shop) == event.shop))
            db.add(row)
    _forget_key(connections, row.publishable_key)
    await announce_change(connections.redis, event.shop)
    if back:
        await finish_install(connections, ShopDomain(event.shop))


async def change_scopes(connections: Connections, event: ScopesEvent) -> None:
    """Keep the scopes that the merchant granted; where the token tells of later ones, those."""
    async with connections.write() as db:
        token = await db.get(TokenRow, event.shop)
        if token is None:
            return
        if token.updated_at <= event.happened_at:
            token.scopes, token.updated_at = ",".join(sorted(event.scopes)), event.happened_at
            db.add(token)
        await db.exec(update(ShopRow).where(col(ShopRow.shop) == event.shop).values(scopes=token.scopes))
    await announce_change(connections.redis, event.shop)


async def _keep(connections: Connections, shop: ShopDomain, grant: Grant) -> None:
    now = datetime.now(UTC)
    async with connections.write() as db:
        row = await db.get(ShopRow, shop)
        if row is None:
            row = ShopRow(shop=shop, publishable_key=new_publishable_key(), installed_at=now)
        elif row.uninstalled_at is not None:
            row.installed_at, row.uninstalled_at = now, None
        elif await db.get(TokenRow, shop) is None:  # the app may have been gone, and its pixel with it
            row.web_pixel_id = None
        row.scopes = ",".join(sorted(grant.scopes))
        db.add(row)
        await db.merge(sealed_row(connections, shop, grant))
    _forget_key(connections, row.publishable_key)


def new_publishable_key() -> str:
    """Return `pk_` and 43 characters that nobody guesses."""
    return f"pk_{secrets.token_urlsafe(32)}"


async def describe(connections: Connections, shop: str) -> None:
    """Keep the shop's name, currency, time zone, tax and kind as Shopify has them now. Raises ShopifyError.

    Prices are kept in the currency they were read in, so they are read again where that is another one; and
    orders once a development store sells, where those that were tests count no more.
    """
    told = (await ask_shop(connections, shop, DESCRIBE_SHOP))["shop"]
    values = {
        "name": told["name"], "currency": told["currencyCode"], "time_zone": told["ianaTimezone"],
        "development": told["plan"]["partnerDevelopment"],
    }  # fmt: skip
    rate = await _tax_rate(connections, shop) if told["taxesIncluded"] else 0.0
    if rate is not None:
        values["tax_rate"] = rate
    other = or_(*(col(getattr(ShopRow, name)).is_distinct_from(value) for name, value in values.items()))
    was = exists().where(col(ShopRow.shop) == shop)
    priced = and_(col(BackfillRow.kind) == "products", was.where(col(ShopRow.currency) != values["currency"]))
    tried = and_(col(BackfillRow.kind) == "orders", was.where(col(ShopRow.development).is_(True)))
    outdated = priced if values["development"] else or_(priced, tried)
    async with connections.write() as db:
        unread = await db.exec(delete(BackfillRow).where(col(BackfillRow.shop) == shop, outdated))
        changed = await db.exec(update(ShopRow).where(col(ShopRow.shop) == shop, other).values(**values))
    if unread.rowcount:
        await request_job(connections, "backfill", shop)
    if changed.rowcount:
        await announce_change(connections.redis, shop)


async def _tax_rate(connections: Connections, shop: str) -> float | None:
    """Return the rate of the tax in the shop's prices, None where no order tells it or may be read."""
    try:
        return tax_rate_of((await ask_shop(connections, shop, LATEST_TAXES))["orders"]["nodes"])
    except ShopifyRefused as error:
        _log.warning("the tax in prices is not told", extra={"shop": shop, "reason": str(error)})
        return None


async def _connect_pixel(connections: Connections, row: ShopRow) -> None:
    pixel_id = await connect_pixel(connections, row.shop, row.publishable_key)
    async with connections.write() as db:
        await db.exec(update(ShopRow).where(col(ShopRow.shop) == row.shop).values(web_pixel_id=pixel_id))


async def _attempt(step: Awaitable[None], shop: str) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):  # a merchant waits for their page
            await step
    except (ShopifyError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        _log.warning("install not finished", extra={"shop": shop, "reason": reason})


def shop_of(row: ShopRow) -> Shop:
    """Return the shop as its row tells it."""
    return Shop(
        shop=ShopDomain(row.shop),
        name=row.name or row.shop.removesuffix(".myshopify.com"),
        currency=row.currency,
        publishable_key=row.publishable_key,
        scopes=read_scopes(row.scopes),
        settings=row.settings,
        installed_at=row.installed_at,
        uninstalled_at=row.uninstalled_at,
        time_zone=row.time_zone,
    )


def _know(connections: Connections, key: str, shop: Shop | None) -> None:
    known = _known_keys.setdefault(connections.engine, {})
    while len(known) >= _KEYS_REMEMBERED:
        del known[next(iter(known))]
    known[key] = (time.monotonic() + _KEY_TTL_S, shop)


def _forget_key(connections: Connections, key: str) -> None:
    _known_keys.get(connections.engine, {}).pop(key, None)
