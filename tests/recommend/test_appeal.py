"""What shoppers make of what they are shown moves a ranking, and follows the products."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from app.connections import Connections
from app.experiments.analysis import Interval
from app.experiments.appeal import Appeal
from app.recommend.appeal import appeal_of, with_appeal
from app.recommend.fit import FitParameters
from app.recommend.process import Job, run_training
from app.recommend.publish import latest
from app.recommend.recount import recounted
from app.recommend.retrain import train_shop
from app.values import ShopDomain
from tests.attribution.test_store import SHOP, a_shop, write
from tests.experiments.test_showing_store import a_decision, an_offer, said
from tests.recommend import shops
from tests.recommend.factories import a_model, linked
from tests.recommend.test_publish import a_card
from tests.recommend.test_retrain import SMALL, sell


def liked(**log_odds: float) -> Appeal:
    """Return the appeal of products p10, p20 …"""
    of_each = {int(name[1:]): value for name, value in log_odds.items()}
    return Appeal(of_each, Interval(0.02, 0.01, 0.03), 1.0, -0.5, 900, 90, 9)


def test_what_is_taken_oftener_moves_up_and_what_is_sent_away_moves_down() -> None:
    model = a_model(4, **linked(4, {(0, 1): 0.5, (0, 2): 0.4, (0, 3): 0.3}))
    assert [one.product_id for one in model.rank([10], k=3)] == [20, 30, 40]
    told = with_appeal(model, liked(p40=2.0, p20=-2.0, p99=1.0))
    ranked = told.rank([10], k=3)
    assert [one.product_id for one in ranked] == [40, 30, 20]
    without = {one.product_id: one.score for one in model.rank([10], k=3)}
    assert {one.product_id: one.score - without[one.product_id] for one in ranked} == pytest.approx(
        {40: 2.0, 30: 0.0, 20: -2.0}
    )


def test_where_nothing_is_foretold_nothing_moves() -> None:
    model = with_appeal(a_model(4), liked(p40=2.0))
    assert not len(with_appeal(model, None).appeal)


def test_appeal_follows_the_products_into_a_fresher_model() -> None:
    shop = shops.a_shop(120)
    ids = shop.items.product_ids
    model = replace(a_model(2), product_ids=ids[1:3], appeal=np.array([0.3, -0.2], dtype=np.float32))
    assert appeal_of(model, ids[:4]).tolist() == pytest.approx([0.0, 0.3, -0.2, 0.0])
    fresh = recounted(model, a_card(), shop)
    assert fresh.appeal[1:3].tolist() == pytest.approx([0.3, -0.2])
    assert not fresh.appeal[3:].any()


def test_a_training_publishes_it_and_says_how_well_it_foretells(tmp_path: Path) -> None:
    shop = ShopDomain("harvest-lane.myshopify.com")
    dataset = shops.a_shop(60)
    product_id = int(dataset.items.product_ids[0])
    found = Appeal({product_id: 0.7}, Interval(0.02, 0.01, 0.03), 1.0, 0.0, 900, 90, 9)
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    card = run_training(Job(tmp_path, shop, dataset, FitParameters(4, 1), moment, appeal=found))
    model = latest(tmp_path, shop)
    assert model is not None
    assert model.appeal[0] == pytest.approx(0.7)
    assert card.appeal is not None
    assert (card.appeal.low, card.appeal.cases) == (0.01, 900)


async def test_what_a_shops_shoppers_take_is_in_its_next_model(connections: Connections) -> None:
    """Product 1 is taken by half of those who see it, product 2 by one in ten."""
    now, rows = datetime.now(UTC), []
    for number in range(1_200):
        product_id, share = (1, 2) if number % 2 else (2, 10)
        name = f"{number:04}"
        at = now - timedelta(minutes=1_200 - number)
        rows += [a_decision(name, an_offer(product_id), decided_at=at), said("shown", name, product_id)]
        rows += [said("accepted", name, product_id)] if number // 2 % share == 0 else []
    await write(connections, a_shop(), *rows)
    await sell(connections, ShopDomain(SHOP), 120)
    card = await train_shop(connections, ShopDomain(SHOP), SMALL)
    model = latest(connections.settings.data_dir, ShopDomain(SHOP))
    assert model is not None
    assert card.appeal is not None
    assert card.appeal.cases == 1_200
    one, two = model.appeal[model.positions([1, 2])].tolist()
    assert one > two
