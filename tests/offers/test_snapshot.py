from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from app.catalog.catalog import Variant
from app.offers.choose import choose
from app.orders.returns import ReturnRates
from tests.offers.factories import NOW, a_product, a_shop, a_situation, goes_together
from tests.offers.test_choose import ids


def test_the_merchants_picks_come_first() -> None:
    shop = a_shop(settings={"pinned": [40, 999, 20, 40]})
    offers = choose(shop, a_situation(10))
    assert ids(offers)[:2] == [40, 20]
    assert offers[0].message.key == "upsell.merchant_pick"
    assert offers[0].why[0].weight == 1.0


def test_without_picks_best_sellers_are_the_default() -> None:
    popularity = np.array([1, 5, 0, 9], dtype=np.float32)
    shop = a_shop(model=goes_together({}, popularity=popularity))
    offers = choose(shop, a_situation(arm="static"))
    assert ids(offers) == [40, 20, 10]
    assert offers[0].why[0].reason == "popular"


def test_a_shop_without_a_model_offers_what_is_new() -> None:
    products = [a_product(n, created_at=NOW - timedelta(days=n)) for n in (10, 20, 30)]
    offers = choose(a_shop(*products, a_product(40)), a_situation(10))
    assert ids(offers) == [20, 30, 40]
    assert offers[0].why[0].reason == "new_in"


def test_a_shop_that_sells_nothing_offers_nothing() -> None:
    assert choose(a_shop(a_product(10, in_stock=False)), a_situation()) == ()


@pytest.mark.parametrize("settings", [{"pinned": "all"}, {"pinned": [None]}, {"pinned": None}])
def test_unusable_picks_are_none(settings: dict[str, Any]) -> None:
    assert {pick.why[0].reason for pick in a_shop(settings=settings).defaults} == {"new_in"}


@pytest.mark.parametrize("arms", [None, {}, {"personalised": -1}, {"personalised": "x"}, [1]])
def test_an_unusable_split_is_the_default_one(arms: object) -> None:
    assert a_shop(settings={"arms": arms}).experiment.share("holdout") == pytest.approx(0.05)


def test_equal_shops_have_equal_versions() -> None:
    model = goes_together({})
    assert a_shop(model=model).version == a_shop(model=model).version


@pytest.mark.parametrize(
    "changes",
    [
        {"excluded": frozenset({10})},
        {"settings": {"pinned": [10]}},
        {"settings": {"arms": {"static": 1}}},
        {"currency": "EUR"},
        {"model": goes_together({}, version="v2")},
    ],
)
def test_whatever_changes_a_choice_changes_the_version(changes: dict[str, Any]) -> None:
    before = {"model": goes_together({})}
    assert a_shop(**(before | changes)).version != a_shop(**before).version


def test_a_price_changes_the_version() -> None:
    assert a_shop(a_product(10, price_minor=1)).version != a_shop(a_product(10, price_minor=2)).version


def test_what_the_catalogue_knows_of_a_product_reaches_its_ranking() -> None:
    variant = Variant(1, "", 500, in_stock=True, stock=3)
    settings = {"costs": {"10": 200}, "lead_days": {"10": 21, "20": -1}}
    shop = a_shop(
        a_product(10, variants=(variant,)), a_product(20), settings=settings,
        returns=ReturnRates(0.05, {10: 0.3}),
    )  # fmt: skip
    known, plain = shop.offerable[10].ranked, shop.offerable[20].ranked
    assert (known.cost_minor, known.stock, known.lead_days, known.return_rate) == (200, 3, 21, 0.3)
    assert (plain.cost_minor, plain.stock, plain.lead_days, plain.return_rate) == (None, None, None, 0.05)


def test_the_last_unit_is_not_offered_and_what_comes_back_stands_behind() -> None:
    last = Variant(1, "", 500, in_stock=True, stock=1)
    products = [a_product(n) for n in (10, 20, 30)] + [a_product(40, variants=(last,))]
    model = goes_together({(10, 40): 0.9, (10, 20): 0.5, (10, 30): 0.4})
    offers = choose(a_shop(*products, model=model), a_situation(10))
    assert ids(offers) == [20, 30]
    back = choose(a_shop(*products, model=model, returns=ReturnRates(0.1, {20: 0.9})), a_situation(10))
    assert ids(back) == [30, 20]


@pytest.mark.parametrize(
    "changes", [{"settings": {"lead_days": {"10": 30}}}, {"returns": ReturnRates(0.1, {10: 0.5})}]
)
def test_lead_days_and_returns_change_the_version(changes: dict[str, Any]) -> None:
    assert a_shop(**changes).version != a_shop().version


def test_an_offer_names_the_page_of_its_product_where_that_is_known() -> None:
    shop = a_shop(a_product(10), a_product(20, handle="tea"))
    assert [shop.offerable[each].shown.handle for each in (10, 20)] == [None, "tea"]


def test_a_page_that_is_not_known_leaves_the_version_as_it_was() -> None:
    # A handle that is unset is in no encoding, as in those of before there were any.
    product = a_product(10)
    assert "handle" not in msgspec.json.decode(msgspec.json.encode(product))
    assert a_shop(product).version != a_shop(a_product(10, handle="tea")).version
