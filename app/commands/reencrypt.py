"""Encrypts anew what an older key of the installation encrypted: the last step before that key can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer
from sqlalchemy import Column, ColumnElement, LargeBinary, func, literal, select, true, update

from app.commands.run import with_connections
from app.connections import Connections
from app.outbound.settings import WEBHOOK, webhook_of
from app.shops.sealed import SEALED
from app.shops.settings import change_setting
from app.shops.vault import opens, seal, unseal
from app.tables import InboxRow, SecretRow, ShopRow, TokenRow
from app.upsert import table_of

_AT_ONCE = 500  # rows
_TOKENS, _SECRETS, _INBOX, _SHOPS = (table_of(each).c for each in (TokenRow, SecretRow, InboxRow, ShopRow))
# The columns that hold what is encrypted, and in which rows.
_ENCRYPTED: tuple[tuple[Column[bytes], ColumnElement[bool]], ...] = (
    (_TOKENS.access_token, true()),
    (_TOKENS.refresh_token, _TOKENS.refresh_token.is_not(None)),
    (_SECRETS.sealed, true()),
    (_INBOX.body, func.substr(_INBOX.body, 1, len(SEALED)) == literal(SEALED, LargeBinary)),
)


@dataclass(slots=True)
class Reencrypted:
    """How many values are encrypted anew, and how many no key opens."""

    anew: int = 0
    closed: int = 0


def reencrypt() -> None:
    """Encrypt with the first of TOKEN_ENCRYPTION_KEYS all that another encrypted: then that one can go."""

    async def run(connections: Connections) -> None:
        found = await reencrypted(connections)
        typer.echo(f"encrypted anew with the first key: {found.anew}")
        if found.closed:
            typer.echo(f"opened by no key, and left as they are: {found.closed} (see `tillwise doctor`)")
            raise typer.Exit(1)

    with_connections(run)


async def reencrypted(connections: Connections) -> Reencrypted:
    """Encrypt anew what any key but the first encrypted; what processes at work write meanwhile stays."""
    found = Reencrypted()
    for column, encrypted in _ENCRYPTED:
        await _column(connections, column, encrypted, found)
    await _webhooks(connections, found)
    return found


async def _column(
    connections: Connections, column: Column[bytes], encrypted: ColumnElement[bool], found: Reencrypted
) -> None:
    (number,) = column.table.primary_key
    page = select(number, column).where(encrypted).order_by(number).limit(_AT_ONCE)
    rows = await connections.rows(page)
    while rows:
        for at, value in rows:
            if (anew := _anew(connections, value, found)) is not None:
                unchanged = update(column.table).where(number == at, column == value)
                await connections.execute(unchanged.values({column.name: anew}))
        rows = await connections.rows(page.where(number > rows[-1][0]))


async def _webhooks(connections: Connections, found: Reencrypted) -> None:
    for shop, settings in await connections.rows(select(_SHOPS.shop, _SHOPS.settings)):
        webhook = webhook_of(settings)
        if webhook is not None and (anew := _anew(connections, webhook.sealed, found)) is not None:
            old, new = webhook.sealed.decode(), anew.decode()

            def swapped(kept: Any, old: str = old, new: str = new) -> Any:
                return kept | {"secret": new} if kept and kept.get("secret") == old else kept

            await change_setting(connections, shop, WEBHOOK, swapped)


def _anew(connections: Connections, value: bytes, found: Reencrypted) -> bytes | None:
    """Return the value under the first key, None where it is that already or no key opens it; count it."""
    keys, start = connections.settings.token_encryption_keys, SEALED if value.startswith(SEALED) else b""
    sealed = value.removeprefix(start)
    if opens(keys[:1], sealed):
        return None
    if not opens(keys, sealed):
        found.closed += 1
        return None
    found.anew += 1
    return start + seal(keys, unseal(keys, sealed))
