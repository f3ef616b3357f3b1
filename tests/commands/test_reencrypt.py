"""After `tillwise reencrypt` the first key opens all that the installation keeps encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlmodel import col, select, update

from app.commands.reencrypt import Reencrypted, reencrypted
from app.connections import Connections
from app.outbound.settings import webhook_of
from app.outbound.settings_store import set_webhook
from app.shops.sealed import opened, sealed
from app.shops.secrets import installation_secret
from app.shops.vault import seal, unseal
from app.tables import InboxRow, SecretRow, ShopRow, TokenRow
from app.values import ShopDomain
from tests.commands.conftest import Terminal

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
SHOP = ShopDomain("a.myshopify.com")
BODY, PLAIN = b"\xff no JSON", b'{"id": 1}'


def with_keys(connections: Connections, *keys: str) -> Connections:
    return replace(connections, settings=replace(connections.settings, token_encryption_keys=keys))


def token(shop: str, key: str) -> TokenRow:
    now = datetime.now(UTC)
    return TokenRow(
        shop=shop, access_token=seal((key,), "access"), refresh_token=seal((key,), "refresh"), updated_at=now
    )


def letter(number: int, body: bytes) -> InboxRow:
    now = datetime.now(UTC)
    return InboxRow(
        shop=SHOP,
        event_id=str(number),
        topic="orders/create",
        received_at=now,
        body=body,
        next_attempt_at=now,
    )


async def plant(connections: Connections) -> bytes:
    """Keep with the old key one of each that is encrypted; return the installation's secret."""
    now = datetime.now(UTC)
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=now))
        db.add(ShopRow(shop="b.myshopify.com", publishable_key="pk2", installed_at=now))
        db.add(token(SHOP, OLD))
        db.add(letter(1, sealed((OLD,), BODY)))
        db.add(letter(2, PLAIN))
    earlier = with_keys(connections, OLD)
    await set_webhook(earlier, SHOP, "https://example.com/moves")
    return await installation_secret(earlier, "receipts")


async def test_the_first_key_alone_opens_everything_afterwards(on_both_databases: Connections) -> None:
    await plant(on_both_databases)
    rotated = with_keys(on_both_databases, NEW, OLD)
    assert await reencrypted(rotated) == Reencrypted(anew=5)
    assert await reencrypted(rotated) == Reencrypted()
    async with on_both_databases.read() as db:
        kept = (await db.exec(select(TokenRow))).one()
        secret = (await db.exec(select(SecretRow).where(SecretRow.name == "receipts"))).one()
        letters = (await db.exec(select(InboxRow.body).order_by(InboxRow.event_id))).all()
        settings = (await db.exec(select(ShopRow.settings).where(ShopRow.shop == SHOP))).one()
    webhook = webhook_of(settings)
    assert kept.refresh_token is not None
    assert webhook is not None
    assert [unseal((NEW,), each) for each in (kept.access_token, kept.refresh_token)] == ["access", "refresh"]
    assert unseal((NEW,), webhook.sealed).startswith("whsec_")
    assert len(unseal((NEW,), secret.sealed)) == 44
    assert (opened((NEW,), letters[0]), letters[1]) == (BODY, PLAIN)


async def test_what_no_key_opens_stays_as_it_is_and_is_counted(connections: Connections) -> None:
    async with connections.write() as db:
        db.add_all(
            [token(f"{number:04}.myshopify.com", LOST if number == 7 else OLD) for number in range(1_001)]
        )
    assert await reencrypted(with_keys(connections, NEW, OLD)) == Reencrypted(anew=2_000, closed=2)
    async with connections.read() as db:
        lost = (await db.exec(select(TokenRow).where(TokenRow.shop == "0007.myshopify.com"))).one()
    assert unseal((LOST,), lost.access_token) == "access"


async def test_a_token_that_is_renewed_meanwhile_is_not_overwritten(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant(connections)
    read, renewed = Connections.rows, seal((OLD,), "renewed")

    async def then_renewed(connections: Connections, query: Any) -> Sequence[Any]:
        rows = await read(connections, query)
        async with connections.write() as db:
            await db.exec(update(TokenRow).values(access_token=renewed))
        return rows

    monkeypatch.setattr(Connections, "rows", then_renewed)
    await reencrypted(with_keys(connections, NEW, OLD))
    async with connections.read() as db:
        assert (await db.exec(select(col(TokenRow.access_token)))).one() == renewed


def test_the_operator_is_told_and_the_exit_code_says_whether_the_old_key_can_go(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.empty()
    terminal.prepare(plant)
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEYS", f"{NEW},{OLD}")
    found = terminal.run("reencrypt")
    assert (found.exit_code, found.stdout) == (0, "encrypted anew with the first key: 5\n")
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEYS", NEW)
    assert terminal.run("reencrypt").stdout == "encrypted anew with the first key: 0\n"
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEYS", LOST)
    lost = terminal.run("reencrypt")
    assert lost.exit_code == 1
    assert "opened by no key, and left as they are: 5" in lost.stdout
