"""From a data set to a model that may serve, whatever the shop's size."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from rich.console import Console

from app.errors import InputError
from app.recommend.card import OURS
from app.recommend.cases import make_cases
from app.recommend.duel import Champion
from app.recommend.evaluate import cases_to_choose_with, evaluate_files, hold_out
from app.recommend.fit import FitParameters
from app.recommend.plot import write_report
from app.recommend.progress import Step
from app.recommend.read import build_dataset
from app.recommend.recount import recounted
from app.recommend.report import Report
from app.recommend.terms import Past
from app.recommend.train import ALONE, TrainedModel, train
from tests.recommend.shops import a_shop, order_table, product_table

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SMALL = FitParameters(dimensions=8, epochs=4)


@cache
def trained_on_many() -> tuple[TrainedModel, set[str]]:
    """Return what 1,200 orders teach, and the stages of that."""
    steps: list[Step] = []
    trained = train(a_shop(1_200), SMALL, NOW, steps.append)
    return trained, {step.stage for step in steps}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The evaluation of 300 orders, and products, from files."""
    home = tmp_path_factory.mktemp("files")
    order_table(300).write_parquet(home / "orders.parquet")
    product_table().write_csv(home / "products.csv")
    return evaluate_files(home / "orders.parquet", home / "products.csv", parameters=SMALL)


@pytest.mark.parametrize(
    ("orders", "basis"),
    [(0, "content"), (10, "popularity"), (100, "neighbours")],
)
def test_a_shop_with_few_orders_has_a_model_that_says_what_it_rests_on(orders: int, basis: str) -> None:
    trained = train(a_shop(orders), SMALL, NOW)
    assert trained.model.basis == trained.card.basis == basis
    ranked = trained.model.rank([0], k=3)
    assert len(ranked) == 3
    assert trained.card.decision.publish
    assert trained.card.counts["orders"] == orders


def test_without_orders_likeness_recommends_and_says_similar() -> None:
    best = train(a_shop(0), SMALL, NOW).model.rank([0], k=1)[0]
    assert best.product_id in {*range(1, 9), 18}
    assert (best.reasons[0].reason, best.reasons[0].with_product_id) == ("similar", 0)


def test_with_orders_the_cart_decides_and_the_held_out_figures_beat_popularity() -> None:
    trained, stages = trained_on_many()
    assert {one.product_id for one in trained.model.rank([0, 1], k=4)} <= {*range(2, 9), 18}
    assert {one.product_id for one in trained.model.rank([9, 10], k=4)} <= set(range(11, 18))
    figures = trained.card.figures
    assert figures[OURS]["ndcg_at_10"] > figures["popularity"]["ndcg_at_10"]
    assert "LightFM of carts" in figures
    assert stages == {"choosing", "learning to test", "testing"} | (
        {"learning to serve"} if trained.model.basis == "blend" else set()
    )


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no orders and no products"):
        train(build_dataset(order_table(1).clear()), SMALL, NOW)


def test_cases_hide_half_of_a_later_basket_and_know_only_earlier_orders() -> None:
    shop = a_shop(300)
    split = shop.split()
    cases = make_cases(shop, split.train, split.test, most=1_000, seed=0)
    assert len(cases) == (split.test.sizes >= 2).sum()
    baskets = [set(shop.items.product_ids[split.test.of(at)].tolist()) for at in range(len(split.test))]
    bought: dict[int, set[int]] = {}
    for at in range(len(split.train)):
        ids = shop.items.product_ids[split.train.of(at)].tolist()
        bought.setdefault(int(split.train.customers[at]), set()).update(ids)
    for case in cases:
        assert set(case.cart) | case.wanted in baskets
        assert len(case.cart) == (len(case.cart) + len(case.wanted)) // 2
        customer = -1 if case.customer_id is None else shop.customer_ids.tolist().index(case.customer_id)
        assert set(case.history) == (set() if case.customer_id is None else bought[customer])


def test_a_case_knows_how_often_and_how_long_ago() -> None:
    rows = [
        (1, 7, "2026-01-01", 1),
        (2, 7, "2026-04-01", 2),
        (3, 7, "2026-04-02", 3),
        (3, 7, "2026-04-02", 4),
    ]
    columns = ["order_id", "customer_id", "created_at", "product_id"]
    shop = build_dataset(pl.DataFrame(rows, schema=columns, orient="row"))
    (case,) = make_cases(shop, shop.baskets.between(0, 2), shop.baskets.between(2, 3), most=1, seed=0)
    assert case.history == {1: Past(1, 91), 2: Past(1, 1)}
    assert case.orders == 2


def test_a_cart_to_choose_with_knows_all_before_it_but_what_is_held_back() -> None:
    rows = [
        (1, 7, "2026-01-01", 1),
        (2, 7, "2026-04-01", 2),
        (2, 7, "2026-04-01", 5),
        (3, 7, "2026-04-03", 3),
        (3, 7, "2026-04-03", 4),
    ]
    columns = ["order_id", "customer_id", "created_at", "product_id"]
    shop = build_dataset(pl.DataFrame(rows, schema=columns, orient="row"))
    held_back = shop.items.product_ids == 5
    earlier, later = shop.baskets.between(0, 1), shop.baskets.between(1, 3)
    first, second = cases_to_choose_with(shop, earlier, later, held_back, seed=0)
    assert first.history == {1: Past(1, 90)}
    assert second.history == {1: Past(1, 92), 2: Past(1, 2)}


def test_the_same_seed_evaluates_the_same() -> None:
    first, second = (hold_out(a_shop(400), SMALL) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.to_json() == second.to_json()


def test_a_merchants_files_are_evaluated_without_customers_and_without_metadata(tmp_path: Path) -> None:
    order_table(700).drop("customer_id").write_csv(tmp_path / "orders.csv")
    report = evaluate_files(tmp_path / "orders.csv", parameters=SMALL)
    assert "own repeats" not in report.figures
    assert report.figures[OURS].ndcg_at_10 > report.figures["popularity"].ndcg_at_10
    assert report.differences["popularity"].low > 0
    decoded = msgspec.json.decode(report.to_json())
    assert decoded["figures"][OURS]["ndcg_at_10"] == pytest.approx(report.figures[OURS].ndcg_at_10)


def test_a_terminal_of_80_columns_has_room_for_every_model_and_number(report: Report, tmp_path: Path) -> None:
    console = Console(width=80, record=True, quiet=False, file=(tmp_path / "out.txt").open("w"))
    console.print(*report.tables())
    console.file.close()
    text = (tmp_path / "out.txt").read_text()
    assert all(name in text for name in report.figures)
    assert f"{report.differences['popularity'].high:+.3f}]" in text
    assert "…" not in text


def test_an_evaluation_is_written_as_json_and_as_a_picture(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "out")
    assert (tmp_path / "out" / "evaluation.png").read_bytes().startswith(b"\x89PNG")
    written = msgspec.json.decode((tmp_path / "out" / "evaluation.json").read_bytes())
    assert written["figures"].keys() >= {OURS, "popularity", "cosine", "weighted cosine", "EASE"}
    assert written["best_baseline"] in written["figures"]


def test_too_few_orders_to_hold_any_out_are_refused(tmp_path: Path) -> None:
    order_table(20).write_csv(tmp_path / "orders.csv")
    with pytest.raises(InputError, match="20 orders leave fewer than 20 later ones"):
        evaluate_files(tmp_path / "orders.csv")


def test_a_model_serves_the_customers_it_saw_and_no_others() -> None:
    model = trained_on_many()[0].model
    assert np.isin(model.customer_ids, np.arange(1, 10)).all()
    assert model.rank([0], k=3, customer_id=424242) == model.rank([0], k=3)


def by_chance(orders: int) -> pl.DataFrame:
    """Return orders of products that have nothing to do with one another, some of which sell best."""
    random = np.random.default_rng(0)
    share = 1 / np.arange(1, 61) ** 0.8
    rows = [
        (order, order, f"2026-01-{1 + order // 24:02} {order % 24:02}:00:00", int(product_id))
        for order in range(orders)
        for product_id in random.choice(60, 3, replace=False, p=share / share.sum())
    ]
    return pl.DataFrame(rows, schema=["order_id", "customer_id", "created_at", "product_id"], orient="row")


def test_where_best_sellers_do_better_they_serve_a_shop_that_has_no_model_and_no_other() -> None:
    shop = build_dataset(by_chance(300))
    first = train(shop, SMALL, NOW)
    assert first.card.decision.publish
    assert first.card.weights == ALONE["popularity"]
    figures = first.card.figures
    assert figures[OURS]["ndcg_at_10"] == figures["popularity"]["ndcg_at_10"]
    ranked = [one.product_id for one in first.model.rank([0], k=5)]
    sold = first.model.popularity[first.model.positions(ranked)]
    assert (np.diff(sold) <= 0).all()
    later = recounted(first.model, first.card, build_dataset(by_chance(400)))
    assert (later.basis, later.weights) == ("neighbours", ALONE["popularity"])
    second = train(shop, SMALL, NOW, champion=Champion(first.card, first.model))
    assert not second.card.decision.publish
    assert second.card.weights != first.card.weights


def test_best_sellers_take_the_place_of_what_a_shop_grew_up_with_where_they_are_surely_better() -> None:
    products = pl.DataFrame({"product_id": range(60), "title": ["a thing"] * 60})
    started = train(build_dataset(by_chance(1).clear(), products), SMALL, datetime(2025, 12, 31, tzinfo=UTC))
    champion = Champion(started.card, started.model)
    grown = train(build_dataset(by_chance(300), products), SMALL, NOW, champion=champion)
    assert grown.card.decision.publish
    assert grown.card.weights == ALONE["popularity"]
    assert grown.card.champion_difference is not None
    assert grown.card.champion_difference.low > 0


def test_a_shop_that_sells_one_product_an_order_has_best_sellers_and_repeats() -> None:
    rows = [
        (number, number % 10, f"2026-01-{1 + number // 10:02d}", 3 if number % 10 < 4 else 10 + number % 10)
        for number in range(200)
    ]
    orders = pl.DataFrame(rows, schema=["order_id", "customer_id", "created_at", "product_id"], orient="row")
    products = pl.DataFrame({"product_id": range(30), "title": [f"thing {each}" for each in range(30)]})
    trained = train(build_dataset(orders, products), SMALL, NOW)
    assert trained.card.basis == "popularity"
    assert trained.model.rank([4], k=1)[0].product_id == 3
    again = trained.model.rank([4], k=1, history={18: Past(9, 2.0)}, orders=9)
    assert again[0].product_id == 18
