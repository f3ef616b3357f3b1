"""The demo shop: real orders, split at now, the same every time."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest
from graphql import GraphQLEnumType

from devstore import schema
from devstore.__main__ import parser
from devstore.demo import DOMAIN, MissingData, build
from devstore.demo.choose import shift_to
from devstore.demo.source import PACKAGE, installed
from devstore.demo.stage import StageFailed, check_free, demo_port
from devstore.demo.titles import readable, size, title
from devstore.shop import Shop, next_live_order

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
pytest.importorskip(PACKAGE, reason="the demo's data is not installed: pip install '.[demo]'")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return build(NOW, households=60, products=200, base_url="http://127.0.0.1:4700")


def test_it_is_the_shop_that_was_asked_for(shop: Shop) -> None:
    assert (shop.domain, shop.currency) == (DOMAIN, "USD")
    assert len(shop.products) == 200
    assert 55 <= len(shop.customers) <= 60
    assert all(variant.price_minor > 0 and variant.inventory > 0 for variant in shop.variants.values())
    assert all(
        product.image == f"http://127.0.0.1:4700/images/{n}.svg" for n, product in shop.products.items()
    )


def test_history_ends_at_now_and_live_orders_begin_there(shop: Shop) -> None:
    history = [order.created_at for order in shop.orders.values()]
    live = [order.created_at for order in shop.upcoming]
    assert history == sorted(history)
    assert live == sorted(live)
    assert history[-1] < NOW <= live[0]
    assert timedelta(days=13) < live[-1] - NOW < timedelta(days=21)
    assert not shop.orders.keys() & {order.id for order in shop.upcoming}
    numbers = [order.number for order in (*shop.orders.values(), *shop.upcoming)]
    assert numbers == list(range(1001, 1001 + len(numbers)))


def test_every_customer_with_a_past_has_a_group_of_the_schema_and_nobody_else(shop: Shop) -> None:
    before = {order.customer_id for order in shop.orders.values()}
    groups = {who: customer.rfm_group for who, customer in shop.customers.items()}
    assert {who for who, group in groups.items() if group} == before
    known = schema.load("2026-07").graphql.get_type("CustomerRfmGroup")
    assert isinstance(known, GraphQLEnumType)
    assert {group for group in groups.values() if group} <= set(known.values)
    assert len(set(groups.values())) > 4


def test_every_line_is_of_a_product_and_a_customer_of_the_shop(shop: Shop) -> None:
    for order in (*shop.orders.values(), *shop.upcoming):
        assert order.customer_id in shop.customers
        assert all(line.product_id in shop.products for line in order.lines)
        assert all(0 <= line.discount_minor <= line.price_minor * line.quantity for line in order.lines)


def test_the_same_now_builds_the_same_shop(shop: Shop) -> None:
    again = build(NOW, households=60, products=200, base_url="http://127.0.0.1:4700")
    assert again.orders == shop.orders
    assert again.upcoming == shop.upcoming
    assert again.products == shop.products
    assert again.customers == shop.customers
    assert again.discounts == shop.discounts


def test_live_orders_come_in_order_and_are_placed_as_of_now(shop: Shop) -> None:
    fresh = build(NOW, households=60, products=200)
    wanted = [order.id for order in fresh.upcoming[:3]]
    placed = [next_live_order(fresh, NOW + timedelta(minutes=n)) for n in range(3)]
    assert [order.id for order in placed if order] == wanted
    assert [order.created_at for order in placed if order] == [NOW + timedelta(minutes=n) for n in range(3)]
    assert len(fresh.upcoming) == len(shop.upcoming) - 3


def test_most_products_say_what_they_cost_and_none_sells_at_a_loss(shop: Shop) -> None:
    known = {v.id: v.cost_minor for v in shop.variants.values() if v.cost_minor is not None}
    assert 0 < len(shop.variants) - len(known) < len(shop.variants) / 4
    assert all(0 <= cost < shop.variants[variant].price_minor for variant, cost in known.items())


def test_what_is_invented_says_so(shop: Shop) -> None:
    for customer in shop.customers.values():
        assert customer.email.endswith("@example.com")
        assert "invented" in customer.note
        assert customer.tags == ["tillwise_demo"]
    assert all("tillwise_demo" in product.tags for product in shop.products.values())


def test_discounts_are_worth_what_the_data_says(shop: Shop) -> None:
    for discount in shop.discounts.values():
        assert (discount.percentage or 0) > 0 or (discount.amount_minor or 0) > 0
        assert discount.ends_at is not None
        assert discount.starts_at < discount.ends_at
    used = {code for order in shop.orders.values() for code in order.discounts_by_code}
    assert all(shop.discount_of(code) for code in used)


@pytest.mark.parametrize("now", [NOW, NOW + timedelta(days=3, hours=7)])
def test_the_shift_keeps_the_day_of_the_week_and_the_time_of_day(now: datetime) -> None:
    shift = shift_to(now, datetime(2018, 1, 1, 4))  # noqa: DTZ001 - the data's times have no zone
    assert shift.by % timedelta(days=7) == timedelta()
    assert shift.ours(shift.split) == now


def test_as_of_one_moment_of_the_data_the_shop_is_as_old_whenever_it_is_built() -> None:
    split = datetime(2017, 12, 12, 8, 30)  # noqa: DTZ001 - the data's times have no zone
    ages = []
    for now in (NOW, NOW + timedelta(days=3, hours=7)):
        shop = build(now, households=20, products=50, split=split)
        ages.append([(order.id, now - order.created_at) for order in shop.orders.values()])
    assert ages[0] == ages[1]
    assert ages[0]


@pytest.mark.parametrize(
    ("kind", "package", "said"),
    [
        ("YOGURT NOT MULTI-PACKS", "6 OZ", "Yogurt, non-multi-pack · 6 oz"),
        ("FRZN BAGGED VEGETABLES - PLAIN", "16 OZ", "Frozen bagged vegetables, plain · 16 oz"),
        ("BREAD:ITALIAN/FRENCH", None, "Bread, italian/french"),
        ("EGGS - LARGE", "1 DZ", "Eggs, large · 1 dozen"),
    ],
)
def test_titles_can_be_read(kind: str, package: str | None, said: str) -> None:
    assert title(kind, package) == said


def test_sizes_that_say_nothing_are_left_out() -> None:
    assert [size(text) for text in (None, "", "0 OZ", "CT", "2.5 LB")] == ["", "", "", "", "2.5 lb"]
    assert title("BANANAS", "40 LB", "PRODUCE") == "Bananas"
    assert readable("N/A DEOD SPRAY") == "Deodorant spray"


def test_missing_data_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devstore.demo.source.PACKAGE", "no_such_package")
    with pytest.raises(MissingData, match=r"pip install '\.\[demo\]'"):
        installed()


def test_the_demo_listens_where_it_is_told_and_says_what_is_no_port() -> None:
    assert (demo_port(None), demo_port(""), demo_port("4800")) == (4700, 4700, 4800)
    for told in ("80", "65535", "many", "٤٨٠٠"):
        with pytest.raises(SystemExit, match=f"PORT={told} can't be used"):
            demo_port(told)


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StageFailed, match=rf"Port {port} is in use.* make demo PORT="):
            check_free(port)


def test_a_shop_that_nobody_buys_at_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--households", "0"])
    assert "it has to be at least one" in capsys.readouterr().err
    assert parser().parse_args(["--households", "1"]).households == 1
