"""A store that is away, or is not ours, is told in a line, whichever command needs it."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.cli import main
from app.connections import Connections
from app.consent.digests import open_digests
from app.errors import ConfigError, NotFound, TillwiseError
from app.migrations import migrate
from app.tables import ShopRow
from tests.commands.conftest import Terminal


@pytest.mark.parametrize("address", ["postgresql://u:p@127.0.0.1:1/none", "sqlite:////dev/null/none.db"])
def test_a_database_that_is_not_there_is_told_in_a_line(
    address: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEYS", Fernet.generate_key().decode())
    error = terminal.run("parked").exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith("no connection to the database: [Errno ")


async def test_what_the_database_says_of_who_asks_is_told(postgres_url: str) -> None:
    with pytest.raises(ConfigError, match='database "none" does not exist'):
        await migrate(postgres_url.replace("/postgres?", "/none?"))


def test_a_file_that_can_not_be_written_is_told_in_a_line(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def installed(connections: Connections) -> None:
        async with connections.write() as db:
            db.add(ShopRow(shop="a.myshopify.com", publishable_key="pk", installed_at=datetime.now(UTC)))

    terminal.prepare(installed)
    file = tmp_path / "none" / "ledger.csv"
    monkeypatch.setattr("sys.argv", ["tillwise", "consent", "--shop", "a.myshopify.com", "--out", str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (
        1,
        f"tillwise: {file}: No such file or directory\n",
    )


def test_a_redis_that_is_not_there_is_told_in_a_line(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    error = terminal.run("parked").exception
    assert isinstance(error, TillwiseError)
    assert str(error).startswith("Redis does not answer: ")


def test_a_worker_with_keys_of_another_installation_takes_up_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.prepare(open_digests)
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEYS", Fernet.generate_key().decode())
    error = terminal.run("worker").exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith("TOKEN_ENCRYPTION_KEYS lacks the key")


@pytest.mark.parametrize(
    "command",
    [
        "backfill",
        "train",
        "rollback",
        "replay some-id",
        "parked",
        "parked --replay",
        "kpis",
        "attribution",
        "experiment plan",
        "consent",
        "audit",
    ],
)
def test_a_shop_whose_name_is_mistyped_is_said_to_have_no_app(command: str, terminal: Terminal) -> None:
    error = terminal.run(*command.split(), "--shop", "mistyped.myshopify.com").exception
    assert isinstance(error, NotFound)
    assert re.match(r"mistyped\.myshopify\.com (is not installed|does not have the app)", str(error))


def test_a_shop_whose_name_is_mistyped_is_named_as_it_may_be_meant(terminal: Terminal) -> None:
    async def installed(connections: Connections) -> None:
        async with connections.write() as db:
            for name in ("harvest-lane", "winter-lodge"):
                at = datetime(2026, 11, 1, tzinfo=UTC)
                db.add(ShopRow(shop=f"{name}.myshopify.com", publishable_key=name, installed_at=at))

    terminal.prepare(installed)
    error = terminal.run("alerts", "--shop", "harvest-lain.myshopify.com").exception
    assert str(error) == "harvest-lain.myshopify.com is not installed: is it harvest-lane.myshopify.com?"
    error = terminal.run("alerts", "--shop", "another.myshopify.com").exception
    assert str(error) == "another.myshopify.com is not installed: open the app in the shop's admin first"


def test_a_port_that_is_taken_is_told_before_anything_is_started(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        monkeypatch.delenv("REDIS_URL")
        monkeypatch.setenv("TILLWISE_DATA_DIR", str(tmp_path))
        error = terminal.run("serve").exception
    assert isinstance(error, ConfigError)
    assert str(error) == (
        f"can't listen on 127.0.0.1, port {port}: Address already in use; is another Tillwise running? "
        "PORT says where else"
    )
    assert not (tmp_path / "redis").exists()


def test_the_address_that_a_name_leads_to_is_tried_whatever_its_family(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        found = (socket.AF_INET, socket.SOCK_STREAM, 0, "", taken.getsockname())
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, family=0, **__: [] if family else [found])
        error = terminal.run("serve", "--host", "app.internal").exception
    assert "can't listen on app.internal" in str(error)
    assert "Address already in use" in str(error)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("alerts --shop mistyped", 2),
        ("kpis --shop a.myshopify.com --since yesterday", 2),
        ("alerts --shop a.myshopify.com", 1),
        ("--version", 0),
    ],
)
@pytest.mark.usefixtures("terminal")
def test_who_calls_it_wrongly_is_told_so_by_the_exit_code(
    words: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["tillwise", *words.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code


def test_each_command_is_listed_under_what_it_is_for(terminal: Terminal) -> None:
    said = terminal.run("--help").stdout
    assert [line for line in said.splitlines() if line.startswith("╭")][1].startswith("╭─ Run it")
    assert "─ Commands ─" not in said
