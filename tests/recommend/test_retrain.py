import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.experiments.design import read_design
from app.experiments.versions import draft, start
from app.jobs import read_progress, request_job
from app.recommend.fit import FitParameters
from app.recommend.process import TrainingFailed
from app.recommend.publish import current_version, latest, publish, version_path, versions
from app.recommend.retrain import resume_shop, train_shop
from app.shops.changes import CHANGED
from app.tables import ModelRow, OrderLineRow, OrderRow, ProductRow, ShopRow
from app.values import ShopDomain, shop_domain
from tests.recommend.factories import a_model
from tests.recommend.test_publish import a_card

SHOP = shop_domain("harvest-lane.myshopify.com")
OTHER = shop_domain("another-lane.myshopify.com")
START = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = FitParameters(dimensions=4, epochs=1)
PRODUCTS = 12


async def sell(connections: Connections, shop: ShopDomain, orders: int) -> None:
    """Every order holds a product and the next one, so that neighbours mean something."""
    async with connections.write() as db:
        for number in range(1, PRODUCTS + 1):
            db.add(
                ProductRow(
                    shop=shop,
                    product_id=number,
                    title=f"Product {number}",
                    created_at=START,
                    updated_at=START,
                )
            )
        for number in range(1, orders + 1):
            when = START + timedelta(hours=number)
            db.add(OrderRow(shop=shop, order_id=number, currency="USD", created_at=when, updated_at=when))
            for place in (0, 1):
                db.add(
                    OrderLineRow(
                        shop=shop,
                        line_id=2 * number + place,
                        order_id=number,
                        product_id=(number + place) % PRODUCTS + 1,
                        quantity=1,
                        price_minor=100,
                    )
                )


async def models(connections: Connections, shop: str) -> list[tuple[str, str]]:
    async with connections.read() as db:
        rows = await db.exec(select(ModelRow).where(col(ModelRow.shop) == shop).order_by(ModelRow.trained_at))
        return [(row.version, row.status) for row in rows]


async def test_a_shop_is_trained_published_and_announced(connections: Connections) -> None:
    await sell(connections, SHOP, 120)
    async with connections.redis.pubsub() as changes:
        await changes.subscribe(CHANGED)
        card = await train_shop(connections, SHOP, SMALL)
        heard = [await changes.get_message(timeout=60) for _ in range(2)]
    assert card.decision.publish
    assert await models(connections, SHOP) == [(card.version, "champion")]
    model = latest(connections.settings.data_dir, SHOP)
    assert model is not None
    assert model.rank([1], k=1)[0].product_id in (2, PRODUCTS)  # sold beside it, and nothing else is
    assert heard[-1] is not None
    assert heard[-1]["data"] == SHOP.encode()


async def test_a_new_version_retires_the_one_before(connections: Connections) -> None:
    await sell(connections, SHOP, 60)
    first = await train_shop(connections, SHOP, SMALL)
    second = await train_shop(connections, SHOP, FitParameters(dimensions=4, epochs=1, seed=1))
    statuses = dict(await models(connections, SHOP))
    assert statuses[second.version] == "champion"
    assert first.version == second.version or statuses[first.version] == "retired"


async def test_a_version_that_an_experiment_tries_outlives_later_trainings(connections: Connections) -> None:
    await sell(connections, SHOP, 60)
    tried, *_ = [
        publish(connections.settings.data_dir, SHOP, a_model(3), a_card(START + timedelta(days=day))).version
        for day in range(5)
    ]
    arms = [{"name": "now"}, {"name": "old", "changes": {"model": tried}}]
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk_model", installed_at=START))
    await draft(connections, SHOP, read_design({"id": "model", "arms": arms, "control": "now"}), START)
    await start(connections, SHOP, "model", START)
    await train_shop(connections, SHOP, SMALL)
    assert versions(connections.settings.data_dir, SHOP)[0].name == tried


async def test_one_shop_never_learns_from_another(connections: Connections) -> None:
    await sell(connections, OTHER, 60)
    with pytest.raises(TrainingFailed, match="no orders and no products"):
        await train_shop(connections, SHOP, SMALL)
    assert current_version(connections.settings.data_dir, SHOP) is None
    progress = await read_progress(connections, "train", SHOP)
    assert progress is not None
    assert progress.stage == "failed"


async def test_two_trainings_of_a_shop_wait_for_each_other(connections: Connections) -> None:
    await sell(connections, SHOP, 30)
    cards = await asyncio.gather(train_shop(connections, SHOP, SMALL), train_shop(connections, SHOP, SMALL))
    assert cards[0].trained_at != cards[1].trained_at
    champions = [status for _, status in await models(connections, SHOP) if status == "champion"]
    assert champions == ["champion"]


async def test_asking_twice_for_a_job_queues_it_once(connections: Connections) -> None:
    before = await queued(connections)
    for _ in range(3):
        await request_job(connections, "train", SHOP)
    assert await queued(connections) == before + 1


async def queued(connections: Connections) -> int:
    keys = [key async for key in connections.redis.scan_iter(b"streaq:*:task:data:*", _type="string")]
    return len(keys)


async def test_a_model_goes_on_with_new_orders_and_is_recorded_only_when_that_helps(
    connections: Connections,
) -> None:
    assert await resume_shop(connections, SHOP) is None  # nothing serves yet
    await sell(connections, SHOP, 700)
    first = await train_shop(connections, SHOP, SMALL)
    path = version_path(connections.settings.data_dir, SHOP, first.version) / "card.json"
    earlier = msgspec.structs.replace(first, trained_at=START + timedelta(hours=400))
    path.write_bytes(msgspec.json.encode(earlier))  # as if the last orders had come since
    card = await resume_shop(connections, SHOP)
    versions = dict(await models(connections, SHOP))
    if card is None:
        assert versions == {first.version: "champion"}
    else:
        assert versions == {first.version: "retired", card.version: "champion"}
    assert current_version(connections.settings.data_dir, SHOP) == (card or first).version
