from __future__ import annotations

from datetime import UTC, datetime

from app.connections import Connections
from app.errors import InputError
from app.outbound_tables import DeliveryRow
from app.shops.store import get_shop
from app.shops.vault import unseal
from app.tables import ShopRow
from tests.commands.conftest import Terminal

SHOP = "a.myshopify.com"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


async def a_shop(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))


async def a_parked_message(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(
            DeliveryRow(
                shop=SHOP, event_id="e", customer_id=7, body="{}", made_at=NOW, status="parked", attempts=16,
                next_attempt_at=NOW, error="HTTP 500",
            )
        )  # fmt: skip


def test_tags_are_switched_and_the_lack_of_the_scope_is_told(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    assert "tags off, metafields off" in terminal.run("write-back", "--shop", SHOP).output
    output = terminal.run("write-back", "--shop", SHOP, "--tags").output
    assert "tags on, metafields off" in output
    assert "has not granted write_customers" in output
    assert "tags on, metafields on" in terminal.run("write-back", "--shop", SHOP, "--metafields").output
    output = terminal.run("write-back", "--shop", SHOP, "--no-tags", "--no-metafields").output
    assert "tags off, metafields off" in output
    assert "granted" not in output  # nothing is wanted, and nothing of ours is there


def test_a_webhook_is_set_with_a_secret_that_is_kept_sealed(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    output = terminal.run("webhook", "--shop", SHOP, "--url", "https://hooks.example.com/in").output
    secret = output.split("shown this once: ")[1].split()[0]

    async def check(connections: Connections) -> None:
        shop = await get_shop(connections, SHOP)
        assert shop is not None
        kept = shop.settings["webhook"]
        assert secret not in str(kept)
        assert unseal(connections.settings.token_encryption_keys, kept["secret"].encode()) == secret

    terminal.prepare(check)
    shown = terminal.run("webhook", "--shop", SHOP).output
    assert "https://hooks.example.com/in since" in shown
    assert secret not in shown
    assert "no webhook" in terminal.run("webhook", "--shop", SHOP, "--off").output


def test_a_webhook_in_our_own_network_is_refused(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    result = terminal.run("webhook", "--shop", SHOP, "--url", "https://127.0.0.1/")
    assert result.exit_code == 1
    assert "names its host" in str(result.exception)


def test_a_webhook_is_not_set_and_removed_at_once(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    words = ("--url", "https://hooks.example.com/in", "--off")
    assert isinstance(terminal.run("webhook", "--shop", SHOP, *words).exception, InputError)


def test_messages_that_were_given_up_are_shown_and_sent_again(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    terminal.prepare(a_parked_message)
    shown = terminal.run("webhook", "--shop", SHOP).output
    assert "16 attempts  HTTP 500" in shown
    assert "0 messages waiting, 1 given up" in shown
    again = terminal.run("webhook", "--shop", SHOP, "--replay").output
    assert "put back: 1 messages" in again
    assert "1 messages waiting, 0 given up" in again


def test_a_shop_that_is_not_installed_is_said_so(terminal: Terminal) -> None:
    result = terminal.run("write-back", "--shop", SHOP)
    assert result.exit_code == 1
    assert "is not installed" in str(result.exception)
