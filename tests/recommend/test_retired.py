from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import app.recommend.retired
from app.connections import Connections
from app.recommend.forget import forget_in_models, read_learnt
from app.recommend.publish import current_version, load, publish, versions
from app.recommend.retired import delete_retired, find_version, retire_version, retired_versions
from app.values import ShopDomain
from tests.offers.factories import goes_together
from tests.recommend.test_publish import NOW, a_card

SHOP = ShopDomain("a.myshopify.com")
OTHER = ShopDomain("b.myshopify.com")


def published(data_dir: Path, days: int = 0, shop: ShopDomain = SHOP) -> str:
    return publish(data_dir, shop, goes_together({(10, 30): 0.9}), a_card(NOW + timedelta(days=days))).version


def test_what_is_put_away_serves_no_more_and_is_found_as_it_was(tmp_path: Path) -> None:
    old, new = published(tmp_path), published(tmp_path, 1)
    before = load(next(path for path in versions(tmp_path, SHOP) if path.name == old))
    retire_version(tmp_path, SHOP, old, new)
    assert [path.name for path in versions(tmp_path, SHOP)] == [new]
    found = find_version(tmp_path, SHOP, old)
    assert found is not None
    again = load(found)
    assert again.version == old
    assert np.array_equal(again.neighbour_weights, before.neighbour_weights)


def test_the_successor_serves_where_it_did_and_another_goes_on_serving(tmp_path: Path) -> None:
    first, second, third = (published(tmp_path, day) for day in range(3))
    assert current_version(tmp_path, SHOP) == third
    retire_version(tmp_path, SHOP, first, second)
    assert current_version(tmp_path, SHOP) == third
    retire_version(tmp_path, SHOP, third, second)
    assert current_version(tmp_path, SHOP) == second


@pytest.mark.parametrize("name", ["", ".", "..", "../b.myshopify.com", ".past", "CURRENT", "/etc"])
def test_a_name_that_is_no_version_leads_nowhere(tmp_path: Path, name: str) -> None:
    published(tmp_path)
    theirs = published(tmp_path, shop=OTHER)
    assert find_version(tmp_path, SHOP, name) is None
    assert find_version(tmp_path, SHOP, f"../{OTHER}/{theirs}") is None


def test_beyond_the_room_there_is_those_put_away_first_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [published(tmp_path, day) for day in range(4)]
    path = next(each for each in versions(tmp_path, SHOP) if each.name == names[0])
    size = sum(file.stat().st_size for file in path.iterdir())
    monkeypatch.setattr(app.recommend.retired, "MOST_BYTES", int(2.5 * size))
    for name in names[:3]:
        retire_version(tmp_path, SHOP, name, names[3])
    assert [path.name for path in retired_versions(tmp_path, SHOP)] == names[1:3]


def test_what_was_put_away_before_the_limit_goes(tmp_path: Path) -> None:
    names = [published(tmp_path, day) for day in range(3)]
    for name in names[:2]:
        retire_version(tmp_path, SHOP, name, names[2])
    now = datetime.now(UTC)
    old, _ = retired_versions(tmp_path, SHOP)
    os.utime(old, times=((now - timedelta(days=31)).timestamp(),) * 2)
    assert delete_retired(tmp_path, SHOP, now - timedelta(days=30)) == 1
    assert [path.name for path in retired_versions(tmp_path, SHOP)] == [names[1]]
    assert delete_retired(tmp_path, OTHER, now) == 0


async def test_who_is_erased_is_in_no_version_that_was_put_away(connections: Connections) -> None:
    data_dir = connections.settings.data_dir
    learnt = {"customer_ids": np.array([7, 8]), "customer_embeddings": np.ones((2, 0), dtype=np.float32)}
    model = goes_together({(10, 30): 0.9}, **learnt)
    with_them = publish(data_dir, SHOP, model, a_card()).version
    without_them, now = published(data_dir, 1), published(data_dir, 2)
    for name in (with_them, without_them):
        retire_version(data_dir, SHOP, name, now)
    assert [(each.version, each.customer_id) for each in await read_learnt(connections, SHOP, {7})] == [
        (with_them, 7)
    ]
    await forget_in_models(connections, SHOP, {7})
    assert [path.name for path in retired_versions(data_dir, SHOP)] == [without_them]
    assert await read_learnt(connections, SHOP, {7}) == []


async def test_what_can_not_be_read_goes_with_an_erasure(connections: Connections) -> None:
    data_dir = connections.settings.data_dir
    torn, now = published(data_dir), published(data_dir, 1)
    retire_version(data_dir, SHOP, torn, now)
    (retired_versions(data_dir, SHOP)[0] / "card.json").write_text("{")
    await forget_in_models(connections, SHOP, {7})
    assert retired_versions(data_dir, SHOP) == []
