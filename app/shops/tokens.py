"""A shop's access token: got, kept sealed, refreshed by one process at a time.

A refresh spends the refresh token, so two at once would lock the shop out. A lease in Redis lets
one process ask; the row is only overwritten when it still holds the token that was spent, so that
a process that lost its lease half-way can not undo what the next one did.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.exceptions import LockError
from sqlmodel import col, delete, select

from app.connections import Connections, redis_key
from app.errors import ShopifyUnavailable, TokenRevoked
from app.leases import let_go_if_overlong
from app.shopify import graphql, request_grant
from app.shops.grants import (
    Grant,
    code_request,
    covers,
    exchange_request,
    read_grant,
    read_scopes,
    refresh_request,
)
from app.shops.vault import seal, unseal
from app.tables import TokenRow
from app.values import ShopDomain

# A token is renewed this long before its hour is over, so that none expires under way.
RENEW_BEFORE = timedelta(minutes=5)

_LEASE_S = 40
_ASK_FOR_AT_MOST_S = 30
_log = logging.getLogger(__name__)


async def access_token(connections: Connections, shop: str) -> str:
    """Return a token that is good for minutes yet, refreshed if need be.

    Raises TokenRevoked when the merchant has to open the app again, ShopifyUnavailable.
    """
    row = await _stored(connections, shop)
    if not _near_expiry(row):
        return _open_access(connections, row)
    try:
        # A refresh that is under way must reach the row, also when whoever asked has gone.
        return await asyncio.shield(_refresh(connections, shop))
    except ShopifyUnavailable:
        if row.access_expires_at and row.access_expires_at > datetime.now(UTC):
            return _open_access(connections, row)
        raise


async def ask_shop(
    connections: Connections, shop: str, document: str, variables: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the shop's answer, asked with its own token.

    In place of a token that Shopify no longer takes, the one is tried that another process has put there,
    else a new one: by a clock that is wrong, or was, a token may look good that is not.
    """
    token = await access_token(connections, shop)
    ask = connections.http, connections.settings, shop
    try:
        return await graphql(*ask, token, document, variables)
    except TokenRevoked:
        newer = await _newer_token(connections, shop, token)
    try:
        return await graphql(*ask, newer, document, variables)
    except TokenRevoked:
        await _forget_refused(connections, shop, newer)
        raise


async def exchange_id_token(connections: Connections, shop: ShopDomain, id_token: str) -> Grant:
    """Return an expiring offline token for a staff member's id token."""
    return await _ask(connections, shop, exchange_request(connections.settings, id_token))


async def exchange_code(connections: Connections, shop: ShopDomain, code: str) -> Grant:
    """Return an expiring offline token for the code of an authorization-code install."""
    return await _ask(connections, shop, code_request(connections.settings, code))


async def has_token(connections: Connections, shop: str) -> bool:
    """Return whether the shop can be spoken to: a token that is good or can be renewed, and for
    all the scopes that the app asks for."""
    async with connections.read() as db:
        row = (await db.exec(select(TokenRow).where(TokenRow.shop == shop))).first()
    if row is None or not covers(read_scopes(row.scopes), connections.settings.scopes):
        return False
    now = datetime.now(UTC)
    good = row.access_expires_at is None or row.access_expires_at > now + RENEW_BEFORE
    renewable = row.refresh_token is not None and (
        row.refresh_expires_at is None or row.refresh_expires_at > now
    )
    try:
        _open_access(connections, row)
    except TokenRevoked:
        return False
    return good or renewable


def sealed_row(connections: Connections, shop: str, grant: Grant) -> TokenRow:
    """Return the row that keeps a grant."""
    return TokenRow(shop=shop, **_columns(connections, grant))


async def _refresh(connections: Connections, shop: str, refused: str | None = None) -> str:
    """Return the token in place of one that is near its end, or was refused."""
    async with _lease(connections, shop):
        row = await _stored(connections, shop)
        if not _near_expiry(row) and (token := _open_access(connections, row)) != refused:
            return token  # the process before us has done it
        spent = _open_refresh(connections, row)
        if spent is None:
            raise TokenRevoked(f"{shop}: the access token expired and can't be renewed")
        request = refresh_request(connections.settings, spent)
        try:
            # The lease outlives the question: nobody else asks while this may still be answered.
            async with asyncio.timeout(_ASK_FOR_AT_MOST_S):
                grant = await _ask(connections, shop, request)
        except TimeoutError:
            raise ShopifyUnavailable(f"{shop}: the token was not renewed in time") from None
        except TokenRevoked:
            return await _token_in_place_of(connections, shop, spent)
        if await _replace(connections, shop, spent, grant):
            _log.info("access token renewed", extra={"shop": shop})
            return grant.access_token
        return await _token_in_place_of(connections, shop, spent)


async def _token_in_place_of(connections: Connections, shop: str, spent: str) -> str:
    """Return the token another process stored meanwhile. Raises TokenRevoked when none did."""
    row = await _stored(connections, shop)
    if _open_refresh(connections, row) == spent:
        await _forget_exactly(connections, row)
        raise TokenRevoked(f"{shop}: Shopify no longer takes the refresh token")
    return _open_access(connections, row)


async def _newer_token(connections: Connections, shop: str, refused: str) -> str:
    """Return the token in place of a refused one. Raises TokenRevoked, the old one forgotten, for none."""
    row = await _stored(connections, shop)
    token = _open_access(connections, row)
    if token != refused:
        return token
    if row.refresh_token is None:
        await _forget_exactly(connections, row)
        raise TokenRevoked(f"{shop}: Shopify no longer takes the access token, and it can't be renewed")
    return await asyncio.shield(_refresh(connections, shop, refused))


async def _forget_refused(connections: Connections, shop: str, refused: str) -> None:
    row = await _stored(connections, shop)
    if _open_access(connections, row) == refused:
        await _forget_exactly(connections, row)


async def _replace(connections: Connections, shop: str, spent: str, grant: Grant) -> bool:
    """Store the grant if the row still holds the refresh token it was got with; say whether.

    The token itself is compared: it may be encrypted anew meanwhile.
    """
    query = select(TokenRow).where(TokenRow.shop == shop).with_for_update()
    async with connections.write() as db:
        row = (await db.exec(query)).first()
        if row is None or _open_refresh(connections, row) != spent:
            return False
        db.add(row.sqlmodel_update(_columns(connections, grant)))
    return True


async def _forget_exactly(connections: Connections, row: TokenRow) -> None:
    async with connections.write() as db:
        await db.exec(
            delete(TokenRow)
            .where(col(TokenRow.shop) == row.shop)
            .where(col(TokenRow.access_token) == row.access_token)
        )


@asynccontextmanager
async def _lease(connections: Connections, shop: str) -> AsyncIterator[None]:
    key = redis_key(shop, "refreshing")
    lock = connections.redis.lock(key, timeout=_LEASE_S)
    if not await lock.acquire(blocking_timeout=_LEASE_S):
        await let_go_if_overlong(connections.redis, key, _LEASE_S * 1_000)
        raise ShopifyUnavailable(f"{shop}: another process is still renewing the token")
    try:
        yield
    finally:
        # It may have run out while this process was held up; the row's check stands in for it.
        with suppress(LockError):
            await lock.release()


async def _stored(connections: Connections, shop: str) -> TokenRow:
    async with connections.read() as db:
        row = (await db.exec(select(TokenRow).where(TokenRow.shop == shop))).first()
    if row is None:
        raise TokenRevoked(f"{shop}: no access token; the merchant has to open the app")
    return row


async def _ask(connections: Connections, shop: str, body: Mapping[str, str]) -> Grant:
    answer = await request_grant(connections.http, connections.settings, shop, body)
    return read_grant(answer, datetime.now(UTC))


def _near_expiry(row: TokenRow) -> bool:
    expires_at = row.access_expires_at
    return expires_at is not None and expires_at <= datetime.now(UTC) + RENEW_BEFORE


def _open_access(connections: Connections, row: TokenRow) -> str:
    return unseal(connections.settings.token_encryption_keys, row.access_token)


def _open_refresh(connections: Connections, row: TokenRow) -> str | None:
    sealed = row.refresh_token
    return None if sealed is None else unseal(connections.settings.token_encryption_keys, sealed)


def _columns(connections: Connections, grant: Grant) -> dict[str, Any]:
    keys = connections.settings.token_encryption_keys
    return {
        "access_token": seal(keys, grant.access_token),
        "access_expires_at": grant.access_expires_at,
        "refresh_token": seal(keys, grant.refresh_token) if grant.refresh_token else None,
        "refresh_expires_at": grant.refresh_expires_at,
        "scopes": ",".join(sorted(grant.scopes)),
        "updated_at": datetime.now(UTC),
    }
