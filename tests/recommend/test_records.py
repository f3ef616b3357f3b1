"""What a process that is killed while it publishes leaves is put in order by the next that may publish."""

from dataclasses import replace

from sqlmodel import col, delete

from app.connections import Connections
from app.recommend.card import Card
from app.recommend.publish import current_version, load, publish_successor, version_path, versions
from app.recommend.records import rename_version, settle
from app.recommend.refresh import refresh_shop
from app.recommend.retrain import train_shop
from app.tables import ModelRow
from tests.recommend.test_refresh import add
from tests.recommend.test_retrain import SHOP, SMALL, START, models, sell


async def a_champion(connections: Connections) -> Card:
    await sell(connections, SHOP, 240)
    return await train_shop(connections, SHOP, SMALL)


def a_successor(connections: Connections, card: Card) -> Card:
    """Write a version that is to serve in the champion's place, which is as far as it comes."""
    data_dir = connections.settings.data_dir
    model = load(version_path(data_dir, SHOP, card.version))
    return publish_successor(data_dir, SHOP, card, replace(model, popularity=model.popularity * 2))


def on_disk(connections: Connections) -> list[str]:
    return [path.name for path in versions(connections.settings.data_dir, SHOP)]


async def test_a_successor_that_never_came_to_serve_is_gone_after_the_next(connections: Connections) -> None:
    a_successor(connections, await a_champion(connections))
    await add(connections, 50)
    fresh = await refresh_shop(connections, SHOP)
    assert fresh is not None
    assert on_disk(connections) == [fresh.version]
    assert await models(connections, SHOP) == [(fresh.version, "champion")]


async def test_a_successor_that_was_recorded_and_never_came_to_serve_is_recorded_no_more(
    connections: Connections,
) -> None:
    champion = await a_champion(connections)
    await rename_version(connections, SHOP, champion.version, a_successor(connections, champion))
    await settle(connections, SHOP)
    assert on_disk(connections) == [champion.version]
    assert await models(connections, SHOP) == [(champion.version, "champion")]
    await add(connections, 50)
    fresh = await refresh_shop(connections, SHOP)
    assert fresh is not None
    assert await models(connections, SHOP) == [(fresh.version, "champion")]


async def test_a_version_that_serves_and_was_not_recorded_is_the_champion(connections: Connections) -> None:
    champion = await a_champion(connections)
    async with connections.write() as db:
        await db.exec(delete(ModelRow).where(col(ModelRow.version) == champion.version))
        db.add(ModelRow(shop=SHOP, version="20250101T000000-old", status="champion", trained_at=START))
    await settle(connections, SHOP)
    assert await models(connections, SHOP) == [
        ("20250101T000000-old", "retired"),
        (champion.version, "champion"),
    ]
    assert current_version(connections.settings.data_dir, SHOP) == champion.version


async def test_versions_in_order_stay(connections: Connections) -> None:
    champion = await a_champion(connections)
    await settle(connections, SHOP)
    assert on_disk(connections) == [champion.version]
    assert await models(connections, SHOP) == [(champion.version, "champion")]
