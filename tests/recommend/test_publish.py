"""A published version is complete or absent, and what was tampered with does not serve."""

from __future__ import annotations

import shutil
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.errors import InputError, ModelUnusable
from app.recommend.card import LAYOUT, Card, Decision
from app.recommend.model import Model, Weights
from app.recommend.publish import (
    ARRAYS,
    MAPPED_FROM,
    SINCE,
    current_version,
    latest,
    load,
    publish,
    publish_successor,
    read_card,
    successor_of,
    versions,
    withdraw,
)
from app.values import ShopDomain
from tests.recommend.factories import a_model, linked

SHOP = ShopDomain("harvest-lane.myshopify.com")
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def a_card(trained_at: datetime = NOW, *, serve: bool = True) -> Card:
    return Card(
        trained_at=trained_at,
        basis="neighbours",
        weights=Weights(),
        counts={"orders": 3},
        parameters={"seed": 0},
        figures={"popularity": {"ndcg_at_10": 0.1}},
        decision=Decision(serve, "because"),
        libraries={"numpy": "2"},
    )


def home(data_dir: Path) -> Path:
    return data_dir / "models" / SHOP


def test_what_is_published_is_what_is_loaded(tmp_path: Path) -> None:
    model = a_model(4, 2, **linked(4, {(0, 1): 0.5}))
    card = publish(tmp_path, SHOP, model, a_card())
    loaded = latest(tmp_path, SHOP)
    assert loaded is not None
    assert (loaded.version, loaded.weights) == (card.version, model.weights)
    for name in ARRAYS:
        assert np.array_equal(getattr(loaded, name), getattr(model, name))
    assert loaded.rank([10]) == model.rank([10])
    assert not loaded.popularity.flags.writeable


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up in /proc")
def test_a_small_model_holds_no_file_open_and_the_large_arrays_of_a_larger_one_are_mapped(
    tmp_path: Path,
) -> None:
    open_files = Path("/proc/self/fd")
    publish(tmp_path, SHOP, a_model(10, 8), a_card())
    before = len(list(open_files.iterdir()))
    small = latest(tmp_path, SHOP)
    assert (small is not None, len(list(open_files.iterdir()))) == (True, before)
    publish(tmp_path, SHOP, a_model(2_100, 8), a_card(NOW + timedelta(days=1)))
    large = latest(tmp_path, SHOP)
    assert large is not None
    assert large.item_embeddings.nbytes >= MAPPED_FROM > large.popularity.nbytes
    assert before < len(list(open_files.iterdir())) < before + len(ARRAYS) / 2


def test_the_card_says_what_the_model_was_made_of(tmp_path: Path) -> None:
    card = publish(tmp_path, SHOP, a_model(), a_card())
    read = read_card(home(tmp_path) / card.version)
    assert read == card
    assert (read.shop, read.figures, read.decision.reason) == (SHOP, a_card().figures, "because")


def test_a_shop_without_a_model_has_none(tmp_path: Path) -> None:
    assert latest(tmp_path, SHOP) is None
    assert current_version(tmp_path, SHOP) is None


def test_a_rejected_version_is_kept_and_does_not_serve(tmp_path: Path) -> None:
    first = publish(tmp_path, SHOP, a_model(3), a_card())
    rejected = publish(tmp_path, SHOP, a_model(4), a_card(NOW + timedelta(days=1), serve=False))
    assert current_version(tmp_path, SHOP) == first.version
    assert not read_card(home(tmp_path) / rejected.version).decision.publish


def test_shops_do_not_see_each_other(tmp_path: Path) -> None:
    publish(tmp_path, SHOP, a_model(), a_card())
    assert latest(tmp_path, ShopDomain("other.myshopify.com")) is None
    with pytest.raises(InputError):
        latest(tmp_path, ShopDomain("../harvest-lane.myshopify.com"))


def test_old_versions_go_and_the_current_one_stays(tmp_path: Path) -> None:
    first = publish(tmp_path, SHOP, a_model(), a_card())
    for day in range(1, 9):
        publish(tmp_path, SHOP, a_model(day + 4), a_card(NOW + timedelta(days=day), serve=False))
    there = [path.name for path in home(tmp_path).iterdir() if path.is_dir()]
    assert first.version in there
    assert len(there) == 6


def test_what_served_before_stays_however_many_were_not_good_enough_since(tmp_path: Path) -> None:
    served = [publish(tmp_path, SHOP, a_model(), a_card(NOW + timedelta(days=day))) for day in range(3)]
    for day in range(3, 9):
        publish(tmp_path, SHOP, a_model(), a_card(NOW + timedelta(days=day), serve=False))
    names = [path.name for path in versions(tmp_path, SHOP)]
    assert names[:2] == [card.version for card in served[1:]]
    assert len(names) == 7


def test_old_versions_that_an_experiment_tries_stay(tmp_path: Path) -> None:
    tried, *_ = [
        publish(tmp_path, SHOP, a_model(), a_card(NOW + timedelta(days=day))).version for day in range(5)
    ]
    for day in range(5, 12):
        publish(tmp_path, SHOP, a_model(), a_card(NOW + timedelta(days=day)), {tried})
    names = [path.name for path in versions(tmp_path, SHOP)]
    assert (names[0], len(names)) == (tried, 6)


def test_what_took_a_versions_place_stands_in_for_it(tmp_path: Path) -> None:
    first, second = (publish(tmp_path, SHOP, a_model(), a_card(NOW + timedelta(days=day))) for day in (0, 1))
    successor = publish_successor(tmp_path, SHOP, first, a_model(7))
    assert successor_of(tmp_path, SHOP, first.version) == home(tmp_path) / first.version
    withdraw(tmp_path, SHOP, first.version, successor.version)
    assert successor_of(tmp_path, SHOP, first.version) == home(tmp_path) / successor.version
    assert successor_of(tmp_path, SHOP, second.version) == home(tmp_path) / second.version
    for name in ("", "..", "CURRENT", "20200101T000000-0"):
        assert successor_of(tmp_path, SHOP, name) is None


@pytest.mark.parametrize("name", ["card.json", "popularity.npy", "neighbours.npy"])
def test_a_torn_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    version = home(tmp_path) / publish(tmp_path, SHOP, a_model(), a_card()).version
    whole = (version / name).read_bytes()
    (version / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnusable, match=name):
        load(version)
    (version / name).unlink()
    with pytest.raises(ModelUnusable, match=name):
        load(version)


def test_altered_content_is_noticed(tmp_path: Path) -> None:
    version = home(tmp_path) / publish(tmp_path, SHOP, a_model(), a_card()).version
    np.save(version / "popularity.npy", np.full(4, 9, dtype=np.float32))
    with pytest.raises(ModelUnusable, match=r"popularity\.npy: its content is not what was published"):
        load(version)


def test_arrays_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    odd = replace(a_model(4), popularity=np.ones(3, dtype=np.float32))
    version = home(tmp_path) / publish(tmp_path, SHOP, odd, a_card()).version
    with pytest.raises(ModelUnusable, match=r"popularity is \(3,\), expected \(4,\)"):
        load(version)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    version = home(tmp_path) / publish(tmp_path, SHOP, a_model(), a_card()).version
    card = msgspec.structs.replace(read_card(version), layout=99)
    (version / "card.json").write_bytes(msgspec.json.encode(card))
    with pytest.raises(ModelUnusable, match="layout 99"):
        load(version)


def test_a_version_from_before_there_was_variety_serves_on_and_is_succeeded(tmp_path: Path) -> None:
    published = publish(tmp_path, SHOP, a_model(), a_card())
    version = home(tmp_path) / published.version
    kept = {name: array for name, array in published.arrays.items() if name not in SINCE}
    for name in SINCE:
        (version / f"{name}.npy").unlink()
    (version / "card.json").write_bytes(
        msgspec.json.encode(msgspec.structs.replace(published, arrays=kept, layout=2))
    )
    model = load(version)
    assert not len(model.variety)
    assert model.rank([10], k=3)
    changed = replace(model, orders=model.orders + 1)
    succeeded = publish_successor(tmp_path, SHOP, read_card(version), changed)
    assert succeeded.layout == LAYOUT
    assert load(home(tmp_path) / succeeded.version).orders.tolist() == [2, 2, 2, 2]


def test_a_lost_version_is_an_error_and_not_an_empty_model(tmp_path: Path) -> None:
    card = publish(tmp_path, SHOP, a_model(), a_card())
    shutil.rmtree(home(tmp_path) / card.version)
    with pytest.raises(ModelUnusable, match=r"card\.json"):
        latest(tmp_path, SHOP)


def test_reading_while_another_publishes_always_finds_a_whole_model(tmp_path: Path) -> None:
    publish(tmp_path, SHOP, a_model(3), a_card())
    done = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for second in range(1, 25):
                publish(tmp_path, SHOP, a_model(3 + second), a_card(NOW + timedelta(seconds=second)))
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[Model] = []
    while not done.is_set():
        model = latest(tmp_path, SHOP)
        assert model is not None
        seen.append(model)
    writer.join()
    assert not failures
    sizes = [len(model.product_ids) for model in seen]
    assert sizes == sorted(sizes)
