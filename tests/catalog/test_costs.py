from datetime import datetime

import pytest
from msgspec import UNSET

from app.campaigns.margin import PricedLine, spare_minor
from app.catalog.catalog import Catalog, Product, Variant
from app.catalog.cost_store import knows_costs, read_costs, record_cost, record_costs
from app.catalog.costs import NO_COSTS, Costs, costs_in, costs_of, usual_margin
from app.catalog.store import load_catalog, record_product, remove_product
from app.connections import Connections
from app.events.kinds import CostChanged
from app.tables import ShopRow
from tests.catalog.test_store import NOON, SHOP, at, changed, deleted, variant


def cost(minutes: int, minor: int | None, item: int = 33) -> CostChanged:
    when: datetime = at(minutes)
    return CostChanged(
        shop=SHOP, event_id=f"c{minutes}{item}", happened_at=when, inventory_item_id=item, cost_minor=minor,
        updated_at=when,
    )  # fmt: skip


async def known(connections: Connections) -> Costs:
    """Return what is known, which is the same by the catalogue and read by itself."""
    async with connections.read() as db:
        read = await read_costs(await db.connection(), SHOP)
    assert read.by_variant == costs_of({}, await load_catalog(connections, SHOP)).by_variant
    return read


async def test_what_an_item_costs_is_known_of_its_variant_whichever_was_told_first(
    on_both_databases: Connections,
) -> None:
    await record_cost(on_both_databases, cost(0, 150))
    assert await known(on_both_databases) == NO_COSTS
    await record_product(on_both_databases, changed(1, variant(3), variant(4, position=2)))
    await record_cost(on_both_databases, cost(2, 90, item=34))
    assert (await known(on_both_databases)).by_variant == {3: 150, 4: 90}
    # A product's own webhook says nothing of costs.
    await record_product(on_both_databases, changed(3, variant(3), variant(4, position=2)))
    assert (await known(on_both_databases)).by_variant == {3: 150, 4: 90}
    await remove_product(on_both_databases, deleted(4))
    assert (await known(on_both_databases)).by_variant == {}


async def test_the_latest_word_on_a_cost_stays_and_may_be_that_there_is_none(
    on_both_databases: Connections,
) -> None:
    await record_product(on_both_databases, changed())
    await record_costs(on_both_databases, [cost(5, 150), cost(3, 80)])
    await record_cost(on_both_databases, cost(4, 90))
    assert (await known(on_both_databases)).by_variant == {3: 150}
    await record_cost(on_both_databases, cost(6, None))
    assert await known(on_both_databases) == NO_COSTS


async def test_where_prices_hold_tax_a_cost_counts_with_it(on_both_databases: Connections) -> None:
    async with on_both_databases.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOON, tax_rate=0.19))
    await record_product(on_both_databases, changed())
    await record_cost(on_both_databases, cost(0, 351))
    # Of 4.20, 3.53 is the shop's; it would sell at no profit for 3.51 x 1.19 = 4.1769.
    assert (await known(on_both_databases)).by_variant == {3: 418}


async def test_a_shop_knows_its_costs_by_the_setting_or_by_shopify(on_both_databases: Connections) -> None:
    assert not await knows_costs(on_both_databases, SHOP)
    async with on_both_databases.write() as db:
        settings = {"costs": {"2": 200}}
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOON, settings=settings))
    assert await knows_costs(on_both_databases, SHOP)
    assert (await known(on_both_databases)).of(2, 3) == 200


def test_the_merchants_word_of_a_product_goes_before_shopifys_of_its_variants() -> None:
    costs = Costs({2: 200}, {3: 150, 5: 70})
    assert [costs.of(2, 3), costs.of(4, 5), costs.of(4, 6), costs.of(4, None)] == [200, 70, None, None]


@pytest.mark.parametrize("told", [{}, {"costs": "all"}, {"costs": {"2": -1}}, {"costs": {"tea": 1}}])
def test_costs_that_are_absent_or_unusable_are_not_known(told: dict[str, object]) -> None:
    assert costs_in(told) == {}


@pytest.mark.parametrize("known", [True, False])
def test_no_gift_card_leaves_a_profit_that_a_discount_could_be_given_of(known: bool) -> None:
    catalog = Catalog("USD", {
        1: Product(1, "Tea", variants=(Variant(10, "", 1_000, True, None, 400 if known else UNSET),)),
        2: Product(2, "Gift card", variants=(Variant(20, "", 5_000, True),), gift_card=True),
    })  # fmt: skip
    costs = costs_of({}, catalog)
    margin = usual_margin(catalog, costs)
    assert margin == (0.6 if known else None)
    cart = [PricedLine(1, 1, 1_000, 10), PricedLine(2, 1, 5_000, 20)]
    assert spare_minor(cart, costs, margin) == (600 if known else None)


def test_the_usual_margin_is_of_the_variants_that_are_offered() -> None:
    def product(number: int, price: int, cost_minor: int, *, in_stock: bool = True) -> Product:
        small = Variant(10 * number, "", price, in_stock, cost_minor=cost_minor)
        return Product(number, "Tea", (small, Variant(10 * number + 1, "", 9_000, True)))

    products = [product(1, 1_000, 900), product(2, 1_000, 400), product(3, 1_000, 500)]
    of_a_variant_without = product(4, 1_000, 10, in_stock=False)
    catalog = Catalog("EUR", {each.product_id: each for each in [*products, of_a_variant_without]})
    assert usual_margin(catalog, costs_of({}, catalog)) == pytest.approx(0.5)
    assert usual_margin(catalog, NO_COSTS) is None
