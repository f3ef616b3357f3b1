from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import app.tables  # noqa: F401
from app.migrations import migrate


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/deep/tillwise.db"


async def test_the_steps_lead_to_the_tables_the_code_expects(sqlite_url: str) -> None:
    await migrate(sqlite_url)
    engine = create_async_engine(sqlite_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_running_the_steps_again_changes_nothing(sqlite_url: str) -> None:
    await migrate(sqlite_url)
    await migrate(sqlite_url)
