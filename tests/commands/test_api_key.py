from __future__ import annotations

from datetime import UTC, datetime

from app.connections import Connections
from app.errors import NotFound
from app.outbound.api_keys import holder_of
from tests.commands.conftest import Terminal
from tests.commands.test_outbound import SHOP, a_shop
from tests.outbound.segments import change_shop


def test_a_key_is_made_listed_without_its_secret_and_revoked(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    assert terminal.run("api-key", "--shop", SHOP).output == "No key yet: --make makes one.\n"
    made = terminal.run("api-key", "--shop", SHOP, "--make", "--label", "crm").output
    secret = made.split("shown this once: ")[1].split()[0]
    key_id = made.split("key ")[1].split(",")[0]
    opened: list[bool] = []

    async def try_it(connections: Connections) -> None:
        opened.append(await holder_of(connections, secret) is not None)

    terminal.prepare(try_it)
    listed = terminal.run("api-key", "--shop", SHOP).output
    assert (key_id in listed, "crm" in listed, secret in listed) == (True, True, False)
    assert "revoked" in terminal.run("api-key", "--shop", SHOP, "--revoke", key_id).output
    terminal.prepare(try_it)
    assert opened == [True, False]


def test_a_key_that_does_not_exist_can_not_be_revoked(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    result = terminal.run("api-key", "--shop", SHOP, "--revoke", "nothing")
    assert result.exit_code == 1
    assert "has no key" in str(result.exception)


def test_a_shop_whose_name_is_mistyped_has_no_keys_and_gets_none(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    for words in ([], ["--make"]):
        result = terminal.run("api-key", "--shop", "mistyped.myshopify.com", *words)
        assert isinstance(result.exception, NotFound)


def test_a_shop_that_left_gets_no_key_that_would_open_nothing(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    terminal.prepare(lambda connections: change_shop(connections, SHOP, uninstalled_at=datetime.now(UTC)))
    assert isinstance(terminal.run("api-key", "--shop", SHOP, "--make").exception, NotFound)
