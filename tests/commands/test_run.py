"""A store that is away, or is not ours, is told in a line, whichever command needs it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.cli import main
from app.consent.digests import open_digests
from app.errors import ConfigError, NotFound, TillwiseError
from app.migrations import migrate
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


@pytest.mark.usefixtures("terminal")
def test_a_file_that_can_not_be_written_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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
    ["backfill", "train", "rollback", "replay some-id", "parked", "parked --replay"],
)
def test_a_shop_whose_name_is_mistyped_is_said_to_have_no_app(command: str, terminal: Terminal) -> None:
    error = terminal.run(*command.split(), "--shop", "mistyped.myshopify.com").exception
    assert isinstance(error, NotFound)
    assert re.match(r"mistyped\.myshopify\.com (is not installed|does not have the app)", str(error))
