"""An earlier model serves again: at once, only when it is whole, and everyone can see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from app.connections import Connections
from app.recommend.forget import rename_version
from app.recommend.publish import (
    current_version,
    load,
    publish,
    publish_successor,
    read_card,
    version_path,
    withdraw,
)
from app.tables import ModelRow, ShopRow
from app.values import ShopDomain
from tests.commands.conftest import Terminal
from tests.recommend.factories import a_model
from tests.recommend.test_publish import a_card

SHOP = ShopDomain("harvest-lane.myshopify.com")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def two_champions(connections: Connections) -> list[str]:
    """Publish a version and its successor, and write both down as a training does."""
    cards = [
        publish(connections.settings.data_dir, SHOP, a_model(3 + day), a_card(NOW + timedelta(days=day)))
        for day in (0, 1)
    ]
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))
        for card, status in zip(cards, ("retired", "champion"), strict=True):
            db.add(
                ModelRow(shop=SHOP, version=card.version, status=status, card={}, trained_at=card.trained_at)
            )
    return [card.version for card in cards]


def states(terminal: Terminal) -> list[str]:
    found: list[str] = []

    async def read(connections: Connections) -> None:
        async with connections.read() as db:
            rows = await db.exec(select(ModelRow).order_by(col(ModelRow.trained_at)))
            found.extend(row.status for row in rows)

    terminal.prepare(read)
    return found


def test_the_champion_before_serves_again(terminal: Terminal) -> None:
    versions: list[str] = []
    serving: list[str | None] = []

    async def prepare(connections: Connections) -> None:
        versions.extend(await two_champions(connections))

    async def look(connections: Connections) -> None:
        serving.append(current_version(connections.settings.data_dir, SHOP))

    terminal.prepare(prepare)
    result = terminal.run("rollback", "--shop", SHOP)
    assert (result.exit_code, result.output) == (0, f"{versions[0]}: serves {SHOP} again\n")
    terminal.prepare(look)
    assert serving == versions[:1]
    assert states(terminal) == ["champion", "withdrawn"]
    forward = terminal.run("rollback", "--shop", SHOP, "--to", versions[1])
    assert forward.exit_code == 0
    assert states(terminal) == ["withdrawn", "champion"]


def test_what_took_the_place_of_a_version_serves_where_that_is_asked_for(terminal: Terminal) -> None:
    versions: list[str] = []

    async def prepare(connections: Connections) -> None:
        versions.extend(await two_champions(connections))
        data_dir = connections.settings.data_dir
        path = version_path(data_dir, SHOP, versions[0])
        successor = publish_successor(data_dir, SHOP, read_card(path), a_model(2))
        await rename_version(connections, SHOP, versions[0], successor)
        withdraw(data_dir, SHOP, versions[0], successor.version)
        versions.append(successor.version)

    terminal.prepare(prepare)
    result = terminal.run("rollback", "--shop", SHOP, "--to", versions[0])
    assert (result.exit_code, result.output) == (0, f"{versions[2]}: serves {SHOP} again\n")
    assert states(terminal) == ["champion", "withdrawn"]


def test_without_an_earlier_champion_or_with_a_damaged_one_nothing_changes(terminal: Terminal) -> None:
    versions: list[str] = []

    async def prepare(connections: Connections) -> None:
        versions.extend(await two_champions(connections))
        damaged = version_path(connections.settings.data_dir, SHOP, versions[0])
        (damaged / "popularity.npy").write_bytes(b"torn")

    async def still(connections: Connections) -> None:
        data_dir = connections.settings.data_dir
        assert current_version(data_dir, SHOP) == versions[1]
        assert load(version_path(data_dir, SHOP, versions[1]))

    terminal.prepare(prepare)
    damaged = terminal.run("rollback", "--shop", SHOP)
    assert damaged.exit_code != 0
    assert "popularity.npy" in str(damaged.exception)
    unknown = terminal.run("rollback", "--shop", SHOP, "--to", "v0")
    assert f"no version v0 on disk: {versions[0]}, {versions[1]}" in str(unknown.exception)
    terminal.prepare(still)
    assert states(terminal) == ["retired", "champion"]
