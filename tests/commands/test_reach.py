from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.connections import Connections
from app.errors import InputError
from app.tables import ShopRow
from tests.commands.conftest import Terminal

SHOP = "a.myshopify.com"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


async def a_shop(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))


def test_nothing_is_sent_until_it_is_switched_on(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    assert "flow off, mail off" in terminal.run("reach", "--shop", SHOP).output
    changed = terminal.run("reach", "--shop", SHOP, "--flow", "--idle", "45", "--delay", "90").output
    assert "flow on, mail off" in changed
    assert "left after 45 silent minutes, written to 90 minutes later" in changed
    assert "flow off" in terminal.run("reach", "--shop", SHOP, "--no-flow").output
    assert "after 45 silent minutes" in terminal.run("reach", "--shop", SHOP).output


def test_mail_needs_a_mail_server(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.prepare(a_shop)
    assert "SMTP_URL" in str(terminal.run("reach", "--shop", SHOP, "--mail").exception)
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.com?from=shop%40example.com")
    assert "mail on" in terminal.run("reach", "--shop", SHOP, "--mail").output


def test_what_can_not_be_is_named_and_changes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(a_shop)
    refused = terminal.run("reach", "--shop", SHOP, "--idle", "2", "--flow")
    assert (refused.exit_code, "--idle" in refused.output) == (2, True)
    assert terminal.run("reach", "--shop", SHOP, "--delay", "10081").exit_code == 2
    words = tmp_path / "words.json"
    words.write_text('{"subject": {"de": "Hallo {name}"}}')
    assert "{name}" in str(terminal.run("reach", "--shop", SHOP, "--words", str(words)).exception)
    assert "flow off" in terminal.run("reach", "--shop", SHOP).output


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ('["a"]', "$.words"),
        ('{"subject": "hi"}', "$.words.subject"),
        ('{"body": {"de": 3}}', "$.words.body"),
        ("[]", "$.words"),
    ],
)
def test_words_that_are_none_are_named(terminal: Terminal, tmp_path: Path, written: str, where: str) -> None:
    terminal.prepare(a_shop)
    words = tmp_path / "words.json"
    words.write_text(written)
    refused = terminal.run("reach", "--shop", SHOP, "--words", str(words)).exception
    assert isinstance(refused, InputError)
    assert where in str(refused)
