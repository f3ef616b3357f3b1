from __future__ import annotations

from app.connections import Connections
from app.outbound.api_keys import holder_of
from tests.commands.conftest import Terminal
from tests.commands.test_outbound import SHOP, a_shop


def test_a_key_is_made_listed_without_its_secret_and_revoked(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
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
